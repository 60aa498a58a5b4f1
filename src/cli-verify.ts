// A dataset folder against its own listing, wherever it lies. Never writes, never asks a server.

import { basename, dirname } from 'node:path'
import { readSums } from './disk/adopt.ts'
import { layout, type Root } from './disk/layout.ts'
import { readListing } from './disk/lines.ts'
import { names } from './disk/read.ts'
import type { ListingLine } from './words/listing.ts'

type Words = { readonly say: (line: string) => void; readonly complain: (line: string) => void }

/** Reads every byte of a dataset and compares it with its listing; needs no data directory around it.
 *  @returns the exit code: 1 when a file is not right, 2 when there is no listing, 130 when `signal` fires */
export async function verifyFolder(
  folder: string,
  { say, complain }: Words,
  signal: AbortSignal,
): Promise<number> {
  const root: Root = { dir: dirname(folder), id: '', bootId: '', fenced: false }
  const name = basename(folder)
  const lines: ListingLine[] = []
  const head = await readListing(root, layout.listing(root, name), line => {
    lines.push(line)
  })
  if (head === undefined || head.type === 'NONE') {
    complain(
      `${folder} has no listing of a dataset (.rucio/listing.jsonl)${(await names(folder)).length === 0 ? '; is it there?' : ''}`,
    )
    return 2
  }
  let bad = 0
  for (const line of lines) {
    if (signal.aborted) return 130
    const wrong = await wrongWith(root, name, line, signal)
    if (wrong === undefined) continue
    bad += 1
    say(`${wrong} ${line.path}`)
  }
  say(`${lines.length - bad} of ${lines.length} files of ${head.did} are right`)
  return bad === 0 ? 0 : 1
}

async function wrongWith(
  root: Root,
  name: string,
  line: ListingLine,
  signal: AbortSignal,
): Promise<string | undefined> {
  const sums = await readSums(root, layout.file(root, name, line.path), signal)
  if (sums === undefined) return 'missing'
  if (sums.bytes !== line.bytes) return `${sums.bytes} of ${line.bytes} bytes`
  if (line.adler32 !== undefined && sums.adler32 !== line.adler32) return 'wrong bytes'
  if (line.adler32 === undefined && line.md5 !== undefined && sums.md5 !== line.md5) return 'wrong bytes'
  return undefined
}
