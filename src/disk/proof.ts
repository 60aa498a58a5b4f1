// Is a dataset whole now? Listing, verified lines, sizes and mtimes, compared. Never reads a byte of a file, and never looks at
// the marker `complete`.

import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import type { ListingHead, ListingLine } from '../words/listing.ts'
import { fold, isComponent, nameOf, readFullDid } from '../words/names.ts'
import { codeOf } from '../words/reason.ts'
import type { Texts } from '../words/texts.ts'
import { sameMtime } from '../words/verified.ts'
import { layout, type Root } from './layout.ts'
import { readListing } from './lines.ts'
import { type Proven, readProven } from './proven.ts'
import { eachName } from './read.ts'
import { openTexts } from './texts.ts'
import { countVerified } from './verified.ts'
import { statRegular, toDisk } from './way.ts'

export type Harm = {
  readonly path: string
  /** absent, size, mtime (right size, other mtime: doubt), unproved (right size, no line that fits the listing), refused (no
   *  regular file) */
  readonly kind: 'absent' | 'size' | 'mtime' | 'unproved' | 'refused'
}

export type Proof =
  | {
      readonly kind: 'whole'
      readonly head: ListingHead
      /** in the listing's order; undefined where they are more than shall lie in memory: the listing tells them */
      readonly paths: readonly string[] | undefined
    }
  /** listed, but not (or no longer) whole */
  | {
      readonly kind: 'harmed'
      readonly head: ListingHead
      /** how many files are not as they should be */
      readonly harmed: number
    }
  | { readonly kind: 'unlisted' }

/** Paths of one dataset that a proof keeps. */
export const mostPaths = 10_000

// More at once gains nothing over the four threads that Node has for the disk, and other reads wait behind them.
const atOnce = 32

/** Is NAME whole now? listing.jsonl, verified.jsonl, sizes and mtimes; no byte of a file is read. `complete` is not looked at:
 *  where marker and proof differ, the proof holds.
 *  A listing whose DID lies under another NAME (a folder renamed by hand, a disk that does not tell letter case) is none of NAME's.
 *  @throws Trouble when the disk does not answer: that is never "absent" */
export async function prove(root: Root, name: string): Promise<Proof> {
  let harmed = 0
  let paths: string[] | undefined = []
  const head = await compare(root, name, (line, kind) => {
    if (kind !== undefined) harmed++
    // Of one that is not whole nobody asks for them.
    if (harmed > 0 || (paths?.length ?? mostPaths) >= mostPaths) paths = undefined
    paths?.push(line.path)
  })
  if (head === undefined) return { kind: 'unlisted' }
  return harmed > 0 ? { kind: 'harmed', head, harmed } : { kind: 'whole', head, paths }
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
  const here = await namesOfFew(root, name, ours.length, verified.size)
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
            here === undefined || here.find(fold(path)) >= 0
              ? look(layout.file(root, name, path))
              : undefined,
          ),
        )
        for (const [index, line] of batch.entries())
          each(line, harmOf(line, verified.of(line.path), found[index]))
      }
    },
  )
  return head === undefined || head.type === 'NONE' || !isOf(head, name) ? undefined : head
}

/** Names that lie there, where they are few: a look into the folder tells of all that is absent, and an lstat that finds nothing costs
 *  five times one that does. Where most are there it gains nothing, and so many names take their room.
 *  @param proven so many have a line, and will be there
 *  @returns undefined where they are many */
async function namesOfFew(
  root: Root,
  name: string,
  listed: number,
  proven: number,
): Promise<Pick<Texts, 'find'> | undefined> {
  const most = Math.max(manyFiles, listed / 2)
  if (proven > most) return undefined
  const here = openTexts()
  let isFew = true
  await eachName(layout.dataset(root, name), each => {
    // A file of ours has a name of ASCII alone.
    if (isComponent(each)) here.add(fold(each))
    isFew = here.size <= most
    return isFew
  })
  return isFew ? here : undefined
}

/** Cannot NAME be whole, as a few looks tell? Then nobody needs to look at each of its files. `false` tells nothing.
 *  @throws Trouble when the disk does not answer */
export async function lacksFiles(root: Root, name: string): Promise<boolean> {
  const head = await headOf(root, name)
  if (head === undefined) return true
  if (head.length === 0) return false
  const proof = await statRegular(root, layout.verified(root, name))
  if (proof === undefined || proof.size < head.length * leastLineBytes) return true
  if (head.length <= manyFiles) return false
  if ((await countVerified(root, name)) < head.length) return true
  let count = 0
  await eachName(layout.dataset(root, name), () => ++count < head.length)
  return count < head.length
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
