// Which ranges of a part still lie there as they came. Only reads.

import type { FileHandle } from 'node:fs/promises'
import { AdlerMemory, printAdler32 } from '../words/adler32.ts'
import type { Range } from '../words/part.ts'

const slabBytes = 2 ** 20

/** The ranges whose bytes give their adler32.
 *  @param size of the part: a range that ends beyond it is bad
 *  @throws what reading throws; the reason of `signal` */
export async function goodRanges(
  handle: FileHandle,
  ranges: readonly Range[],
  size: number,
  signal: AbortSignal,
): Promise<readonly Range[]> {
  if (ranges.length === 0) return ranges
  const memory = new AdlerMemory(slabBytes)
  const good: Range[] = []
  for (const range of ranges)
    if (range.to <= size && (await sumOf(handle, range, memory, signal)) === range.adler32) good.push(range)
  return good
}

async function sumOf(
  handle: FileHandle,
  { from, to }: Range,
  memory: AdlerMemory,
  signal: AbortSignal,
): Promise<string | undefined> {
  let sum = 1
  for (let at = from; at < to; ) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(memory.bytes, 0, Math.min(slabBytes, to - at), at)
    if (bytesRead === 0) return undefined
    sum = memory.sum(sum, 0, bytesRead)
    at += bytesRead
  }
  return printAdler32(sum)
}
