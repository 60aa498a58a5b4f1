// A file below staging/ that a program writes and we read while it grows. Never follows a link, and never becomes a part or a file itself.

import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import type { Root } from './layout.ts'
import { stagingPath } from './put.ts'
import { toDisk } from './way.ts'

export type Growing = {
  /** absolute, for the program that writes there */
  readonly path: string
  /** its length now, in bytes */
  size(): Promise<number>
  /** @returns bytes read into `into`, from the file's byte `at` on; 0 at its end for now */
  read(into: Uint8Array, at: number): Promise<number>
  /** Closed and gone. What a program that is alive still writes there goes nowhere. */
  close(): Promise<void>
}

/** @param bytes its length at first: a hole, which takes no room where the file system knows holes
 *  @throws Trouble as stagingPath(); disk_full, disk_error */
export async function openGrowing(root: Root, bytes: number): Promise<Growing> {
  const path = await stagingPath(root)
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  let handle: FileHandle
  try {
    handle = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  } catch (error) {
    throw toDisk(error)
  }
  const file: Growing = {
    path,
    async size() {
      try {
        return (await handle.stat()).size
      } catch (error) {
        throw toDisk(error)
      }
    },
    async read(into, at) {
      try {
        return (await handle.read(into, 0, into.length, at)).bytesRead
      } catch (error) {
        throw toDisk(error)
      }
    },
    async close() {
      try {
        await handle.close()
        await unlink(path)
      } catch (error) {
        throw toDisk(error)
      }
    },
  }
  try {
    await handle.truncate(bytes)
    return file
  } catch (error) {
    await file.close()
    throw toDisk(error)
  }
}
