// File events of requests/, watch/ and config.json. A hint only: the loop's own look every 30 s is the truth (DESIGN.md rule 8).

import { resolve } from 'node:path'
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

/** For each event of a directory chokidar 5 reads it, with an lstat of every name, and once more for what came meanwhile (measured:
 *  with 2,000 requests, 1,000 POSTs made it lstat two million times). So many events in one spell are a flood: then it is let go for a
 *  while and started again, which is one such look. */
const floodEvents = 16
const spellMs = 1000
/** What a person does meanwhile is seen at its end at the latest. */
const restMs = 3000

/** @param options.poll directories that announce nothing are looked at every 2 s
 *  @param options.restMs between two watches of a flood, which tests shorten */
export function openHints(
  root: Root,
  log: Log,
  options: { readonly poll: boolean; readonly onHint: () => void; readonly restMs?: number },
): Hints {
  let complained = false
  let isClosed = false
  let spell = { from: Number.NEGATIVE_INFINITY, events: 0 }
  let rest: NodeJS.Timeout | undefined
  let watcher: ReturnType<typeof watch> | undefined
  start()

  function start(): void {
    // Dataset folders are not watched: 10,000 of them would cost 90 MB (facts/engine.md 5).
    const paths = [layout.requests(root), layout.watch(root), layout.config(root)]
    const wanted = new Set(paths.map(path => resolve(path).replaceAll('\\', '/')))
    const made = watch(paths, {
      // A directory tells of its files; a watch on each of them besides tells nothing more and costs 10 kB. It would have to be polled,
      // though, and where config.json is not there chokidar would watch all of DATA for it: the loop's look finds it.
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
    // `raw` comes before chokidar has looked, and is all that there is of files that it ignores.
    made.on(options.poll ? 'all' : 'raw', () => hint())
    // ENOSPC and EMFILE of inotify come here; without a listener the process would die.
    made.on('error', error => {
      if (complained) return
      complained = true
      log(
        'rucio_downloader',
        `file events do not work here (${String(error)}); directories are looked at every 30 s`,
      )
    })
    watcher = made
  }

  function hint(): void {
    if (isClosed) return
    options.onHint()
    if (options.poll) return
    const now = performance.now()
    if (now - spell.from > spellMs) spell = { from: now, events: 0 }
    spell.events += 1
    if (spell.events < floodEvents || rest !== undefined) return
    letGo()
    rest = setTimeout(() => {
      rest = undefined
      spell = { from: Number.NEGATIVE_INFINITY, events: 0 }
      start()
      options.onHint()
    }, options.restMs ?? restMs)
  }

  function letGo(): void {
    const old = watcher
    watcher = undefined
    old?.close().catch(error => log('rucio_downloader', `a watcher did not close: ${String(error)}`))
  }

  return {
    renew() {
      clearTimeout(rest)
      rest = undefined
      letGo()
      start()
    },
    async close() {
      isClosed = true
      clearTimeout(rest)
      await watcher?.close()
    },
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
