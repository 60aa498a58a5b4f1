// What comes next for a dataset whose files Rucio shall move to a site: its rule made, looked at, renewed or ended, its files found
// under the mount. Every rule of policy about rules is here; nothing is asked or done.

import type { RuleWanted } from '../words/destination.ts'
import type { Failure } from '../words/reason.ts'
import { isGood, type RuleRecord, type RuleStep } from '../words/rule.ts'
import { fromIso } from '../words/world.ts'
import type { Waiting } from './action.ts'

export type RuleSeen = {
  /** undefined: it shall lie on this disk, or nowhere; a rule that was made for it is ended */
  readonly wanted: RuleWanted | undefined
  readonly record: RuleRecord | undefined
  /** places.jsonl is there and fits the listing, the RSE and the mount */
  readonly placed: boolean
  /** the last look under the mount */
  readonly sight: Sight | undefined
  readonly times: RuleTimes
}

export type Sight = {
  readonly at: number
  /** since when it has been as it is now */
  readonly since: number
  readonly seen: number
  readonly total: number
  /** why not all are seen; undefined = they are */
  readonly failure: Pick<Failure, 'reason' | 'message'> | undefined
}

export type RuleTimes = {
  /** between two looks at a rule, or under a mount, that has just changed */
  readonly leastMs: number
  /** at a rule that has not changed for long */
  readonly mostMs: number
  /** at a rule that is OK, with all its files seen */
  readonly goodMs: number
  /** at one that has passed its end, and under a mount where files are missed for long */
  readonly endMs: number
}

/** A central server is shared by thousands, and a transfer of a dataset takes hours. */
export const ruleTimes: RuleTimes = {
  leastMs: 30_000,
  mostMs: 900_000,
  goodMs: 6 * 3_600_000,
  endMs: 300_000,
}

export type RuleTurn = {
  readonly step: RuleStep | undefined
  readonly waiting: Waiting | undefined
  /** ms since 1970 when something is due next; Infinity = nothing is before a change */
  readonly wakeAt: number
}

const dayMs = 24 * 3_600_000
/** The longest that a step which failed waits (retryAt): what is stored further away was stored under another clock. */
const longestMs = 3_600_000

/** @param now ms since 1970 */
export function ruleTurn(seen: RuleSeen, now: number): RuleTurn {
  const { wanted, record } = seen
  if (record === undefined) return turn(wanted === undefined ? undefined : 'make')
  const tryAt = fromIso(record.next_try) ?? 0
  const isDue = tryAt <= now || tryAt - now > longestMs
  /** A step that asks Rucio waits after its own failure: a removal does not wait for what Rucio refused to make. */
  const ask = (step: RuleStep): RuleTurn =>
    isDue || record.failed_step !== step ? turn(step) : { ...turn(undefined), wakeAt: tryAt }
  const waiting = waitingOf(seen)
  const next = ((): RuleTurn => {
    // The rule at another RSE goes first: its record is the only one that there is.
    if (wanted === undefined || record.rse !== wanted.rse) return ask('end')
    if (record.id === null) return ask('make')
    const lookAt = lookDueAt(seen, record, now)
    if (lookAt <= now) return ask('look')
    const renewAt = renewDueAt(record)
    if (renewAt <= now) return ask('renew')
    const wakeAt = Math.min(lookAt, renewAt)
    if (!isGood(record, now) || wanted.mount === null) return { ...turn(undefined), wakeAt }
    if (!seen.placed) return earlier(ask('place'), wakeAt)
    const seeAt = seeDueAt(seen, now)
    return seeAt <= now ? turn('see') : { ...turn(undefined), wakeAt: Math.min(wakeAt, seeAt) }
  })()
  return { ...next, waiting }
}

function turn(step: RuleStep | undefined): RuleTurn {
  return { step, waiting: undefined, wakeAt: Number.POSITIVE_INFINITY }
}

function earlier(one: RuleTurn, wakeAt: number): RuleTurn {
  return { ...one, wakeAt: Math.min(one.wakeAt, wakeAt) }
}

/** The longer nothing has changed, the rarer it is looked at. */
function lookDueAt({ sight, times }: RuleSeen, record: RuleRecord, now: number): number {
  const looked = fromIso(record.looked_at)
  // A look that lies in the future was made under another clock.
  if (looked === undefined || looked > now + times.leastMs) return 0
  const end = fromIso(record.expires_at) ?? Number.POSITIVE_INFINITY
  if (end <= now) return looked + times.endMs
  const changed = Math.min(looked, fromIso(record.changed_at) ?? looked)
  const isQuiet = record.state === 'OK' && sight?.failure === undefined
  const usual = looked + (isQuiet ? times.goodMs : spell(looked - changed, times.leastMs, times.mostMs))
  return Math.min(usual, Math.max(end, looked + times.endMs))
}

/** When half of what the server has granted is over. One that may not be renewed is asked about once a day: policies change. */
function renewDueAt(record: RuleRecord): number {
  const end = fromIso(record.expires_at)
  if (end === undefined) return Number.POSITIVE_INFINITY
  const refused = fromIso(record.renewal_refused_at)
  const renewed = fromIso(record.renewed_at)
  // A server may grant less than was asked for (a scratch disk does): half of that, then, or it would be renewed over and over.
  const granted = renewed === undefined || renewed >= end ? Number.POSITIVE_INFINITY : end - renewed
  const half = Math.min(record.lifetime_days * dayMs, granted) / 2
  return Math.max(end - half, refused === undefined ? 0 : refused + dayMs)
}

function seeDueAt({ sight, times }: RuleSeen, now: number): number {
  if (sight === undefined || sight.at > now) return 0
  if (sight.failure === undefined) return sight.at + times.goodMs
  return sight.at + spell(sight.at - sight.since, times.leastMs, times.endMs)
}

function spell(unchangedMs: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, unchangedMs / 4))
}

/** Why it does not go on, for people; undefined while all goes its way. */
function waitingOf({ wanted, record, sight, placed }: RuleSeen): Waiting | undefined {
  if (record === undefined) return undefined
  const { failure, rse, id } = record
  if (failure !== null) return { reason: failure.reason, detail: '', message: failure.message }
  if (wanted === undefined || record.rse !== wanted.rse || id === null) return undefined
  const { ok, replicating, stuck } = record.locks
  switch (record.state) {
    case null:
    case 'REPLICATING':
    case 'INJECT':
      return undefined
    case 'STUCK': {
      const why = record.error === null ? '' : ` Rucio says: ${endless(record.error)}.`
      return says(
        'stalled',
        `Rule ${id} at ${rse} is stuck: ${stuck} of ${ok + replicating + stuck} files could not be moved.${why} Rucio tries again by itself; when it stays so, ask the site, with the rule's id.`,
      )
    }
    case 'SUSPENDED':
      return says(
        'refused',
        `Rule ${id} at ${rse} is suspended: Rucio has given it up, or somebody has stopped it. Ask the site, with the rule's id; work goes on by itself once it is released.`,
      )
    case 'WAITING_APPROVAL':
      return says(
        'stalled',
        `Rule ${id} waits for the approval of those who run ${rse}. Work goes on by itself once they give it.`,
      )
    case 'OK':
      if (wanted.mount === null)
        return says(
          'unsupported',
          `Rucio has it at ${rse}, and nobody has said where that storage is mounted here. Write "mount" into "destination" of the request or of config.json.`,
        )
      return placed && sight?.failure !== undefined
        ? { reason: sight.failure.reason, detail: '', message: sight.failure.message }
        : undefined
  }
}

function says(reason: Waiting['reason'], message: string): Waiting {
  return { reason, detail: '', message }
}

function endless(text: string): string {
  return text.replace(/[.\s]+$/, '')
}

/** When a step that was refused is tried again: what only people can mend is asked for ever more rarely.
 *  @param tries failures in a row, this one included; at least 1
 *  @returns ms since 1970: half to all of 1 min, 2 min, 4 min, … and never over an hour after `now` */
export function retryAt(now: number, tries: number, chance: number): number {
  const wholeMs = Math.min(longestMs, 60_000 * 2 ** Math.min(30, Math.max(0, tries - 1)))
  return Math.round(now + wholeMs * (0.5 + chance / 2))
}
