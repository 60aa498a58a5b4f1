// Datasets in work: what was read of them, brought up to date by what act wrote. Never keeps more of a listing than the files that are
// next, in hand or have failed; losing it costs one more look at the disk.

import type { VerifiedLog } from '../disk/lines.ts'
import type { ListingFile } from '../disk/listing-file.ts'
import type { Bits } from '../words/bits.ts'
import type { Did } from '../words/did.ts'
import type { ListingHead, ListingLine } from '../words/listing.ts'
import type { Failure } from '../words/reason.ts'

/** A file of a dataset in work that is not verified yet. */
export type FileWork = {
  /** of its line in the listing, from 0 */
  readonly number: number
  readonly line: ListingLine
  /** bytes still to be written */
  bytes: number
  nextTryAt: number
  busy: boolean
  failure: Failure | undefined
}

export type Work = {
  readonly name: string
  readonly did: Did
  readonly head: ListingHead
  readonly log: VerifiedLog
  readonly listing: ListingFile
  /** numbers of lines whose files are not verified yet */
  readonly left: Bits
  /** of these the ones that are to be read before anything is fetched */
  readonly toAdopt: Bits
  /** path -> file, of those of `left` that are at hand: fresh, later or busy */
  readonly files: Map<string, FileWork>
  /** begun by another process or next in the listing, not tried in this one */
  readonly fresh: Set<FileWork>
  /** tried and failed, or given back */
  readonly later: Set<FileWork>
  /** the listing from where `fresh` ends */
  readonly rest: Rest
  refreshAfter: number
  /** what INCOMPLETE.txt says and when it was written */
  noted: number
  notedAt: number
  syncTimer: NodeJS.Timeout | undefined
}

type Rest = {
  readonly lines: AsyncIterator<readonly ListingLine[]>
  /** number of the first line that it will give */
  number: number
  isOver: boolean
}

/** Lines of verified.jsonl and the directory are durable at the latest so long after a file got its name (DESIGN.md rule 4). */
const syncMs = 1000
/** So many fresh files are at hand: more than one pass shows decide(), and all lanes take before the next. */
const freshMost = 2048

/** Reads on in the listing until enough files are at hand.
 *  @returns false when the listing does not give all that is left: somebody has written into it, and the work is of no use
 *  @throws Trouble when the disk does not give it */
export async function bringNext(work: Work): Promise<boolean> {
  const { rest, left, files, fresh } = work
  while (fresh.size < freshMost / 2 && !rest.isOver) await bringSome(work)
  return !rest.isOver || files.size === left.count
}

async function bringSome({ rest, left, files, fresh }: Work): Promise<void> {
  const { done, value } = await rest.lines.next()
  rest.isOver = done === true
  for (const line of done === true ? [] : value) {
    const number = rest.number++
    if (!left.has(number) || files.has(line.path)) continue
    const file = { number, line, bytes: line.bytes, nextTryAt: 0, busy: false, failure: undefined }
    files.set(line.path, file)
    fresh.add(file)
  }
}

/** DIDs of all that is left, those at hand included, as the listing is read through. */
export async function* unfinished({ listing, left }: Work): AsyncGenerator<string> {
  let number = 0
  for await (const lines of listing.lines()) for (const line of lines) if (left.has(number++)) yield line.did
}

export function take(work: Work, file: FileWork): void {
  file.busy = true
  work.fresh.delete(file)
  work.later.delete(file)
}

/** A file is verified and has its name. Its line is synced within a second, with those of its neighbours. */
export function settle(
  work: Work,
  { number, path }: { readonly number: number; readonly path: string },
  failed: (error: unknown) => void,
): void {
  const file = work.files.get(path)
  if (file?.number === number) {
    work.files.delete(path)
    work.fresh.delete(file)
    work.later.delete(file)
  }
  work.left.clear(number)
  work.toAdopt.clear(number)
  work.syncTimer ??= setTimeout(() => {
    work.syncTimer = undefined
    work.log.sync().catch(failed)
  }, syncMs)
}

export function giveBack(work: Work, file: FileWork, nextTryAt: number, failure: Failure | undefined): void {
  file.busy = false
  file.nextTryAt = nextTryAt
  file.failure = failure
  if (work.files.get(file.line.path) === file) work.later.add(file)
}
