// One file from where it stands to its final name: bring, verify, finish, or write down what went wrong. Never picks a replica itself.

import { afterFailure, afterStrike } from '../decide/outcome.ts'
import { gapsOf } from '../decide/ranges.ts'
import { chooseReplicas, type Engine, replicaKey } from '../decide/replicas.ts'
import { finish } from '../disk/finish.ts'
import type { Root } from '../disk/layout.ts'
import type { VerifiedLog } from '../disk/lines.ts'
import { type KnownParts, Part } from '../disk/part.ts'
import { Fenced } from '../disk/put.ts'
import type { Config } from '../words/config.ts'
import type { Finished } from '../words/finished.ts'
import type { ListingLine } from '../words/listing.ts'
import { emptySidecar, type Sidecar } from '../words/part.ts'
import { hostPort } from '../words/pfn.ts'
import { sumOf } from '../words/ranges.ts'
import { type Failure, Trouble, toFailure, toTrouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import type { World } from '../words/world.ts'
import type { Filler } from './filler.ts'
import { bringAll } from './lanes.ts'
import { missingOf } from './program.ts'
import type { Table } from './table.ts'
import { choose, type Means, openTry, type Try } from './try.ts'
import { verify, withSums } from './verify.ts'

export type Job = {
  readonly name: string
  readonly line: ListingLine
  readonly replicas: FileReplicas
  readonly log: VerifiedLog
  readonly config: Config
  /** asks the catalogue for the replicas of another file: of an archive, say. @throws Trouble of the catalogue */
  readonly replicasOf: (did: string, signal: AbortSignal) => Promise<FileReplicas>
  /** DIDs of the dataset's files that are not verified yet, as it stands when it is called */
  readonly unfinished: () => AsyncIterable<string>
  /** called when all bytes have come: the line is free while the disk syncs them and the file gets its name */
  readonly onBrought?: () => void
}

export type Fetched =
  | { readonly kind: 'finished'; readonly bytes: number }
  | {
      readonly kind: 'failed'
      readonly failure: Failure
      readonly nextTryAt: number
      readonly costs: boolean
      /** the file may have its name, and no line: it is to be read before anything is fetched for it */
      readonly named?: true
    }
  | { readonly kind: 'stopped' }

type Failed = Extract<Fetched, { kind: 'failed' }>

export type Place = {
  readonly root: Root
  readonly world: World
  readonly known: KnownParts
  readonly table: Table
  readonly guard: () => Promise<void>
  /** told of each file that got its name; returns at once, and never throws */
  readonly finished: (file: Finished) => void
}

/** Where members of archives come from; archive.ts. */
export type MemberSource = {
  extract(job: Job, replica: Replica, filler: Filler, signal: AbortSignal): Promise<void>
  finished(name: string, did: string): Promise<void>
}

/** The contract is engine.ts' fetchFile(). */
export async function fetchOne(
  place: Place,
  means: Means & { readonly archives: MemberSource },
  job: Job,
  signal: AbortSignal,
): Promise<Fetched> {
  const { root, known, guard } = place
  const { name, config } = job
  const line = withSums(job.line, job.replicas)
  let part: Part | undefined
  let of: Try | undefined
  let gone = false
  const startedAt = means.now()
  let removeRow: () => void = () => {}
  try {
    signal.throwIfAborted()
    const missing = await missingOf(means.programs)
    const until = line.bytes === 0 ? undefined : restOfAll(job, missing, means)
    if (until !== undefined) return atRest(job, until, means)
    part = await Part.open({ root, name, line, known, guard, tell: means.tell }, signal)
    of = openTry({
      means,
      part,
      // The listing's size holds: it is what the whole dataset was counted with.
      file: { ...job.replicas, bytes: line.bytes },
      config,
      by: config.engine,
      missing,
      extract: (replica, filler, signal) => means.archives.extract(job, replica, filler, signal),
    })
    removeRow = place.table.add(name, line.path, lookAt(of))
    for (;;) {
      await bringAll(of, signal)
      if (gapsOf(part.ranges, line.bytes).length > 0) return await failed(of, means)
      job.onBrought?.()
      await part.seal()
      const verdict = await verify(of, { root, name, line }, signal)
      if (verdict.kind === 'right') {
        const { adler32, md5 } = verdict
        gone = true
        await part.close(gone)
        const { log } = job
        await finish({
          root,
          name,
          line,
          adler32,
          ...(md5 === undefined ? {} : { md5 }),
          log,
          world: place.world,
          ino: part.ino,
          hasSidecar: part.hasSidecar,
        })
        tell(of, place, { name, did: line.did, bytes: line.bytes, startedAt })
        await means.archives.finished(name, line.did)
        return { kind: 'finished', bytes: line.bytes }
      }
      await dropSuspect(of, verdict)
    }
  } catch (error) {
    if (error instanceof Fenced) throw error
    const stopped = signal.aborted && error === signal.reason
    if (stopped) return await stop(of, means)
    const trouble = toTrouble(error)
    of?.troubles.push(trouble)
    const outcome = of === undefined ? unopened(line, trouble, means) : await failed(of, means)
    if (trouble.reason === 'bug') throw error
    return gone ? { ...outcome, named: true } : outcome
  } finally {
    removeRow()
    if (!gone) await part?.close()
  }
}

/** Wrong as a whole: what the suspect gave is fetched again, from others. Ends, because each verdict either proves a replica bad, which is
 *  not asked again, or leaves fewer that may have given the bytes. */
export async function dropSuspect(
  of: Try,
  { rse, proven }: { readonly rse: string | undefined; readonly proven: boolean },
): Promise<void> {
  const { part, means, file, excluded } = of
  of.alone = true
  of.wasted = of.came
  const what =
    rse === undefined ? `the bytes of ${file.did} are` : `the bytes that ${rse} gave of ${file.did} are`
  const trouble = new Trouble('corrupt', proven ? `${what} wrong` : `${what} suspected to be wrong`)
  means.tell(trouble.detail)
  if (rse === undefined && part.bytes === 0)
    throw new Trouble(
      'corrupt',
      `the catalogue gives the empty file ${file.did} a checksum that is not that of nothing`,
    )
  part.drop(range => range.rse === rse)
  if (rse === undefined) return await part.record(sidecar => sidecar)
  of.troubles.push(trouble)
  if (proven) for (const each of file.replicas) if (each.rse === rse) excluded.add(replicaKey(each))
  await part.record(sidecar => afterStrike(sidecar, rse, means.now()))
}

/** Writes down what went wrong, with whatever has come. Where even that fails, it is told and the disk stays as it was. */
async function failed(of: Try, means: Means): Promise<Failed> {
  const choice = choose(of)
  const restUntil = choice.kind === 'resting' ? choice.until : undefined
  const [first, ...rest] = of.troubles
  const fallback =
    choice.kind === 'none'
      ? choice.trouble
      : new Trouble('host_down', `every storage that has ${of.file.did} is left alone for a while`)
  const missed = afterFailure(of.part.sidecar, {
    troubles: first === undefined ? [fallback] : [first, ...rest],
    progressed: of.came > of.wasted,
    restUntil,
    now: means.now(),
    chance: means.chance(),
  })
  const { tries, next_try, error } = missed.sidecar
  if (await isPart(of))
    await write(of, means, sidecar => ({ ...sidecar, tries, next_try, error, source: sourceOf(of) }))
  return { kind: 'failed', failure: missed.failure, nextTryAt: missed.nextTryAt, costs: missed.costs }
}

/** Every replica lies behind a host at rest. There may be thousands of such files: nothing is opened or written for them, since the rest
 *  itself is on disk (hosts/). @returns the first end of a rest, ms since 1970 */
function restOfAll(
  { replicas, config }: Job,
  missing: ReadonlyMap<Engine, string>,
  means: Means,
): number | undefined {
  const choice = chooseReplicas({
    file: replicas,
    plainData: config.plain_data,
    by: config.engine,
    missing,
    strikes: [],
    resting: means.hosts.resting(),
    rates: means.hosts.rates(),
    now: means.now(),
  })
  return choice.kind === 'resting' ? choice.until : undefined
}

function atRest({ line, replicas }: Job, nextTryAt: number, means: Means): Failed {
  const refusal = replicas.replicas.map(each => means.hosts.refusalOf(hostPort(each.pfn))).find(Boolean)
  const trouble =
    refusal === undefined
      ? new Trouble('host_down', `every storage that has ${line.did} is left alone for a while`)
      : new Trouble('auth', refusal)
  const failure = toFailure(trouble, means.now())
  return { kind: 'failed', failure, nextTryAt, costs: false }
}

/** Asked to stop: what has come is counted. */
async function stop(of: Try | undefined, means: Means): Promise<Fetched> {
  if (of !== undefined && of.part.unsyncedBytes > 0)
    await write(of, means, sidecar => ({ ...sidecar, source: sourceOf(of) }))
  return { kind: 'stopped' }
}

/** A part that has got its name already takes no sidecar. */
async function isPart(of: Try): Promise<boolean> {
  if (!of.part.isClosed) return true
  try {
    return await of.part.liesThere()
  } catch {
    // The disk does not tell; the record will say why it cannot be written.
    return true
  }
}

async function write(of: Try, means: Means, change: (sidecar: Sidecar) => Sidecar): Promise<void> {
  try {
    await of.part.record(change)
  } catch (error) {
    if (error instanceof Fenced) throw error
    means.tell(`the state of ${of.file.did} could not be written: ${toTrouble(error).message}`)
  }
}

function unopened(line: ListingLine, trouble: Trouble, means: Means): Failed {
  const { failure, nextTryAt, costs } = afterFailure(emptySidecar(line.did, line.bytes), {
    troubles: [trouble],
    progressed: false,
    restUntil: undefined,
    now: means.now(),
    chance: means.chance(),
  })
  return { kind: 'failed', failure, nextTryAt, costs }
}

/** Also of what the official client brought: that sends none of its own (rucio.ts). */
function tell({ source, means }: Try, place: Place, file: Omit<Finished, 'source' | 'endedAt'>): void {
  place.finished({
    ...file,
    source: source === undefined ? undefined : { rse: source.rse, scheme: source.pfn.scheme },
    endedAt: means.now(),
  })
}

function sourceOf({ source, part }: Try): Sidecar['source'] {
  return source === undefined ? part.sidecar.source : { rse: source.rse, host: hostPort(source.pfn) }
}

function lookAt(of: Try) {
  return () => ({
    bytes: sumOf(of.part.ranges),
    came: of.came,
    rse: of.source?.rse ?? null,
    host: of.source === undefined ? null : hostPort(of.source.pfn),
  })
}
