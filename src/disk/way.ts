// The way to a file below DATA: every component looked at, no link followed. Never writes.

import type { Stats } from 'node:fs'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { codeOf, Trouble, toTrouble } from '../words/reason.ts'
import type { Root } from './layout.ts'

// More at once gains nothing over the four threads that Node has for the disk, and other reads wait behind them.
const atOnce = 32

export type Stat = { readonly size: number; readonly mtimeMs: number; readonly ino: number }

/** lstat of each component below DATA, in order (DATA itself may be reached over a link).
 *  @returns lstat of the last one, which may be anything; undefined when it or one before it is absent
 *  @throws Trouble `refused` when one before the last is a link or no directory; others as toDisk() names them */
export async function walk(root: Root, path: string): Promise<Stats | undefined> {
  const parts = partsOf(root, path)
  const seen = parts.length > 1 ? await walkAtOnce(path) : 'unsure'
  if (seen !== 'unsure') return seen
  let here = root.dir
  let found: Stats | undefined
  for (const [index, part] of parts.entries()) {
    here = join(here, part)
    found = await lstatOrNone(here)
    if (found === undefined) return undefined
    if (index < parts.length - 1 && !found.isDirectory())
      throw new Trouble('refused', `${relative(root.dir, here)} is no folder${aLink(found)}`)
  }
  return found
}

/** The usual case in two calls, however long the way is: its folder's real path is the path itself, so there is no link on the way.
 *  root.dir is a real path, too; where it is none, or the file system names things in its own way, each component is looked at. */
async function walkAtOnce(path: string): Promise<Stats | undefined | 'unsure'> {
  const dir = dirname(path)
  const [real, found] = await Promise.all([
    realpath(dir).catch(() => undefined),
    lstat(path).catch(error => (codeOf(error) === 'ENOENT' ? undefined : ('unsure' as const))),
  ])
  return real === dir ? found : 'unsure'
}

/** lstat of a regular file below DATA; undefined when absent.
 *  @throws Trouble `refused` for links and whatever else is no regular file */
export async function statRegular(root: Root, path: string): Promise<Stat | undefined> {
  const found = await walk(root, path)
  if (found !== undefined && !found.isFile()) throw notRegular(root, path, found)
  return found
}

/** Nothing was written between two looks, as far as size, mtime and inode tell. */
export function sameStat(a: Stat | undefined, b: Stat | undefined): boolean {
  return a?.size === b?.size && a?.mtimeMs === b?.mtimeMs && a?.ino === b?.ino
}

/** `wanted`, or `wanted-2`, `wanted-3`, …: the first under which nothing lies. */
export async function freePath(root: Root, wanted: string): Promise<string> {
  let free = wanted
  for (let n = 2; (await walk(root, free)) !== undefined; n++) free = `${wanted}-${n}`
  return free
}

/** The same for many files of one folder, whose way is walked once: lstat of thousands costs what a walk to each would cost thrice.
 *  @returns a Trouble `refused` for what is no regular file; what is absent is left out
 *  @throws Trouble when the disk does not answer */
export async function statEach(
  root: Root,
  dir: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, Stat | Trouble>> {
  const found = new Map<string, Stat | Trouble>()
  if ((await walk(root, dir))?.isDirectory() !== true) return found
  for (let from = 0; from < files.length; from += atOnce) {
    const batch = files.slice(from, from + atOnce)
    const stats = await Promise.all(batch.map(file => lstatOrNone(join(dir, file))))
    for (const [index, file] of batch.entries()) {
      const stat = stats[index]
      if (stat !== undefined) found.set(file, stat.isFile() ? stat : notRegular(root, join(dir, file), stat))
    }
  }
  return found
}

/** A regular file below DATA, opened for reading; the caller closes it. undefined when absent.
 *  @throws Trouble `refused` for a link on the way or at its end, for a FIFO, socket, device or folder */
export async function openRegular(root: Root, path: string): Promise<FileHandle | undefined> {
  for (let again = true; ; again = false) {
    const seen = await statRegular(root, path)
    if (seen === undefined) return undefined
    try {
      return await openSame(root, path, seen)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      // NFS: the server forgot the handle that the name led to; a second look leads to the new one.
      if (codeOf(error) === 'ESTALE' && again) continue
      throw toDisk(error)
    }
  }
}

/** All bytes of a small regular file below DATA, with the state it had before they were read.
 *  @returns undefined when absent
 *  @throws Trouble `refused` when it is over `most` bytes, or for what openRegular() refuses */
export async function readBytes(
  root: Root,
  path: string,
  most: number,
): Promise<{ readonly bytes: Uint8Array; readonly stat: Stat } | undefined> {
  const handle = await openRegular(root, path)
  if (handle === undefined) return undefined
  try {
    const stat = await handle.stat()
    const tooBig = () => new Trouble('refused', `${relative(root.dir, path)} is over ${most} bytes`)
    if (stat.size > most) throw tooBig()
    const bytes = await handle.readFile()
    if (bytes.length > most) throw tooBig()
    return { bytes, stat }
  } catch (error) {
    throw toDisk(error)
  } finally {
    await handle.close()
  }
}

/** A failed call to the file system as a Trouble; what is none (Fenced, a bug) comes back as it was. */
export function toDisk(error: unknown): unknown {
  const code = codeOf(error)
  if (error instanceof Trouble || code === undefined || !(error instanceof Error) || !('syscall' in error))
    return error
  const what = `${String(error.syscall)} gave ${code}`
  if (['ELOOP', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(code))
    return new Trouble('refused', `something else lies where a file or folder of ours should: ${what}`, error)
  const known = toTrouble(error)
  // EXDEV, ENAMETOOLONG, ENXIO and whatever else a disk says: never our bug, and never final.
  return known.reason === 'bug' ? new Trouble('disk_error', what, error) : known
}

async function lstatOrNone(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw toDisk(error)
  }
}

async function openSame(root: Root, path: string, seen: Stat): Promise<FileHandle> {
  // O_NONBLOCK: a FIFO that took the file's place since lstat would hold an open() for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const opened = await handle.stat()
    if (!opened.isFile()) throw notRegular(root, path, opened)
    // Another file since lstat: an honest rename, as put() does, unless a link led here. A second look tells.
    if (opened.ino !== seen.ino) await statRegular(root, path)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

function partsOf(root: Root, path: string): string[] {
  const parts = relative(root.dir, path).split(sep)
  // Nobody else joins paths than layout.ts, so this is a fault of ours and no message for a person.
  if (parts.includes('..') || parts[0] === '') throw new Error(`not below the data directory: ${path}`)
  return parts
}

function notRegular(root: Root, path: string, found: Stats): Trouble {
  return new Trouble('refused', `${relative(root.dir, path)} is no regular file${aLink(found)}`)
}

function aLink(found: Stats): string {
  return found.isSymbolicLink() ? ' but a link, and links are not followed' : ''
}
