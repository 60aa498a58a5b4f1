// A sidecar after a try: tries, next_try, strikes, and whether the try counts. Pure; never writes it.

import type { Sidecar } from '../words/part.ts'
import { type Failure, type Reason, sentence, type Trouble } from '../words/reason.ts'
import { toIso } from '../words/world.ts'
import { nextTryAt } from './backoff.ts'

// Not the file's fault, and not mended by trying it less often: the try is not counted, and comes again after so many ms.
const free: Partial<Record<Reason, number>> = {
  auth: 60_000,
  offline: 30_000,
  disk_full: 60_000,
  read_only: 60_000,
}

// Of several failures of one try the first of these is told: what a person can mend, then what mends itself, then the rest.
const telling: readonly Reason[] = [
  'bug',
  'disk_full',
  'read_only',
  'disk_error',
  'offline',
  'auth',
  'corrupt',
  'host_down',
  'stalled',
  'refused',
  'no_replica',
]

export type Missed = {
  readonly failure: Failure
  readonly nextTryAt: number
  readonly costs: boolean
  readonly sidecar: Sidecar
}

/** @param troubles what went wrong in this try, in order; at least one
 *  @param progressed bytes came: the count of failures in a row begins anew
 *  @param restUntil first end of a rest when every replica that is left lies behind a host at rest, ms since 1970 */
export function afterFailure(
  sidecar: Sidecar,
  seen: {
    readonly troubles: readonly [Trouble, ...Trouble[]]
    readonly progressed: boolean
    readonly restUntil: number | undefined
    readonly now: number
    readonly chance: number
  },
): Missed {
  const { troubles, progressed, restUntil, now, chance } = seen
  const [first] = troubles
  const told = telling.map(reason => troubles.findLast(each => each.reason === reason)).find(Boolean) ?? first
  const failure: Failure = {
    reason: told.reason,
    message: sentence(told.reason, told.detail),
    at: toIso(now),
  }
  const freeMs = free[told.reason]
  const costs = freeMs === undefined && restUntil === undefined && !progressed
  const tries = costs ? sidecar.tries + 1 : progressed ? 0 : sidecar.tries
  const again =
    freeMs !== undefined ? now + freeMs : (restUntil ?? nextTryAt(now, Math.max(1, tries), chance))
  return {
    failure,
    nextTryAt: again,
    costs,
    sidecar: { ...sidecar, tries, next_try: toIso(again), error: failure },
  }
}

/** One more strike for an RSE whose bytes or answers were wrong. */
export function afterStrike(sidecar: Sidecar, rse: string, now: number): Sidecar {
  const before = sidecar.strikes.find(each => each.rse === rse)?.count ?? 0
  const others = sidecar.strikes.filter(each => each.rse !== rse)
  return { ...sidecar, strikes: [...others, { rse, count: before + 1, at: toIso(now) }] }
}
