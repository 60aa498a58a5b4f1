// Is a dataset whole now? Listing, verified lines, sizes and mtimes, compared. Never reads a byte of a file, and never looks at
// the marker `complete`.

import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { ListingHead, ListingLine } from '../words/listing.ts'
import { fold, nameOf, readFullDid } from '../words/names.ts'
import { codeOf } from '../words/reason.ts'
import { sameMtime } from '../words/verified.ts'
import { layout, type Root } from './layout.ts'
import { type Proven, readListing, readProven } from './lines.ts'
import { names } from './read.ts'
import { statRegular, toDisk } from './way.ts'

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
  const harm: Harm[] = []
  const lines: ListingLine[] = []
  const paths: string[] = []
  const head = await compare(root, name, (line, kind) => {
    if (kind === undefined) {
      if (harm.length === 0) paths.push(line.path)
      return
    }
    // Of one that is not whole nobody asks for them.
    paths.length = 0
    harm.push({ path: line.path, kind })
    lines.push(line)
  })
  if (head === undefined) return { kind: 'unlisted' }
  return harm.length > 0 ? { kind: 'harmed', head, harm, lines } : { kind: 'whole', head, paths }
}

/** The same file by file, for those who need not keep them: of 200,000 lines no more than some thousand lie in memory.
 *  @param each gets what is wrong with a file, undefined when nothing is, in the listing's order; what it has gathered counts only if a
 *  head is returned
 *  @returns undefined for what is not listed */
export async function compare(
  root: Root,
  name: string,
  each: (line: ListingLine, kind: Harm['kind'] | undefined) => void,
): Promise<ListingHead | undefined> {
  const ours = await headOf(root, name)
  if (ours === undefined) return undefined
  if (ours.length <= bigFiles) return await compareNow(root, name, ours, each)
  const mine = lastBig.then(() => compareNow(root, name, ours, each))
  lastBig = mine.catch(() => {
    // Whoever asked has the error; the next one only waits for the end.
  })
  return await mine
}

/** What lies in memory while more files than these are compared is felt: one after the other, whoever asks. */
const bigFiles = 20_000
let lastBig: Promise<unknown> = Promise.resolve()

async function compareNow(
  root: Root,
  name: string,
  ours: ListingHead,
  each: (line: ListingLine, kind: Harm['kind'] | undefined) => void,
): Promise<ListingHead | undefined> {
  const verified = await readProven(root, name)
  const here = await namesOfFew(root, name, ours.length)
  let pending: ListingLine[] = []
  const head = await readListing(
    root,
    layout.listing(root, name),
    line => pending.push(line),
    async () => {
      const all = pending
      pending = []
      for (let from = 0; from < all.length; from += atOnce) {
        const batch = all.slice(from, from + atOnce)
        const found = await Promise.all(
          batch.map(({ path }) =>
            here?.has(fold(path)) !== false ? look(layout.file(root, name, path)) : undefined,
          ),
        )
        for (const [index, line] of batch.entries())
          each(line, harmOf(line, verified.get(line.path), found[index]))
      }
    },
  )
  return head === undefined || head.type === 'NONE' || !isOf(head, name) ? undefined : head
}

/** One readdir tells of all that is absent: an lstat that finds nothing costs five times one that does. Where most are there it gains
 *  nothing, and 200,000 names take 30 MB. */
async function namesOfFew(
  root: Root,
  name: string,
  listed: number,
): Promise<ReadonlySet<string> | undefined> {
  const all = await names(layout.dataset(root, name))
  return all.length > listed / 2 && listed > manyFiles ? undefined : new Set(all.map(fold))
}

/** Cannot NAME be whole, as three calls tell? Then nobody needs to look at each of its files. `false` tells nothing.
 *  @throws Trouble when the disk does not answer */
export async function lacksFiles(root: Root, name: string): Promise<boolean> {
  const head = await headOf(root, name)
  if (head === undefined) return true
  if (head.length === 0) return false
  const proof = await statRegular(root, layout.verified(root, name))
  if (proof === undefined || proof.size < head.length * leastLineBytes) return true
  return head.length > manyFiles && (await names(layout.dataset(root, name))).length < head.length
}

/** A line of verified.jsonl is longer, whatever its file's name. */
const leastLineBytes = 60
/** With fewer the proof itself is as quick. */
const manyFiles = 1000

async function headOf(root: Root, name: string): Promise<ListingHead | undefined> {
  const head = await readListing(root, layout.listing(root, name))
  return head === undefined || head.type === 'NONE' || !isOf(head, name) ? undefined : head
}

/** Does a verified line prove what the listing says now? adler32 where the listing has one, else md5, else the size alone. */
export function fits(line: ListingLine, verified: Pick<Proven, 'bytes' | 'adler32' | 'md5'>): boolean {
  if (verified.bytes !== line.bytes) return false
  if (line.adler32 !== undefined) return verified.adler32 === line.adler32
  if (line.md5 !== undefined) return verified.md5 === line.md5
  return true
}

function harmOf(
  line: ListingLine,
  verified: Proven | undefined,
  found: Stats | undefined,
): Harm['kind'] | undefined {
  if (found === undefined) return 'absent'
  if (!found.isFile()) return 'refused'
  if (found.size !== line.bytes) return 'size'
  if (verified === undefined || !fits(line, verified)) return 'unproved'
  return sameMtime(found.mtimeMs, verified.mtimeMs) ? undefined : 'mtime'
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
