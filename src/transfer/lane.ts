// One connection of a file: takes the next stretch, asks a replica for it, and bears what goes wrong. Never starts another lane.

import { afterStrike } from '../decide/outcome.ts'
import { gapsOf, nextSpan, splitClaim } from '../decide/ranges.ts'
import { type Engine, engineOf, replicaKey, wireScheme } from '../decide/replicas.ts'
import type { Identity } from '../outside/request.ts'
import type { Range } from '../words/part.ts'
import { hostPort } from '../words/pfn.ts'
import type { Span } from '../words/ranges.ts'
import { Trouble } from '../words/reason.ts'
import type { Replica } from '../words/replica.ts'
import { type Claim, Filler } from './filler.ts'
import { fetchRange, placeOf, type RangeAsk } from './https.ts'
import { Pace } from './limits.ts'
import { Miss } from './miss.ts'
import { fetchRaw } from './raw.ts'
import { RawLine } from './raw-line.ts'
import { choose, type Try } from './try.ts'

// A line that drops is gone on with at once while it brings something; so often in a row so little is no way to bring a file.
const mostMeagre = 10
const meagreBytes = 64 * 1024

/** The lanes of one file, and how many there may be. */
export type Crew = {
  readonly of: Try
  /** the replicas of this engine are asked */
  readonly engine: Engine
  readonly signal: AbortSignal
  readonly lanes: Set<Lane>
  most: number
  /** several connections: each takes a piece at a time */
  inPieces: boolean
  /** called after each write: a checkpoint may be due */
  readonly written: () => void
}

export type Lane = {
  claim: Claim | undefined
  /** asked last, and to be asked again: all went well, or only the line was cut */
  replica: Replica | undefined
  /** its connection, where it has one of our own */
  line: RawLine
}

/** Runs until there is nothing for it to bring, or nobody to ask.
 *  @throws what is our own fault: disk, no network, Fenced, a bug; the reason of `crew.signal` */
export async function runLane(crew: Crew): Promise<void> {
  const lane: Lane = { claim: undefined, replica: undefined, line: new RawLine() }
  crew.lanes.add(lane)
  try {
    let pace = new Pace(crew.of.means.limits)
    let meagre = 0
    for (;;) {
      crew.signal.throwIfAborted()
      lane.claim = nextClaim(crew, lane)
      if (lane.claim === undefined) return
      const before = lane.replica
      const replica = pick(crew, lane)
      if (replica === undefined) return
      if (replica !== before) {
        pace = new Pace(crew.of.means.limits)
        meagre = 0
      }
      lane.replica = replica
      const miss = await bring(crew, lane, lane.claim, replica, pace)
      const came = lane.claim.at - lane.claim.from
      meagre = miss !== undefined && came < meagreBytes ? meagre + 1 : 0
      if (miss === undefined) continue
      if (!goesOn(crew, lane, replica, judged(miss, came, meagre, replica))) return
    }
  } finally {
    crew.of.means.lines.give(lane.line)
    crew.lanes.delete(lane)
  }
}

/** Asks for the claim. What has come is written when this resolves, whatever happened. */
async function bring(
  crew: Crew,
  lane: Lane,
  claim: Claim,
  replica: Replica,
  pace: Pace,
): Promise<Miss | undefined> {
  const { of } = crew
  const { means, part } = of
  const target = {
    async write(bytes: Uint8Array, ranges: readonly Range[]) {
      await part.write(bytes, ranges)
      crew.written()
    },
  }
  const filler = new Filler(claim, replica.rse, target, bytes => {
    of.came += bytes
  })
  const begunAt = performance.now()
  try {
    of.source = replica
    await fetchBy(crew, lane, { claim, replica, pace, filler })
  } catch (error) {
    if (!(error instanceof Miss)) throw error
    if (error.blame === 'us') throw error.trouble
    // A program shows what it finds; that of an engine of ours is known (fetchBy).
    if (crew.engine !== 'https' && error.trouble.reason === 'auth')
      return new Miss('credential', error.trouble)
    return error.denied && error.trouble.reason === 'refused'
      ? explainDenied(error, await means.identity())
      : error
  } finally {
    await filler.end()
  }
  means.hosts.good(hostPort(replica.pfn), claim.at - claim.from, performance.now() - begunAt)
  return undefined
}

async function fetchBy(
  crew: Crew,
  lane: Lane,
  {
    claim,
    replica,
    pace,
    filler,
  }: {
    readonly claim: Claim
    readonly replica: Replica
    readonly pace: Pace
    readonly filler: Filler
  },
): Promise<void> {
  const { of, signal, engine } = crew
  const { means, file, plainData } = of
  const { limits, now } = means
  if (engine === 'archive') return await of.extract(replica, filler, signal)
  if (engine !== 'https') {
    const ask = { replica, file, plainData, limits, pace }
    return await means.programs[engine].bring(ask, filler, signal)
  }
  const [identity, token] = await Promise.all([means.identity(), means.token()])
  const onWhole = (): void => takeWhole(crew, claim)
  const ask = { replica, bytes: file.bytes, identity, token, plainData, limits, pace, now, onWhole }
  try {
    await fetchBestWay(of, lane, ask, { filler, signal })
  } catch (error) {
    throw error instanceof Miss ? ofCredential(error, identity, token) : error
  }
}

/** What was refused for the credential: the one that was shown, or one that is configured and cannot be shown now. Without any, a refusal
 *  speaks of that one file. */
function ofCredential(miss: Miss, identity: Identity, token: string | undefined): Miss {
  const { trouble } = miss
  if (miss.denied && identity.lacksCertificate === true)
    return new Miss(
      'credential',
      new Trouble('auth', `${trouble.detail}, and our certificate cannot be shown`),
    )
  const shown = identity.hasCertificate || identity.lacksCertificate === true || token !== undefined
  return trouble.reason === 'auth' && shown ? new Miss('credential', trouble) : miss
}

/** Who asks was understood, and may not read: a storage of a VO may want a group or a role that the proxy does not name. */
function explainDenied(miss: Miss, { attributes }: Identity): Miss {
  if (attributes === undefined) return miss
  const names = attributes.length === 0 ? 'no VO' : attributes.slice(0, 3).join(', ')
  const more = attributes.length > 3 ? ' and more' : ''
  const detail = `${miss.trouble.detail}; our proxy names ${names}${more}: is there a group or role that may read it? GRID_VOMS asks for one`
  return new Miss(miss.blame, new Trouble('refused', detail), miss.askedMs, miss.denied)
}

/** Over a connection of our own where it pays and the storage answers plainly; else over node:https. */
async function fetchBestWay(
  of: Try,
  lane: Lane,
  ask: RangeAsk,
  { filler, signal }: { readonly filler: Filler; readonly signal: AbortSignal },
): Promise<void> {
  const { lines } = of.means
  const { pfn } = ask.replica
  if (wireScheme(pfn.scheme) === 'https' && lines.answersPlainly(pfn)) {
    lane.line = lines.to(pfn, ask.identity.secureContext, lane.line)
    if ((await fetchRaw(ask, lane.line, filler, signal)) === 'done') return
    lines.noteStrange(pfn)
  }
  await fetchRange(ask, filler, signal)
}

/** A cut says nothing against a host, unless nothing comes between the cuts. */
function judged(miss: Miss, came: number, meagre: number, replica: Replica): Miss {
  if (miss.blame !== 'line') return miss
  if (came === 0) return new Miss('host', miss.trouble)
  if (meagre < mostMeagre) return miss
  return new Miss(
    'host',
    new Trouble('stalled', `${placeOf(replica)} cuts every connection after a few bytes`),
  )
}

/** What follows of a miss, for this try and for the host. @returns false = this lane ends */
function goesOn(crew: Crew, lane: Lane, replica: Replica, miss: Miss): boolean {
  const { of, lanes } = crew
  if (miss.blame === 'line') return true
  lane.replica = undefined
  of.means.tell(`${of.file.did}: ${miss.trouble.detail}`)
  if (miss.blame === 'host') {
    // A storage that serves one connection well and refuses the second only has enough of us.
    const servedWell = [...lanes].some(
      each =>
        each !== lane &&
        each.replica !== undefined &&
        hostPort(each.replica.pfn) === hostPort(replica.pfn) &&
        (each.claim?.at ?? 0) > (each.claim?.from ?? 0),
    )
    if (servedWell) {
      crew.most = Math.max(1, lanes.size - 1)
      return false
    }
    of.means.hosts.failed(hostPort(replica.pfn), miss.askedMs)
  } else {
    of.excluded.add(replicaKey(replica))
    // The next file would be refused as well: nobody is asked a thousand times with what he does not take.
    if (miss.blame === 'credential') of.means.hosts.refusedUs(hostPort(replica.pfn), miss.trouble.detail)
    if (miss.blame === 'strike') of.part.note(sidecar => afterStrike(sidecar, replica.rse, of.means.now()))
  }
  of.troubles.push(miss.trouble)
  return true
}

function nextClaim(crew: Crew, lane: Lane): Claim | undefined {
  const { of, inPieces } = crew
  const others = claimsBut(crew, lane)
  const have = of.part.ranges
  const span = nextSpan({ have, claimed: others, bytes: of.file.bytes, inPieces })
  if (span !== undefined) return { from: span.from, at: span.from, to: span.to }
  if (!inPieces) return undefined
  const split = splitClaim(others.map(({ at, to }) => ({ from: at, to })))
  const victim = split === undefined ? undefined : others[split.index]
  if (split === undefined || victim === undefined) return undefined
  const claim = { from: split.at, at: split.at, to: victim.to }
  victim.to = split.at
  return claim
}

/** Sticks to the replica that went well; else the best one that the fewest lanes use. */
function pick(crew: Crew, lane: Lane): Replica | undefined {
  const { of } = crew
  if (lane.replica !== undefined && !of.excluded.has(replicaKey(lane.replica))) return lane.replica
  const choice = choose(of)
  if (choice.kind !== 'usable') return undefined
  const replicas = choice.replicas.filter(each => engineOf(each, of.by) === crew.engine)
  const inUse = [...crew.lanes].flatMap(each =>
    each === lane || each.replica === undefined ? [] : [replicaKey(each.replica)],
  )
  if (of.alone) return replicas.find(each => inUse.includes(replicaKey(each))) ?? replicas[0]
  const uses = (replica: Replica) => inUse.filter(each => each === replicaKey(replica)).length
  // The sort is stable: where the uses are equal the order of choice holds.
  return replicas.sort((a, b) => uses(a) - uses(b))[0]
}

/** The storage sends the whole file whatever is asked for: one connection takes of it what it can, to the end of the gap. */
function takeWhole(crew: Crew, claim: Claim): void {
  crew.most = 1
  crew.inPieces = false
  const others = [...crew.lanes].flatMap(each =>
    each.claim === undefined || each.claim === claim ? [] : [each.claim],
  )
  const taken: Span[] = [...crew.of.part.ranges, ...others]
  const gap = gapsOf(taken, crew.of.file.bytes).find(each => each.from <= claim.at && claim.at < each.to)
  claim.to = gap?.to ?? claim.to
}

function claimsBut(crew: Crew, lane: Lane): Claim[] {
  return [...crew.lanes].flatMap(each => (each === lane || each.claim === undefined ? [] : [each.claim]))
}
