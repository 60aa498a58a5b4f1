// Is a part that has all its bytes the file that the catalogue promises? Never repairs: says whose bytes are suspect.

import { suspectOf } from '../decide/ranges.ts'
import { readSums } from '../disk/adopt.ts'
import { layout, type Root } from '../disk/layout.ts'
import type { ListingLine } from '../words/listing.ts'
import { wholeAdler32 } from '../words/ranges.ts'
import { Trouble } from '../words/reason.ts'
import type { Try } from './try.ts'

export type Verdict =
  | { readonly kind: 'right'; readonly adler32: string; readonly md5?: string }
  /** `rse` gave bytes that may be wrong; proven: it gave all of them. undefined = nobody gave any, the file is empty */
  | { readonly kind: 'wrong'; readonly rse: string | undefined; readonly proven: boolean }

/** What is known of a file's checksum: the listing's word, then that of the replicas (/files gives no md5, facts/rucio.md 3). */
export function withSums(
  line: ListingLine,
  sums: { readonly adler32?: string; readonly md5?: string },
): ListingLine {
  const adler32 = line.adler32 ?? sums.adler32
  const md5 = line.md5 ?? sums.md5
  return { ...line, ...(adler32 === undefined ? {} : { adler32 }), ...(md5 === undefined ? {} : { md5 }) }
}

/** The adler32 is joined from those of the ranges; the part is read only when the catalogue has an md5 alone, and must be sealed then.
 *  With no checksum at all the size alone counts. @throws Trouble disk_error, when the part is not what was written */
export async function verify(
  of: Try,
  { root, name, line }: { readonly root: Root; readonly name: string; readonly line: ListingLine },
  signal: AbortSignal,
): Promise<Verdict> {
  const { ranges } = of.part
  const adler32 = wholeAdler32(ranges, line.bytes)
  if (adler32 === undefined) throw new Error(`${line.did} was to be verified before all of it was there`)
  const strikesOf = (rse: string) => of.part.sidecar.strikes.find(each => each.rse === rse)?.count ?? 0
  if (line.adler32 !== undefined)
    return line.adler32 === adler32
      ? { kind: 'right', adler32 }
      : { kind: 'wrong', ...suspectOf(ranges, strikesOf) }
  if (line.md5 === undefined) return { kind: 'right', adler32 }
  const sums = await readSums(root, layout.part(root, name, line.path), signal)
  if (sums === undefined || sums.bytes !== line.bytes || sums.adler32 !== adler32)
    throw new Trouble('disk_error', `the part of ${line.did} is not what was written there`)
  return sums.md5 === line.md5
    ? { kind: 'right', adler32, md5: sums.md5 }
    : { kind: 'wrong', ...suspectOf(ranges, strikesOf) }
}
