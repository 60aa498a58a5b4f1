// Datasets in work: what was read of them, brought up to date by what act wrote. Losing it costs one more look at the disk.

import { setImmediate as breathe } from 'node:timers/promises'
import { dueAt } from '../decide/backoff.ts'
import type { FileReady, ListingSeen } from '../decide/observation.ts'
import { layout, type Root } from '../disk/layout.ts'
import { readListing, VerifiedLog } from '../disk/lines.ts'
import { prove } from '../disk/proof.ts'
import { names, readRecord } from '../disk/read.ts'
import type { Did } from '../words/did.ts'
import type { ListingHead, ListingLine } from '../words/listing.ts'
import { readSidecar, type Sidecar } from '../words/part.ts'
import type { Failure } from '../words/reason.ts'
import { fromIso } from '../words/world.ts'

/** A file of a dataset in work that is not verified yet. */
export type FileWork = {
  readonly line: ListingLine
  /** bytes still to be written */
  bytes: number
  nextTryAt: number
  busy: boolean
  failure: Failure | undefined
}

export type Work = {
  readonly name: string
  readonly did: Did
  readonly head: ListingHead
  readonly log: VerifiedLog
  /** path -> file, unverified ones only, in the listing's order */
  readonly files: Map<string, FileWork>
  /** paths to be read before anything is fetched */
  readonly toAdopt: Set<string>
  /** never tried in this process, in order; entries that are done or busy are passed over */
  readonly fresh: (FileWork | undefined)[]
  freshFrom: number
  /** tried and failed, or given back */
  readonly later: Set<FileWork>
  refreshAfter: number
  /** what INCOMPLETE.txt says and when it was written */
  noted: number
  notedAt: number
  syncTimer: NodeJS.Timeout | undefined
}

export type Works = ReadonlyMap<string, Work> & {
  load(name: string, did: Did): Promise<Work | undefined>
  unload(name: string): Promise<void>
  unloadAll(): Promise<void>
}

/** Lines of verified.jsonl and the directory are durable at the latest so long after a file got its name (DESIGN.md rule 4). */
const syncMs = 1000

export function openWorks(root: Root): Works {
  const works = new Map<string, Work>()
  return Object.assign(works, {
    async load(name: string, did: Did): Promise<Work | undefined> {
      await unload(works, name)
      const work = await loadWork(root, name, did)
      if (work !== undefined) works.set(name, work)
      return work
    },
    unload: (name: string) => unload(works, name),
    async unloadAll(): Promise<void> {
      for (const name of [...works.keys()]) await unload(works, name)
    },
  })
}

async function unload(works: Map<string, Work>, name: string): Promise<void> {
  const work = works.get(name)
  if (work === undefined) return
  works.delete(name)
  clearTimeout(work.syncTimer)
  await work.log.close()
}

async function loadWork(root: Root, name: string, did: Did): Promise<Work | undefined> {
  const proof = await prove(root, name)
  if (proof.kind === 'unlisted') return undefined
  const { harm, lines } = proof.kind === 'harmed' ? proof : { harm: [], lines: [] }
  const sidecars = await readSidecars(root, name)
  const elsewhere = lines.length > 0 && (await mayLieElsewhere(root, name, did))
  const work: Omit<Work, 'log'> = {
    name,
    did,
    head: proof.head,
    files: new Map(),
    toAdopt: new Set(),
    fresh: [],
    freshFrom: 0,
    later: new Set(),
    refreshAfter: 0,
    noted: -1,
    notedAt: 0,
    syncTimer: undefined,
  }
  for (const [index, line] of lines.entries()) {
    // 200,000 at one go held everything else up for half a second.
    if (index % 5000 === 4999) await breathe()
    const sidecar = sidecars.get(line.path)
    const file = fileWork(line, sidecar)
    work.files.set(line.path, file)
    if (file.nextTryAt > 0) work.later.add(file)
    else work.fresh.push(file)
    const kind = harm[index]?.kind
    // Right size and another mtime, or no line: it is read, not fetched. Something may lie under another name, too.
    if (kind === 'mtime' || kind === 'unproved' || (elsewhere && kind === 'absent'))
      work.toAdopt.add(line.path)
  }
  // At last, so that whatever fails before it leaves no open file behind.
  return { ...work, log: await VerifiedLog.open(root, name, work.toAdopt) }
}

function fileWork(line: ListingLine, sidecar: Sidecar | undefined): FileWork {
  const ours = sidecar !== undefined && sidecar.did === line.did && sidecar.bytes === line.bytes
  const here = ours ? sidecar.ranges.reduce((sum, each) => sum + each.to - each.from, 0) : 0
  const nextTryAt = ours && sidecar.next_try !== null ? (fromIso(sidecar.next_try) ?? 0) : 0
  return {
    line,
    bytes: line.bytes - here,
    nextTryAt,
    busy: false,
    failure: ours ? (sidecar.error ?? undefined) : undefined,
  }
}

async function readSidecars(root: Root, name: string): Promise<ReadonlyMap<string, Sidecar>> {
  const found = new Map<string, Sidecar>()
  for (const file of await names(layout.parts(root, name))) {
    if (!file.endsWith('.json')) continue
    const path = file.slice(0, -'.json'.length)
    const sidecar = await readRecord(root, layout.sidecar(root, name, path), readSidecar)
    if (sidecar !== undefined) found.set(path, sidecar)
  }
  return found
}

/** Is there a folder of the bare name, or a file in NAME/ that the listing does not name? Only then is every absent file looked for. */
async function mayLieElsewhere(root: Root, name: string, did: Did): Promise<boolean> {
  // Those that are there, less those that are listed: a listing is longer than a folder that has just been begun.
  const strangers = new Set(
    (await names(layout.dataset(root, name))).filter(each => each !== '.rucio' && each !== 'INCOMPLETE.txt'),
  )
  if (strangers.size > 0)
    await readListing(root, layout.listing(root, name), line => {
      strangers.delete(line.path)
    })
  if (strangers.size > 0) return true
  const [bare = ''] = did.name.replace(/^\//, '').split('/')
  // `rucio download` lays a file that was asked for by itself into a folder of its scope.
  for (const folder of [bare, did.scope])
    if (folder !== name && (await names(layout.dataset(root, folder))).length > 0) return true
  return false
}

/** The next files that may be fetched now, the ones that failed before first. */
export function readyFiles(
  work: Work,
  now: number,
  most: number,
): { readonly ready: FileReady[]; readonly count: number; readonly nextTryAt: number | null } {
  const ready: FileReady[] = []
  let count = 0
  let nextTryAt: number | null = null
  for (const file of work.later) {
    if (file.busy || !work.files.has(file.line.path)) continue
    const due = dueAt(file.nextTryAt, now)
    if (due > now) {
      nextTryAt = Math.min(nextTryAt ?? due, due)
      continue
    }
    count += 1
    if (ready.length < most) ready.push({ path: file.line.path, bytes: file.bytes })
  }
  while (work.freshFrom < work.fresh.length && isTaken(work, work.fresh[work.freshFrom])) {
    work.fresh[work.freshFrom] = undefined
    work.freshFrom += 1
  }
  for (let i = work.freshFrom; i < work.fresh.length && ready.length < most; i++) {
    const file = work.fresh[i]
    if (file === undefined || isTaken(work, file)) continue
    ready.push({ path: file.line.path, bytes: file.bytes })
  }
  // Those behind the pointer are taken or done, or stand in `later`.
  return { ready, count: Math.max(ready.length, count + work.fresh.length - work.freshFrom), nextTryAt }
}

function isTaken(work: Work, file: FileWork | undefined): boolean {
  return file === undefined || file.busy || work.later.has(file) || work.files.get(file.line.path) !== file
}

/** A file is verified and has its name. Its line is synced within a second, with those of its neighbours. */
export function settle(work: Work, path: string, failed: (error: unknown) => void): void {
  const file = work.files.get(path)
  if (file !== undefined) work.later.delete(file)
  work.files.delete(path)
  work.toAdopt.delete(path)
  work.syncTimer ??= setTimeout(() => {
    work.syncTimer = undefined
    work.log.sync().catch(failed)
  }, syncMs)
}

export function giveBack(work: Work, file: FileWork, nextTryAt: number, failure: Failure | undefined): void {
  file.busy = false
  file.nextTryAt = nextTryAt
  file.failure = failure
  if (work.files.get(file.line.path) === file) work.later.add(file)
}

export function listingSeen(work: Work): ListingSeen {
  const { head } = work
  let hopeless = false
  for (const file of work.later)
    if (file.failure?.reason === 'no_replica' || file.failure?.reason === 'corrupt') hopeless = true
  return {
    open: head.open,
    type: head.type,
    fetchedAt: fromIso(head.fetched) ?? 0,
    hopeless,
    refreshAfter: work.refreshAfter,
  }
}

/** Why a dataset waits whose files have all been tried: what stands in the way of the first of them, and of how many. */
export function failureOf(work: Work): { readonly reason: string; readonly message: string } | undefined {
  let first: Failure | undefined
  let count = 0
  for (const file of work.later) {
    if (file.busy || file.failure === undefined) continue
    first ??= file.failure
    count += 1
  }
  if (first === undefined || count < work.files.size) return undefined
  return {
    reason: first.reason,
    message: count === 1 ? first.message : `${count} files wait. The first: ${first.message}`,
  }
}
