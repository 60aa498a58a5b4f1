// File events of requests/, watch/ and config.json. A hint only: the loop's own look every 30 s is the truth (DESIGN.md rule 8).

import { resolve } from 'node:path'
import { watch } from 'chokidar'
import { layout, type Root } from '../disk/layout.ts'
import type { Log } from '../words/status.ts'

type Watcher = ReturnType<typeof watch>

export type Hints = {
  /** After the data directory went and came back: native watches of the old one are dead for good (facts/faults.md 0.5). */
  renew(): void
  close(): Promise<void>
}

/** For where file events cost more than they bring: a look every 30 s finds all. */
export const noHints: Hints = { renew: () => undefined, close: async () => undefined }

/** At each event of a directory chokidar 5 reads it, with an lstat of every name, and once more when another event came meanwhile: 500
 *  POSTs beside 4,500 requests took 69 s of CPU. So a watch of long directories is let go at the first event and made anew, which is one
 *  such look, after so many times as long as that takes; what comes meanwhile is seen then. */
const restTimes = 20
const restMost = 3000
/** Short directories are left as they are: the look costs less than a new watch. */
const restLeast = 200
/** But they may have grown since they were last looked at as a whole. */
const eventsMost = 64

/** @param options.poll for directories that announce nothing: chokidar looks at each file every 2 s
 *  @param options.watching told of each watch of the two directories that is made; for tests */
export function openHints(
  root: Root,
  log: Log,
  options: { readonly poll: boolean; readonly onHint: () => void; readonly watching?: () => void },
): Hints {
  let complained = false
  let dirs = watchDirs(false)
  let config = watchPaths([layout.config(root)])
  let tookMs = 0
  let events = 0
  let rest: NodeJS.Timeout | undefined

  /** @param again something may have come since the last watch */
  function watchDirs(again: boolean): Watcher {
    const began = performance.now()
    const made = watchPaths([layout.requests(root), layout.watch(root)])
    options.watching?.()
    made.on('ready', () => {
      tookMs = performance.now() - began
      events = 0
      if (again) options.onHint()
    })
    made.on('raw', () => {
      if (!options.poll) wearOut()
    })
    return made
  }

  function watchPaths(paths: readonly string[]): Watcher {
    // Dataset folders are not watched: 10,000 of them would cost 90 MB (facts/engine.md 5).
    const wanted = new Set(paths.map(path => resolve(path).replaceAll('\\', '/')))
    const made = watch([...paths], {
      // A directory tells of its files, too; only where it does not each of them is looked at. Of a path that is not there, as config.json
      // may be, chokidar would watch the parent, which is all of DATA.
      ignored: path => !wanted.has(path) && !(options.poll && wanted.has(parentOf(path))),
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
    // Of files that it ignores chokidar says no more than what the system told it.
    made.on(options.poll ? 'all' : 'raw', () => options.onHint())
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

  function wearOut(): void {
    events += 1
    const restMs = Math.min(restMost, restTimes * tookMs)
    if (rest !== undefined || (restMs < restLeast && events < eventsMost)) return
    letGo(dirs)
    rest = setTimeout(() => {
      rest = undefined
      dirs = watchDirs(true)
    }, restMs)
  }

  function letGo(old: Watcher): void {
    old.close().catch(error => log('rucio_downloader', `a watcher did not close: ${String(error)}`))
  }

  return {
    renew() {
      clearTimeout(rest)
      rest = undefined
      letGo(dirs)
      letGo(config)
      dirs = watchDirs(true)
      config = watchPaths([layout.config(root)])
    },
    async close() {
      clearTimeout(rest)
      await Promise.all([dirs.close(), config.close()])
    },
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
