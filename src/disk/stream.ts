// Lines of a file below DATA as parsed JSON, a batch at a time. Never holds more than a piece of the file, and never
// takes a last line that has no newline: it may be half of one.

import type { FileHandle } from 'node:fs/promises'
import { mostLineBytes } from '../words/listing.ts'
import type { Root } from './layout.ts'
import { openRegular, toDisk } from './way.ts'

const newline = 10
// The first piece is small: often the head alone is wanted.
const firstBytes = 4 * 2 ** 10
const pieceBytes = 64 * 2 ** 10

export type Batch = {
  /** one a line, in order; undefined for a line that does not parse */
  readonly values: readonly unknown[]
  /** offset in the file after the last newline so far */
  readonly end: number
}

/** Lines of a file as parsed JSON, streamed; a line that does not parse is skipped, so is a last one without newline. */
export async function* jsonLines(root: Root, path: string): AsyncIterable<unknown> {
  const handle = await openRegular(root, path)
  if (handle === undefined) return
  try {
    for await (const { values } of batches(handle))
      for (const value of values) if (value !== undefined) yield value
  } finally {
    await handle.close()
  }
}

/** The same for a handle, which the caller closes; a batch at a time, since a promise for each line costs more than the line. */
export async function* batches(handle: FileHandle): AsyncGenerator<Batch> {
  const buffer = Buffer.allocUnsafe(pieceBytes)
  let rest: Buffer = Buffer.alloc(0)
  // In a line that is too long, until its newline comes.
  let passing = false
  let end = 0
  for (let position = 0; ; ) {
    const bytesRead = await readSome(handle, buffer, position)
    if (bytesRead === 0) return
    const values: unknown[] = []
    let from = 0
    for (;;) {
      const at = buffer.subarray(0, bytesRead).indexOf(newline, from)
      if (at < 0) break
      const piece = buffer.subarray(from, at)
      const line = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      values.push(passing || line.length > mostLineBytes ? undefined : parse(line, end === 0))
      rest = Buffer.alloc(0)
      passing = false
      from = at + 1
      end = position + from
    }
    const tail = buffer.subarray(from, bytesRead)
    passing ||= rest.length + tail.length > mostLineBytes
    rest = passing ? Buffer.alloc(0) : Buffer.concat([rest, tail])
    position += bytesRead
    yield { values, end }
  }
}

async function readSome(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  try {
    const { bytesRead } = await handle.read(buffer, 0, position === 0 ? firstBytes : buffer.length, position)
    return bytesRead
  } catch (error) {
    throw toDisk(error)
  }
}

function parse(line: Buffer, isFirst: boolean): unknown {
  const text = line.toString('utf8')
  try {
    // An editor may have put a byte order mark before the first line; what JSON.parse gives is never undefined.
    return JSON.parse(isFirst && text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch {
    // The caller counts what does not parse: undefined says it.
    return undefined
  }
}
