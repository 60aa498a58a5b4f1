// A folder below staging/ for a program that brings a file, and the file that it left there. Never follows a link, and gives nothing a
// name outside of it: what a killed daemon left goes with its staging folder at the next start.

import type { Dirent } from 'node:fs'
import { type FileHandle, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../words/reason.ts'
import type { Root } from './layout.ts'
import { makeDir, stagingPath } from './put.ts'
import { openRegular, statRegular, toDisk } from './way.ts'

export type Scratch = {
  /** absolute, empty at first, on the disk of DATA */
  readonly dir: string
  /** all that lies there, in bytes; what goes while it is looked at counts as nothing */
  bytes(): Promise<number>
  /** The regular file of that name, whose slashes are folders, opened for reading; the caller closes it. undefined when absent.
   *  @param name relative, without `.` and `..`: a DID's name that has passed its parser
   *  @throws Trouble `refused` for links and the like */
  open(name: string): Promise<{ readonly handle: FileHandle; readonly bytes: number } | undefined>
  /** The folder goes, with all that lies in it. */
  close(): Promise<void>
}

/** @throws Trouble as stagingPath() */
export async function openScratch(root: Root): Promise<Scratch> {
  const dir = await stagingPath(root)
  await makeDir(dir)
  return {
    dir,
    bytes: () => bytesBelow(root, dir),
    async open(name) {
      const handle = await openRegular(root, join(dir, name))
      if (handle === undefined) return undefined
      try {
        return { handle, bytes: (await handle.stat()).size }
      } catch (error) {
        await handle.close()
        throw toDisk(error)
      }
    },
    close: () => removeTree(dir),
  }
}

/** A file or folder goes with all that lies below it. Absent already is fine; a link goes itself, not what it points to. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 })
  } catch (error) {
    throw toDisk(error)
  }
}

async function bytesBelow(root: Root, dir: string): Promise<number> {
  let sum = 0
  for (const entry of await entriesOf(dir)) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) sum += await bytesBelow(root, path)
    else if (entry.isFile()) sum += (await statRegular(root, path))?.size ?? 0
  }
  return sum
}

async function entriesOf(dir: string): Promise<Dirent[]> {
  try {
    return await readdir(dir, { withFileTypes: true })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw toDisk(error)
  }
}
