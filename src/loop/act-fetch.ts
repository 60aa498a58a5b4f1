// Files of a dataset in work: what lies there is adopted, what is missing is fetched. One lane runs one call of these.

import type { Action } from '../decide/action.ts'
import { adopt } from '../disk/adopt.ts'
import { layout } from '../disk/layout.ts'
import { putText } from '../disk/put.ts'
import type { Config } from '../words/config.ts'
import type { ListingLine } from '../words/listing.ts'
import { Trouble, toFailure, toTrouble } from '../words/reason.ts'
import { type FileWork, giveBack, settle, take, unfinished, type Work } from './at-hand.ts'
import type { Daemon } from './daemon.ts'
import { incompleteText } from './incomplete.ts'

type Fetch = Extract<Action, { kind: 'fetch' }>

const notedEveryMs = 10_000

/** @param ending true when the lane shall end after the file that it is at */
export async function actFetch(
  daemon: Daemon,
  action: Fetch,
  config: Config,
  ending: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const work = daemon.works.get(action.name)
  if (work === undefined) return
  const files = action.paths.flatMap(path => work.files.get(path) ?? []).filter(file => !file.busy)
  for (const file of files) take(work, file)
  let next = 0
  /** the file before, whose bytes have come: the disk syncs them while the line brings the next ones */
  let finishing = Promise.resolve()
  try {
    for (const file of files) {
      if (signal.aborted || ending() || daemon.catalogue.seen().until > daemon.world.now()) break
      // Its folder was deleted meanwhile: one complaint is enough.
      if (daemon.works.get(action.name) !== work) break
      // After a sync that failed the loop gives this work up, and opens another.
      work.log.mustTake()
      next += 1
      const before = finishing
      await new Promise<void>(brought => {
        finishing = fetchOne(
          daemon,
          work,
          file,
          { config, next: remaining(work, files, next), brought },
          signal,
        )
        finishing.then(brought, brought)
      })
      await before
      await note(daemon, work)
    }
    await finishing
  } finally {
    // Whatever ended the loop: none of its files is at work when this ends.
    await Promise.allSettled([finishing])
    for (const file of files) if (file.busy) giveBack(work, file, 0, file.failure)
  }
}

async function fetchOne(
  daemon: Daemon,
  work: Work,
  file: FileWork,
  {
    config,
    next,
    brought,
  }: { readonly config: Config; readonly next: () => Iterable<string>; readonly brought: () => void },
  signal: AbortSignal,
): Promise<void> {
  const { line } = file
  const now = daemon.world.now()
  let replicas: Awaited<ReturnType<Daemon['replicas']['of']>>
  try {
    replicas = await daemon.replicas.of(line.did, next, signal)
    daemon.catalogue.worked()
  } catch (error) {
    if (signal.aborted) return
    const trouble = toTrouble(error)
    if (daemon.catalogue.failed(trouble)) return
    daemon.log('rucio_downloader', `replicas of ${line.did}: ${trouble.message}`)
    giveBack(work, file, now + 60_000, toFailure(trouble, now))
    return
  }
  const result = await daemon.transfer.fetchFile(
    {
      name: work.name,
      line,
      replicas,
      log: work.log,
      config,
      onBrought: brought,
      replicasOf: (did, signal) => daemon.replicas.of(did, () => [], signal),
      unfinished: () => unfinished(work),
    },
    signal,
  )
  switch (result.kind) {
    case 'finished':
      settle(work, { number: file.number, path: line.path }, error =>
        daemon.log('rucio_downloader', `sync of ${work.name}: ${String(error)}`),
      )
      daemon.changed(work.name)
      return
    case 'failed':
      daemon.replicas.forget(line.did)
      giveBack(work, file, result.nextTryAt, result.failure)
      if (result.named === true) work.toAdopt.set(file.number)
      daemon.log('rucio_downloader', `${line.did}: ${result.failure.reason}: ${result.failure.message}`)
      daemon.changed(work.name)
      return
    case 'stopped':
      return
  }
}

/** DIDs that this lane, then any lane, will want next. */
function remaining(work: Work, files: readonly FileWork[], from: number): () => Iterable<string> {
  return function* () {
    for (let i = from; i < files.length; i++) {
      const file = files[i]
      if (file !== undefined) yield file.line.did
    }
    for (const file of work.fresh) yield file.line.did
  }
}

export async function actAdopt(daemon: Daemon, name: string, signal: AbortSignal): Promise<void> {
  const work = daemon.works.get(name)
  if (work === undefined) return
  let adopted = 0
  let number = 0
  for await (const lines of work.listing.lines())
    for (const line of lines) {
      if (signal.aborted) return
      const file = { number: number++, path: line.path }
      if (work.toAdopt.has(file.number) && (await adoptOne(daemon, work, line, file, signal))) adopted += 1
    }
  if (adopted > 0) daemon.log('rucio_downloader', `${name}: ${adopted} files were there already`)
  // Its folder was deleted meanwhile, and with it goes this work.
  if (work.toAdopt.count > 0 && daemon.works.get(name) === work)
    throw new Trouble('disk_error', `the listing of ${name} was changed while it was read`)
}

/** @returns whether its bytes were there */
async function adoptOne(
  daemon: Daemon,
  work: Work,
  listed: ListingLine,
  file: { readonly number: number; readonly path: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { name } = work
  const line = await adopt({
    root: daemon.root,
    name,
    bareName: work.did.name,
    line: listed,
    before: work.log.lines.get(file.path),
    world: daemon.world,
    signal,
  })
  if (line === undefined) {
    work.toAdopt.clear(file.number)
    return false
  }
  // Until its line is written it is still one that must not be fetched: a full disk may refuse the line.
  await work.log.append(line)
  settle(work, file, error => daemon.log('rucio_downloader', `sync of ${name}: ${String(error)}`))
  await note(daemon, work)
  return true
}

/** INCOMPLETE.txt says how far it is, now and then. That it cannot be brought up to date ends nothing: the next file will tell of a disk
 *  that is full, and of a folder that a person deleted.
 *  @throws Fenced */
export async function note(daemon: Daemon, work: Work): Promise<void> {
  const done = work.head.length - work.left.count
  const now = daemon.world.now()
  if (work.left.count === 0 || done === work.noted || now - work.notedAt < notedEveryMs) return
  work.noted = done
  work.notedAt = now
  const path = layout.incomplete(daemon.root, work.name)
  try {
    await putText(daemon.root, path, incompleteText(done, work.head.length))
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    daemon.log('rucio_downloader', `INCOMPLETE.txt of ${work.name}: ${error.message}`)
  }
}
