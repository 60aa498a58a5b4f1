// verified.jsonl: which files were verified, appended by one process and read by all. Never rewrites a line, and never
// takes a line of another data directory.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Trouble } from '../words/reason.ts'
import {
  readVerifiedHead,
  readVerifiedLine,
  type VerifiedHead,
  type VerifiedLine,
} from '../words/verified.ts'
import { layout, type Root } from './layout.ts'
import { fence, putText, syncDir } from './put.ts'
import { batches } from './stream.ts'
import { openRegular, statRegular, toDisk } from './way.ts'

type Read = {
  readonly isOurs: boolean
  readonly lines: Map<string, VerifiedLine>
  /** offset after the last newline */
  readonly end: number
}

/** path -> the last good line, for readers; empty when the id is another's. */
export async function readVerified(root: Root, name: string): Promise<ReadonlyMap<string, VerifiedLine>> {
  return (await read(root, name)).lines
}

/** Each good line of verified.jsonl, in order; of those of one path the last counts. None when the id is another's.
 *  @throws Trouble when the disk does not give it */
export async function eachVerified(
  root: Root,
  name: string,
  each: (line: VerifiedLine) => void,
): Promise<void> {
  await readLines(root, name, each)
}

/** How many lines verified.jsonl has at the most: the newlines, without a look at what stands between them. */
export async function countVerified(root: Root, name: string): Promise<number> {
  const handle = await openRegular(root, layout.verified(root, name))
  if (handle === undefined) return 0
  let count = 0
  try {
    const buffer = Buffer.allocUnsafe(256 * 2 ** 10)
    for (let position = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) break
      const piece = buffer.subarray(0, bytesRead)
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) count++
      position += bytesRead
    }
  } catch (error) {
    throw toDisk(error)
  } finally {
    await handle.close()
  }
  // The head is one of them.
  return Math.max(0, count - 1)
}

/** verified.jsonl, opened for appending by one process: cut to its last newline before the first append; with another's id or no
 *  head it is written anew and no old line counts. NAME/.rucio is there already. */
export class VerifiedLog {
  /** path -> the last good line, of those that were asked for */
  readonly lines: ReadonlyMap<string, VerifiedLine>
  readonly #wanted: ReadonlySet<string> | undefined
  readonly #lines: Map<string, VerifiedLine>
  readonly #root: Root
  readonly #name: string
  readonly #handle: FileHandle
  /** bytes of the file that are whole lines */
  #size: number
  /** a write failed and may have left half a line beyond #size */
  #isTorn = false
  #dead: Trouble | undefined
  #gathered: VerifiedLine[] = []
  #next: Promise<void> | undefined
  /** settles, and never rejects, when no write is under way */
  #idle: Promise<void> = Promise.resolve()

  private constructor(options: {
    readonly root: Root
    readonly name: string
    readonly handle: FileHandle
    readonly size: number
    readonly lines: Map<string, VerifiedLine>
    readonly wanted: ReadonlySet<string> | undefined
  }) {
    this.#root = options.root
    this.#name = options.name
    this.#handle = options.handle
    this.#size = options.size
    this.#lines = options.lines
    this.#wanted = options.wanted
    this.lines = options.lines
  }

  /** @param wanted paths whose lines are kept in memory; default: all */
  static async open(root: Root, name: string, wanted?: ReadonlySet<string>): Promise<VerifiedLog> {
    const path = layout.verified(root, name)
    const before = await read(root, name, wanted)
    if (!before.isOurs) {
      const head: VerifiedHead = { format: 1, id: root.id }
      await putText(root, path, `${JSON.stringify(head)}\n`)
    }
    const { lines, end } = before.isOurs ? before : await read(root, name, wanted)
    await fence(root)
    let handle: FileHandle | undefined
    try {
      // read() has looked at every component; O_NOFOLLOW is for the instant since.
      const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK
      handle = await open(path, flags)
      const found = await handle.stat()
      if (!found.isFile()) throw new Trouble('refused', 'verified.jsonl is no regular file')
      if (found.size > end) await handle.truncate(end)
    } catch (error) {
      await handle?.close()
      throw toDisk(error)
    }
    return new VerifiedLog({ root, name, handle, size: end, lines, wanted })
  }

  /** @throws Trouble when a sync failed: it takes no line more, so no file shall get a name for it */
  mustTake(): void {
    if (this.#dead !== undefined) throw this.#dead
  }

  /** Resolves when the line is written (readers see it), not yet durable. What comes while a write is under way goes together in
   *  the next one.
   *  @throws Trouble; the line does not count then, and the next append first cuts what the failed one left */
  async append(line: VerifiedLine): Promise<void> {
    this.#gathered.push(line)
    if (this.#next === undefined) {
      this.#next = this.#idle.then(() => this.#write())
      this.#idle = this.#next.catch(() => {
        // Each append that waits for this write has the error.
      })
    }
    await this.#next
  }

  /** Lines and the dataset's directory are durable when this resolves.
   *  @throws Trouble when they may not be; close this log then and open it anew: a handle whose sync failed is never synced again,
   *  since the kernel has marked its pages clean */
  async sync(): Promise<void> {
    await this.#idle
    this.mustTake()
    try {
      // The names first: a line never outlives a power cut that its file's name did not.
      await syncDir(layout.dataset(this.#root, this.#name))
      await this.#handle.datasync()
      const mine = await this.#handle.stat()
      const there = await statRegular(this.#root, layout.verified(this.#root, this.#name))
      if (there?.ino !== mine.ino) throw new Trouble('disk_error', 'verified.jsonl was removed or replaced')
    } catch (error) {
      const known = toDisk(error)
      if (known instanceof Trouble) this.#dead = known
      throw known
    }
  }

  /** What was appended is written; what was not synced is not durable. */
  async close(): Promise<void> {
    await this.#idle
    await this.#handle.close()
  }

  async #write(): Promise<void> {
    const lines = this.#gathered
    this.#gathered = []
    this.#next = undefined
    this.mustTake()
    const bytes = Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    try {
      if (this.#isTorn) await this.#mend()
      this.#isTorn = true
      await this.#handle.appendFile(bytes)
      this.#isTorn = false
    } catch (error) {
      throw toDisk(error)
    }
    this.#size += bytes.length
    for (const line of lines)
      if (this.#wanted === undefined || this.#wanted.has(line.path)) this.#lines.set(line.path, line)
  }

  async #mend(): Promise<void> {
    await this.#handle.truncate(this.#size)
    this.#isTorn = false
  }
}

async function read(root: Root, name: string, wanted?: ReadonlySet<string>): Promise<Read> {
  const lines = new Map<string, VerifiedLine>()
  const { isOurs, end } = await readLines(root, name, line => {
    if (wanted === undefined || wanted.has(line.path)) lines.set(line.path, line)
  })
  return { isOurs, lines, end }
}

/** @param each called for each good line, of which the last of a path counts */
async function readLines(
  root: Root,
  name: string,
  each: (line: VerifiedLine) => void,
): Promise<Omit<Read, 'lines'>> {
  let end = 0
  let head: VerifiedHead | undefined
  let isFirst = true
  const handle = await openRegular(root, layout.verified(root, name))
  if (handle === undefined) return { isOurs: false, end }
  try {
    for await (const batch of batches(handle)) {
      end = batch.end
      for (const value of batch.values) {
        if (isFirst) head = readVerifiedHead(value)
        else {
          const line = readVerifiedLine(value)
          if (line !== undefined) each(line)
        }
        isFirst = false
        if (head?.id !== root.id) return { isOurs: false, end }
      }
    }
  } finally {
    await handle.close()
  }
  return { isOurs: head !== undefined, end }
}
