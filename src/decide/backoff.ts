// When again: after a failed try of a file, and how long a host rests. Never looks at a clock, never waits.

import type { HostRecord } from '../words/owner.ts'
import { fromIso, toIso } from '../words/world.ts'

const firstMs = 5_000
/** No rest and no wait is longer: what is stored further away than this (a clock that jumped) counts as now. */
export const longestRestMs = 300_000

/** When a file that has just failed is tried again, or a host is asked again.
 *  @param failures in a row, this one included; at least 1
 *  @param chance in [0, 1): spreads the tries, so that a storage that comes back is not hit by all at once
 *  @returns ms since 1970: half to all of 5 s, 10 s, 20 s, … and never over 5 minutes after `failedAt` */
export function nextTryAt(failedAt: number, failures: number, chance: number): number {
  const wholeMs = Math.min(longestRestMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return Math.round(failedAt + wholeMs * (0.5 + chance / 2))
}

/** Due since long: not 0, which stands for "nothing waits". It must lie before every `now` of the pass, which is read before the disk is:
 *  an end at the very instant of the look would never be reached. */
const longDue = 1

/** When something that waits is due, with a clock that may have been set back since: further away than the longest rest, it is due. */
export function dueAt(at: number, now: number): number {
  return at - now > longestRestMs ? longDue : at
}

export function freshHost(host: string): HostRecord {
  return { format: 1, host, failures: 0, rest_until: null, rate: null }
}

/** ms since 1970 until which a host is left alone; 0 = it is not at rest. */
export function restsUntil(record: HostRecord, now: number): number {
  const until = fromIso(record.rest_until) ?? 0
  return until > now && until - now <= longestRestMs ? until : 0
}

/** A host that did not answer, or answered that it cannot. Failures while it rests already are those of requests that ran side by
 *  side: they say nothing new, so that eight of them do not make eight doublings.
 *  @param askedMs what its Retry-After asked for, in ms; obeyed up to 5 minutes */
export function afterHostFailure(
  record: HostRecord,
  { now, chance, askedMs }: { readonly now: number; readonly chance: number; readonly askedMs?: number },
): HostRecord {
  const resting = restsUntil(record, now)
  const failures = resting > 0 ? record.failures : record.failures + 1
  const own = resting > 0 ? resting : nextTryAt(now, failures, chance)
  const asked = askedMs === undefined ? 0 : now + Math.min(longestRestMs, Math.max(0, askedMs))
  return { ...record, failures, rest_until: toIso(Math.max(own, asked)) }
}

/** A host that gave what it was asked for. Its rate is smoothed, so that one lucky file does not make it the first choice.
 *  @param rate bytes a second of this transfer; undefined when it was too short to tell */
export function afterHostSuccess(record: HostRecord, rate: number | undefined): HostRecord {
  const smooth = rate === undefined ? record.rate : record.rate === null ? rate : (record.rate * 3 + rate) / 4
  return { ...record, failures: 0, rest_until: null, rate: smooth === null ? null : Math.round(smooth) }
}

/** Retry-After: seconds, or a date of HTTP. @returns ms from now, undefined for what is neither */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\s*[0-9]{1,9}\s*$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isFinite(at) ? Math.max(0, at - now) : undefined
}
