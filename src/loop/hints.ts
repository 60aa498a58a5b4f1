// File events of requests/, watch/ and config.json. A hint only: the loop's own look every 30 s is the truth (DESIGN.md rule 8).

import { watch } from 'chokidar'
import { layout, type Root } from '../disk/layout.ts'
import type { Log } from '../words/status.ts'

export type Hints = {
  /** After the data directory went and came back: native watches of the old one are dead for good (facts/faults.md 0.5). */
  renew(): void
  close(): Promise<void>
}

/** For where file events cost more than they bring: a look every 30 s finds all. */
export const noHints: Hints = { renew: () => undefined, close: async () => undefined }

export function openHints(
  root: Root,
  log: Log,
  options: { readonly poll: boolean; readonly onHint: () => void },
): Hints {
  let complained = false
  let watcher = start()

  function start(): ReturnType<typeof watch> {
    // Dataset folders are not watched: 10,000 of them would cost 90 MB (facts/engine.md 5).
    const made = watch([layout.requests(root), layout.watch(root), layout.config(root)], {
      depth: 0,
      ignoreInitial: true,
      persistent: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      usePolling: options.poll,
      interval: 2000,
      awaitWriteFinish: false,
      atomic: false,
      alwaysStat: false,
    })
    made.on('all', () => options.onHint())
    // ENOSPC and EMFILE of inotify come here; without a listener the process would die.
    made.on('error', error => {
      if (complained) return
      complained = true
      log(
        'rucio_downloader',
        `file events do not work here (${String(error)}); directories are looked at every 30 s`,
      )
    })
    return made
  }

  return {
    renew() {
      const old = watcher
      watcher = start()
      old.close().catch(error => log('rucio_downloader', `a watcher did not close: ${String(error)}`))
    },
    close: () => watcher.close(),
  }
}
