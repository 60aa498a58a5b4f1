// The one way records reach the disk, and the other steps that change names in DATA. Never follows a link,
// never makes more than one folder at a time, and never writes once another process owns the directory.

import type { Stats } from 'node:fs'
import { lstat, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import writeFileAtomic from 'write-file-atomic'
import { codeOf, Trouble } from '../words/reason.ts'
import { fence, missing, textOf } from './fence.ts'
import { layout, type Root } from './layout.ts'
import { type Stat, sameStat, toDisk, walk } from './way.ts'

export { Fenced, fence, ownership } from './fence.ts'

/** DESIGN.md rule 2: the one way JSON reaches the disk. Staged, size checked, fenced, renamed, directory synced.
 *  @param look called with the new text already on disk, immediately before the rename: throw there to leave the
 *  target as it is (a person may have changed it meanwhile)
 *  @throws Trouble `disk_full`, `disk_error`, `read_only`, `refused`; Fenced. The old file stays then, save when only
 *  the last step failed, the directory's sync: the new text is there, but it may not survive a power cut */
export async function put(
  root: Root,
  target: string,
  record: object,
  look?: () => Promise<void>,
): Promise<void> {
  await putText(root, target, `${JSON.stringify(record, null, 2)}\n`, look)
}

/** The same for text that is not JSON (INCOMPLETE.txt, .problem, markers). */
export async function putText(
  root: Root,
  target: string,
  text: string,
  look?: () => Promise<void>,
): Promise<void> {
  const staged = await stage(root, text)
  try {
    await look?.()
    await place(root, {
      from: staged,
      to: target,
      isThere: async () => (await textOf(root, target)) === text,
    })
  } catch (error) {
    await drop(staged)
    throw toDisk(error)
  }
  await syncDir(dirname(target))
  await remember(target)
}

/** What this process wrote last under a name; bounded, and losing it costs a look two seconds later. */
const written = new Map<string, Stat>()
const writtenMost = 2000

/** Is what lies at `path` what this process put there, as a whole? A person's file has to settle first. */
export function wroteLast(path: string, found: Stat): boolean {
  return sameStat(written.get(path), found)
}

async function remember(path: string): Promise<void> {
  try {
    const { size, mtimeMs, ino } = await lstat(path)
    written.delete(path)
    written.set(path, { size, mtimeMs, ino })
    if (written.size > writtenMost)
      for (const oldest of [...written.keys()].slice(0, 500)) written.delete(oldest)
  } catch {
    // Moved on already: then nobody will ask for it under this name.
  }
}

/** Text in a file of its own in the staging folder, synced, its size looked at; what put() renames.
 *  @returns its path; the caller renames or removes it */
export async function stage(root: Root, text: string): Promise<string> {
  const path = await stagingPath(root)
  try {
    await writeFileAtomic(path, text, { chown: false })
    // A full disk cuts the text short and write-file-atomic 7.0.1 resolves all the same (tmpfs), so
    // the size is looked at while the old file still has its name.
    const { size } = await stat(path)
    const meant = Buffer.byteLength(text)
    if (size !== meant) throw new Trouble('disk_full', `only ${size} of ${meant} bytes could be written`)
    return path
  } catch (error) {
    await drop(path)
    throw toDisk(error)
  }
}

let staged = 0

/** A path in the staging folder that nothing else in this process uses. The folder is made anew when somebody removed
 *  it, but never .rucio: a directory that lost it is not mounted, and must not be filled.
 *  @throws Trouble `read_only` when .rucio is missing or of a newer format */
export async function stagingPath(root: Root): Promise<string> {
  writable(root)
  const dir = layout.staging(root)
  if (!(await isDir(root, dir))) {
    if (!(await isDir(root, layout.own(root)))) throw missing()
    // Whoever has taken DATA over removed it: then nothing is made there any more.
    await fence(root)
    await makeDir(layout.stagings(root))
    await makeDir(dir)
  }
  return join(dir, String(++staged))
}

/** Fence, rename, sync both directories. Replaces the target. Where `from` is absent and `to` is there it was done
 *  already (by a process that was killed, or by an NFS server whose answer was lost), and only the sync is repeated.
 *  @throws Trouble `refused` for a link; `disk_error` when neither is there; as put() */
export async function move(root: Root, from: string, to: string): Promise<void> {
  writable(root)
  const before = await walk(root, from)
  if (before?.isSymbolicLink() === true)
    throw new Trouble('refused', `${relative(root.dir, from)} is a link, and links are not followed`)
  await place(root, { from, to, isThere: async () => isSame(before, await walk(root, to)) })
  await syncDir(dirname(to))
  if (dirname(from) !== dirname(to)) await syncDir(dirname(from))
}

/** Fence, unlink, sync the directory. Absent already is fine; a link goes itself, not what it points to. */
export async function remove(root: Root, path: string): Promise<void> {
  writable(root)
  const found = await walk(root, path)
  if (found === undefined) return
  await fence(root)
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw toDisk(error)
  }
  await syncDir(dirname(path))
}

/** mkdir (never recursive), parent synced. There already is fine; a link there is a Trouble('refused').
 *  @param root where given the way to it is looked at too, and this process must still own DATA: for the folders that
 *  lie directly in DATA, which else could be made in an empty mount point */
export async function makeDir(path: string, root?: Root): Promise<void> {
  if (root !== undefined) {
    writable(root)
    if (!(await isDir(root, layout.own(root)))) throw missing()
    await walk(root, path)
    await fence(root)
  }
  try {
    await mkdir(path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw toDisk(error)
    const found = await lstat(path)
    if (!found.isDirectory())
      throw new Trouble(
        'refused',
        `${basename(dirname(path))}/${basename(path)} is no folder (links are not followed)`,
      )
    return
  }
  await syncDir(dirname(path))
}

const cannotSyncDirs = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'ENOSYS']

/** Makes the names in a directory survive a power cut. EINVAL, ENOTSUP, EPERM, ENOSYS tolerated: such a share keeps
 *  its names in its own way. A handle whose sync failed is never synced again: the kernel has marked the pages clean. */
export async function syncDir(dir: string): Promise<void> {
  try {
    const handle = await open(dir, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!cannotSyncDirs.includes(codeOf(error) ?? '')) throw toDisk(error)
  }
}

/** Renames after the fence, and syncs nothing: move() does, or the caller for many names at once.
 *  A virus scanner or indexer may hold a file open on a share: five tries in a second. */
export async function place(
  root: Root,
  { from, to, isThere }: { readonly from: string; readonly to: string; isThere(): Promise<boolean> },
): Promise<void> {
  if (!(await isDir(root, dirname(to))))
    throw new Trouble('disk_error', `the folder of ${relative(root.dir, to)} has gone`)
  for (const pauseMs of [50, 150, 300, 500, 0]) {
    await fence(root)
    try {
      return await rename(from, to)
    } catch (error) {
      const code = codeOf(error) ?? ''
      if (code === 'ENOENT') {
        // NFS may carry a rename out, lose its answer, and refuse the repetition.
        if (await isThere()) return
        throw new Trouble('disk_error', `${relative(root.dir, from)} has gone`, error)
      }
      if (pauseMs === 0 || !['EBUSY', 'EACCES', 'EPERM'].includes(code)) throw toDisk(error)
      await sleep(pauseMs)
    }
  }
}

/** Is what lies at the target what was to be moved? Where nothing was there to be moved, anything is: it came before. But what
 *  a person deleted in the instant before the rename must not pass for an older file of the target's name. */
function isSame(before: Stats | undefined, there: Stats | undefined): boolean {
  if (before === undefined || there === undefined) return there !== undefined
  // Some shares number a file anew when it is renamed, none changes its size and time.
  return before.ino === there.ino || (before.size === there.size && before.mtimeMs === there.mtimeMs)
}

async function isDir(root: Root, path: string): Promise<boolean> {
  // DATA itself may be reached over a link; when it has gone, the call that follows says so.
  if (path === root.dir) return true
  const found = await walk(root, path)
  if (found !== undefined && !found.isDirectory())
    throw new Trouble('refused', `${relative(root.dir, path)} is no folder (links are not followed)`)
  return found !== undefined
}

async function drop(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // It may never have come to be; and what is left in staging/ goes at the next start.
  }
}

function writable(root: Root): void {
  if (root.readOnly === true)
    throw new Trouble(
      'read_only',
      'a newer version of desktop-rucio made this data directory: update this one',
    )
}
