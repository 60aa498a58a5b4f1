// listing.jsonl and catalogue/NAME.jsonl: head and lines, read and written in bounded memory. Never in memory as a whole
// save the names, which twins and doubles need.

import { unlink } from 'node:fs/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import {
  type CatalogueFile,
  type ListingHead,
  type ListingLine,
  type MissingHead,
  mostFiles,
  mostLineBytes,
  readListingHead,
  readListingLine,
} from '../words/listing.ts'
import { Paths, readFullDid } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import { isBytes, isTotal } from '../words/text.ts'
import { readVerifiedHead } from '../words/verified.ts'
import { layout, type Root } from './layout.ts'
import { Output } from './output.ts'
import { move, putText, stagingPath } from './put.ts'
import { setAside } from './read.ts'
import { batches, jsonLines } from './stream.ts'
import { openTexts } from './texts.ts'
import { openRegular, type Stat, sameStat, statRegular } from './way.ts'

export { jsonLines } from './stream.ts'
export { readVerified, VerifiedLog } from './verified.ts'

/** Head and lines of listing.jsonl or catalogue/NAME.jsonl. A listing whose lines do not add up to its head (length, bytes)
 *  is set aside and counts as absent. `each` may be left out to get the head alone (then nothing is added up).
 *  @param each called while it is read: what it has gathered counts only if a listing's head is returned
 *  @param piece awaited now and then, some thousand lines apart and at the end: whoever looks at each line need not keep them all
 *  @throws Trouble `refused` for a link; others when the disk does not give it */
export async function readListing(
  root: Root,
  path: string,
  each?: (line: ListingLine) => void,
  piece?: () => Promise<void>,
): Promise<ListingHead | MissingHead | undefined> {
  const handle = await openRegular(root, path)
  if (handle === undefined) return undefined
  let opened: Stat
  let head: ListingHead | MissingHead | undefined
  let length = 0
  let bytes = 0
  try {
    opened = await handle.stat()
    let isFirst = true
    let last: ListingLine | undefined
    for await (const { values } of batches(handle)) {
      for (const value of values) {
        if (isFirst) {
          head = readListingHead(value)
          isFirst = false
          if (head === undefined || head.type === 'NONE' || each === undefined) break
          continue
        }
        const line = readListingLine(value, last)
        if (line === undefined) continue
        last = line
        length++
        bytes += line.bytes
        each?.(line)
      }
      await piece?.()
      if (!isFirst && (head === undefined || head.type === 'NONE' || each === undefined)) break
    }
  } finally {
    await handle.close()
  }
  const isWhole =
    head !== undefined &&
    (head.type === 'NONE' || each === undefined || (head.length === length && head.bytes === bytes))
  if (isWhole) return head
  // A good one may have taken its name while the bad one was read.
  const now = await statRegular(root, path)
  if (sameStat(now, opened)) await setAside(root, path)
  return undefined
}

/** Does verified.jsonl of NAME speak of this data directory? Only then were its files verified here. Reads its head alone. */
export async function isVerifiedHere(root: Root, name: string): Promise<boolean> {
  for await (const json of jsonLines(root, layout.verified(root, name)))
    return readVerifiedHead(json)?.id === root.id
  return false
}

/** Writes `does not exist` to catalogue/NAME.jsonl. */
export async function putMissing(root: Root, target: string, head: MissingHead): Promise<void> {
  await putText(root, target, `${JSON.stringify(head)}\n`)
}

/** Writes a listing in bounded memory: first raw lines to staging, then paths (twins, doubles, kept paths), then renamed to
 *  its target. One call at a time; after commit() or abort() it is of no use any more. */
export class ListingWriter {
  readonly #root: Root
  readonly #rawPath: string
  readonly #raw: Output
  /** `scope:name` of every file so far */
  readonly #dids = openTexts()
  #bytes = 0

  private constructor(root: Root, rawPath: string, raw: Output) {
    this.#root = root
    this.#rawPath = rawPath
    this.#raw = raw
  }

  static async open(root: Root): Promise<ListingWriter> {
    const path = await stagingPath(root)
    return new ListingWriter(root, path, await Output.open(path))
  }

  /** A DID that came before is dropped: a file that is in two datasets of a container lies there once.
   *  @throws Trouble `bad_listing` for a file that makes no sense, `too_big` beyond 1,000,000 files, or as the disk has it */
  async add(file: CatalogueFile): Promise<void> {
    const { did, bytes } = file
    if (readFullDid(did) === undefined)
      throw bad(`it names a file ${JSON.stringify(String(did).slice(0, 80))}`)
    if (!isBytes(bytes)) throw bad(`it gives ${did} a size of ${bytes} bytes`)
    if (this.#dids.find(did) >= 0) return
    if (this.#dids.size >= mostFiles) throw new Trouble('too_big', `it holds over ${mostFiles} files`)
    const line = JSON.stringify(file)
    // Room for the path, which comes at commit().
    if (Buffer.byteLength(line) > mostLineBytes - 512) throw bad(`what it says of ${did} is too long`)
    this.#dids.add(did)
    this.#bytes += bytes
    await this.#raw.write(`${line}\n`)
  }

  /** @param target listing.jsonl or catalogue/NAME.jsonl; its folder is there
   *  @param paths that knows what an earlier listing gave, if there is one
   *  @returns the head as written: length and bytes without doubles
   *  @throws Trouble; what lay at the target is still there then */
  async commit(
    target: string,
    head: Omit<ListingHead, 'format' | 'length' | 'bytes'>,
    paths = new Paths(openTexts),
  ): Promise<ListingHead> {
    try {
      if (!isTotal(this.#bytes)) throw bad('its sizes do not add up to a number')
      await this.#raw.flush()
      const { did, type, open, fetched } = head
      const whole: ListingHead = {
        format: 1,
        did,
        type,
        open,
        length: this.#dids.size,
        bytes: this.#bytes,
        fetched,
      }
      const staged = await this.#lay(whole, paths)
      try {
        await move(this.#root, staged, target)
      } catch (error) {
        await drop(staged)
        throw error
      }
      return whole
    } finally {
      await this.abort()
    }
  }

  async abort(): Promise<void> {
    await this.#raw.close()
    await drop(this.#rawPath)
  }

  /** The second pass: every file has come, so it is known who has a twin. */
  async #lay(head: ListingHead, paths: Paths): Promise<string> {
    for (let number = 0; number < this.#dids.size; number++) {
      const did = readFullDid(this.#dids.at(number))
      if (did !== undefined) paths.add(did)
      // 200,000 at one go held everything else up for a second.
      if (number % 1000 === 999) await breathe()
    }
    const staged = await stagingPath(this.#root)
    const out = await Output.open(staged)
    try {
      await out.write(`${JSON.stringify(head)}\n`)
      let length = 0
      for await (const json of jsonLines(this.#root, this.#rawPath)) {
        const { did, ...rest } = json as CatalogueFile
        const file = readFullDid(did)
        if (file === undefined) continue
        const line: ListingLine = { did, path: paths.pathOf(file), ...rest }
        await out.write(`${JSON.stringify(line)}\n`)
        length++
      }
      if (length !== head.length)
        throw new Trouble('disk_error', `${head.length} lines were written and ${length} were read back`)
      await out.finish()
      return staged
    } catch (error) {
      await drop(staged)
      throw error
    } finally {
      await out.close()
    }
  }
}

function bad(what: string): Trouble {
  return new Trouble('bad_listing', what)
}

async function drop(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // Gone already; and what is left in staging/ goes at the next start.
  }
}
