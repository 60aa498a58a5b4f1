// Is a dataset whole now? Listing, verified lines, sizes and mtimes, compared. Never reads a byte of a file, and never looks at
// the marker `complete`.

import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { ListingHead, ListingLine } from '../words/listing.ts'
import { nameOf, readFullDid } from '../words/names.ts'
import { codeOf } from '../words/reason.ts'
import { sameMtime, type VerifiedLine } from '../words/verified.ts'
import { fromIso } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import { readListing, readVerified } from './lines.ts'
import { toDisk } from './way.ts'

export type Harm = {
  readonly path: string
  /** absent, size, mtime (right size, other mtime: doubt), unproved (right size, no line that fits the listing), refused (no
   *  regular file) */
  readonly kind: 'absent' | 'size' | 'mtime' | 'unproved' | 'refused'
}

export type Proof =
  | { readonly kind: 'whole'; readonly head: ListingHead; readonly paths: readonly string[] }
  /** listed, but not (or no longer) whole */
  | {
      readonly kind: 'harmed'
      readonly head: ListingHead
      readonly harm: readonly Harm[]
      readonly lines: readonly ListingLine[]
    }
  | { readonly kind: 'unlisted' }

// More at once gains nothing over the four threads that Node has for the disk, and other reads wait behind them.
const atOnce = 32

/** Is NAME whole now? listing.jsonl, verified.jsonl, sizes and mtimes; no byte of a file is read. `complete` is not looked at:
 *  where marker and proof differ, the proof holds. Lines of the harmed files only, in the order of `harm`.
 *  A listing whose DID lies under another NAME (a folder renamed by hand, a disk that does not tell letter case) is none of NAME's.
 *  @throws Trouble when the disk does not answer: that is never "absent" */
export async function prove(root: Root, name: string): Promise<Proof> {
  const listed: ListingLine[] = []
  const head = await readListing(root, layout.listing(root, name), line => listed.push(line))
  if (head === undefined || head.type === 'NONE' || !isOf(head, name)) return { kind: 'unlisted' }
  const verified = await readVerified(root, name)
  const harm: Harm[] = []
  const lines: ListingLine[] = []
  for (let from = 0; from < listed.length; from += atOnce) {
    const batch = listed.slice(from, from + atOnce)
    const found = await Promise.all(batch.map(line => look(layout.file(root, name, line.path))))
    for (const [index, line] of batch.entries()) {
      const kind = harmOf(line, verified.get(line.path), found[index])
      if (kind === undefined) continue
      harm.push({ path: line.path, kind })
      lines.push(line)
    }
  }
  if (harm.length > 0) return { kind: 'harmed', head, harm, lines }
  return { kind: 'whole', head, paths: listed.map(line => line.path) }
}

/** Does a verified line prove what the listing says now? adler32 where the listing has one, else md5, else the size alone. */
export function fits(line: ListingLine, verified: VerifiedLine): boolean {
  if (verified.bytes !== line.bytes) return false
  if (line.adler32 !== undefined) return verified.adler32 === line.adler32
  if (line.md5 !== undefined) return verified.md5 === line.md5
  return true
}

function harmOf(
  line: ListingLine,
  verified: VerifiedLine | undefined,
  found: Stats | undefined,
): Harm['kind'] | undefined {
  if (found === undefined) return 'absent'
  if (!found.isFile()) return 'refused'
  if (found.size !== line.bytes) return 'size'
  if (verified === undefined || !fits(line, verified)) return 'unproved'
  return sameMtime(found.mtimeMs, fromIso(verified.mtime) ?? Number.NaN) ? undefined : 'mtime'
}

function isOf(head: ListingHead, name: string): boolean {
  const did = readFullDid(head.did)
  return did !== undefined && nameOf(did) === name
}

/** lstat of one file. The folder was walked to when the listing was read, so that one call is enough here. */
async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw toDisk(error)
  }
}
