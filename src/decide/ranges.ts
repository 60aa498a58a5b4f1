// Which bytes come next, over how many connections, and whose go when the whole is wrong. Pure; never reads or writes a byte.

import { pieceBytes, type Range } from '../words/part.ts'
import type { Span } from '../words/ranges.ts'

/** Files from this size on may use several connections. */
export const bigBytes = 128 * 2 ** 20
/** Nothing is asked for further than this beyond the first byte that is missing, so that a reader in order is not kept waiting. */
export const aheadBytes = 512 * 2 ** 20

/** What is missing, in order. */
export function gapsOf(spans: readonly Span[], bytes: number): Span[] {
  const gaps: Span[] = []
  let end = 0
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    if (from > end) gaps.push({ from: end, to: from })
    end = Math.max(end, to)
  }
  if (end < bytes) gaps.push({ from: end, to: bytes })
  return gaps
}

/** The next stretch for a connection: the first that has neither come nor is being fetched. Over one connection it goes on to the end of
 *  its gap (one request); over several it ends with its piece. undefined = nothing to do for one more connection now. */
export function nextSpan(seen: {
  readonly have: readonly Span[]
  readonly claimed: readonly Span[]
  readonly bytes: number
  readonly inPieces: boolean
}): Span | undefined {
  const { have, claimed, bytes, inPieces } = seen
  const first = gapsOf(have, bytes)[0]
  const free = gapsOf([...have, ...claimed], bytes)[0]
  if (first === undefined || free === undefined) return undefined
  if (!inPieces) return free
  if (free.from - first.from >= aheadBytes) return undefined
  return { from: free.from, to: Math.min(free.to, (Math.floor(free.from / pieceBytes) + 1) * pieceBytes) }
}

/** Nothing is left to claim, but a claim has much before it: its second half is given to the idle connection. The cut connection is
 *  closed at the cut, and what is in flight then (some MiB on a fast line) is lost: so both halves must be worth it.
 *  @param claims `from` = the next byte that it waits for
 *  @returns which claim is cut, and where; undefined when none is worth a new request */
export function splitClaim(
  claims: readonly Span[],
  leastBytes = 16 * 2 ** 20,
): { readonly index: number; readonly at: number } | undefined {
  let index = -1
  let most = 2 * leastBytes - 1
  claims.forEach(({ from, to }, i) => {
    if (to - from > most) {
      most = to - from
      index = i
    }
  })
  const claim = claims[index]
  if (claim === undefined) return undefined
  return { index, at: Math.ceil((claim.from + claim.to) / 2) }
}

/** One more connection only while the last one made the sum grow by a tenth: more would only take from others.
 *  @param before bytes a second with one connection less; undefined at the first look */
export function wantsMore(seen: {
  readonly connections: number
  readonly most: number
  readonly rate: number
  readonly before: number | undefined
}): boolean {
  const { connections, most, rate, before } = seen
  return connections < most && rate > 0 && (before === undefined || rate > before * 1.1)
}

/** Whose bytes go when the whole is wrong. One RSE gave all: it is proven. Of several the one with most strikes, then with most bytes, is
 *  suspected; a range without RSE counts as one of its own. */
export function suspectOf(
  ranges: readonly Range[],
  strikesOf: (rse: string) => number,
): { readonly rse: string | undefined; readonly proven: boolean } {
  const bytesOf = new Map<string | undefined, number>()
  for (const { rse, from, to } of ranges) bytesOf.set(rse, (bytesOf.get(rse) ?? 0) + to - from)
  const order = [...bytesOf].sort(
    ([a, aBytes], [b, bBytes]) =>
      (b === undefined ? 0 : strikesOf(b)) - (a === undefined ? 0 : strikesOf(a)) || bBytes - aBytes,
  )
  return { rse: order[0]?.[0], proven: order.length === 1 }
}
