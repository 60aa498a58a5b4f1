// Arithmetic on the ranges of a part: adding, joining, the sum of the whole. Never reads or writes a byte.

import { joinAdler32, parseAdler32, printAdler32 } from './adler32.ts'
import { pieceBytes, type Range } from './part.ts'

/** A stretch of a file, `to` exclusive. */
export type Span = { readonly from: number; readonly to: number }

/** `ranges` with one more: sorted, neighbours of one RSE joined within a piece. What the new range overlaps goes: its bytes were written
 *  over. @throws RangeError for a range that crosses the border of a piece */
export function addRange(ranges: readonly Range[], more: Range): Range[] {
  if (more.to <= more.from || Math.floor(more.from / pieceBytes) !== Math.floor((more.to - 1) / pieceBytes))
    throw new RangeError(`no range of a piece: ${more.from} to ${more.to}`)
  const kept = ranges.filter(each => each.to <= more.from || each.from >= more.to)
  // Nearly always the new range is the last one, or follows the one that grows.
  let at = kept.length
  while (at > 0 && (kept[at - 1]?.from ?? 0) > more.from) at--
  kept.splice(at, 0, more)
  for (const index of [at, at - 1]) {
    const [left, right] = [kept[index], kept[index + 1]]
    if (left !== undefined && right !== undefined && neighbours(left, right))
      kept.splice(index, 2, joined(left, right))
  }
  return kept
}

function neighbours(left: Range, right: Range): boolean {
  return (
    left.to === right.from &&
    left.rse === right.rse &&
    Math.floor(left.from / pieceBytes) === Math.floor(right.from / pieceBytes)
  )
}

function joined(left: Range, right: Range): Range {
  const sum = joinAdler32(parseAdler32(left.adler32), parseAdler32(right.adler32), right.to - right.from)
  return { ...left, to: right.to, adler32: printAdler32(sum) }
}

/** The whole file's adler32 of its ranges' sums, without reading it; undefined while a byte is missing. */
export function wholeAdler32(ranges: readonly Range[], bytes: number): string | undefined {
  let sum = 1
  let end = 0
  for (const { from, to, adler32 } of ranges) {
    if (from !== end) return undefined
    sum = joinAdler32(sum, parseAdler32(adler32), to - from)
    end = to
  }
  return end === bytes ? printAdler32(sum) : undefined
}

export function sumOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0)
}
