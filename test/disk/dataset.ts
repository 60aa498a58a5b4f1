// A dataset on the disk for the tests of this room, made with the room's own writers.

import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { adopt } from '../../src/disk/adopt.ts'
import { layout, type Root } from '../../src/disk/layout.ts'
import { ListingWriter, readListing, VerifiedLog } from '../../src/disk/lines.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { parseDid, printDid } from '../../src/words/did.ts'
import type { CatalogueFile, ListingHead, ListingLine } from '../../src/words/listing.ts'
import { nameOf } from '../../src/words/names.ts'
import { Trouble } from '../../src/words/reason.ts'
import { world } from '../help/data.ts'

export const never = new AbortController().signal

/** What a catalogue says of a file with this text. */
export function fileOf(did: string, text: string): CatalogueFile {
  const bytes = Buffer.from(text)
  return { did, bytes: bytes.length, adler32: printAdler32(adler32(1, bytes)) }
}

export function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

export function head(did: string): Omit<ListingHead, 'format' | 'length' | 'bytes'> {
  return { did, type: 'DATASET', open: false, fetched: '2026-01-01T00:00:00.000Z' }
}

export async function makeFolder(root: Root, name: string): Promise<void> {
  await mkdir(layout.parts(root, name), { recursive: true })
}

/** listing.jsonl of a dataset, with its folders. */
export async function list(
  root: Root,
  text: string,
  files: readonly CatalogueFile[],
): Promise<{ readonly name: string; readonly lines: readonly ListingLine[] }> {
  const did = parseDid(text)
  if (did instanceof Trouble) throw did
  const name = nameOf(did)
  await makeFolder(root, name)
  const writer = await ListingWriter.open(root)
  for (const file of files) await writer.add(file)
  await writer.commit(layout.listing(root, name), head(printDid(did)))
  return { name, lines: await linesOf(root, name) }
}

export async function linesOf(root: Root, name: string): Promise<readonly ListingLine[]> {
  const lines: ListingLine[] = []
  await readListing(root, layout.listing(root, name), line => lines.push(line))
  return lines
}

/** A whole dataset of texts: path -> text. */
export async function whole(root: Root, text: string, texts: Record<string, string>): Promise<string> {
  const scope = text.split(':')[0] ?? ''
  const files = Object.entries(texts).map(([file, content]) => fileOf(`${scope}:${file}`, content))
  const { name, lines } = await list(root, text, files)
  const log = await VerifiedLog.open(root, name)
  for (const [index, line] of lines.entries()) {
    await writeFile(layout.file(root, name, line.path), Object.values(texts)[index] ?? '')
    const verified = await adopt({ root, name, bareName: name, line, world, signal: never })
    if (verified === undefined) throw new Error(`${line.path} was not adopted`)
    await log.append(verified)
  }
  await log.sync()
  await log.close()
  return name
}

export async function write(root: Root, path: string, text: string | Uint8Array): Promise<string> {
  const whole = join(root.dir, path)
  await mkdir(dirname(whole), { recursive: true })
  await writeFile(whole, text)
  return whole
}
