// Checksums of a file that lies on the disk, by reading it. Never judges them, and never vouches for a file that changed meanwhile.

import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { AdlerMemory, printAdler32 } from '../words/adler32.ts'
import { codeOf } from '../words/reason.ts'
import type { Root } from './layout.ts'
import { openRegular, statRegular } from './read.ts'
import { toDisk } from './way.ts'

export type Sums = {
  readonly bytes: number
  readonly adler32: string
  readonly md5: string
  readonly mtimeMs: number
}

const pieceBytes = 2 ** 20
// WebAssembly memory is given back late; a few files are read at a time and share these.
const idle: AdlerMemory[] = []

/** Adler32 and md5 of a file by reading it (1 MiB at a time), with size and mtime before and after: undefined when it changed meanwhile
 *  or is not there. What was read is also synced: bytes that somebody else wrote may lie in memory only.
 *  @throws Trouble `refused` for links and the like; others as the disk has it; what `signal` gives as its reason */
export async function readSums(root: Root, path: string, signal: AbortSignal): Promise<Sums | undefined> {
  signal.throwIfAborted()
  const handle = await openRegular(root, path)
  if (handle === undefined) return undefined
  const memory = idle.pop() ?? new AdlerMemory(pieceBytes)
  try {
    const before = await handle.stat()
    const md5 = createHash('md5')
    let adler = 1
    let bytes = 0
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await handle.read(memory.bytes, 0, pieceBytes, bytes)
      if (bytesRead === 0) break
      adler = memory.sum(adler, 0, bytesRead)
      md5.update(memory.bytes.subarray(0, bytesRead))
      bytes += bytesRead
    }
    await syncRead(handle)
    const after = await handle.stat()
    const there = await statRegular(root, path)
    if (bytes !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      return undefined
    // Another file may have been put in its place by a rename.
    if (there?.ino !== before.ino || there.mtimeMs !== before.mtimeMs) return undefined
    return { bytes, adler32: printAdler32(adler), md5: md5.digest('hex'), mtimeMs: before.mtimeMs }
  } catch (error) {
    throw toDisk(error)
  } finally {
    idle.push(memory)
    await handle.close()
  }
}

async function syncRead(handle: FileHandle): Promise<void> {
  try {
    await handle.sync()
  } catch (error) {
    // Some shares sync no file that is open for reading alone, and keep what they took in their own way.
    if (!['EINVAL', 'EBADF', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error
  }
}
