// Looks for files under the mount of a site's storage: are they there, each with its size? Never writes there, never opens a file,
// never leaves the mount, and never lets one that hangs take more than two of Node's threads.

import { lstat, opendir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf, Trouble } from '../words/reason.ts'
import { openGate } from './gate.ts'

export type MountSeen =
  | { readonly kind: 'absent' }
  /** there is nothing in it: most often the directory under a mount that is not mounted */
  | { readonly kind: 'empty' }
  /** it may not be looked into, or its file system says that it has a fault */
  | { readonly kind: 'closed'; readonly code: string }
  | { readonly kind: 'open'; readonly real: string }

/** How one file is seen. `outside`: a link leads out of the mount. */
export type FileUnderMount = 'seen' | 'absent' | 'size' | 'no file' | 'outside' | 'no right'

/** A hard NFS mount whose server is gone answers nothing at all, and the call cannot be taken back. Node has four threads for all
 *  disks; the other two are left for the data directory. Shorter than a call of the web waits for a disk: its answer shall say what is wrong. */
const gate = openGate(2, 4000)
/** Files whose turn is waited for at the same time. */
const batchLength = 2

/** What lies at the mount itself. The way to it may lead over links: /storage often is one.
 *  @throws Trouble `disk_error` when it does not answer within 4 s */
export async function lookAtMount(mount: string): Promise<MountSeen> {
  return await gate.run(mount, async () => {
    try {
      const real = await realpath(mount)
      const dir = await opendir(real)
      try {
        return (await dir.read()) === null ? { kind: 'empty' } : { kind: 'open', real }
      } finally {
        await dir.close()
      }
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
      if (code === undefined) throw error
      return { kind: 'closed', code }
    }
  })
}

/** Looks at many files below one mount. Links are followed as sites have them, and only to what lies inside the mount as well.
 *  @param real of lookAtMount()
 *  @returns in the order of `files`
 *  @throws Trouble `disk_error` when the mount does not answer, or has a fault */
export async function lookUnder(
  mount: string,
  real: string,
  files: readonly { readonly place: string; readonly bytes: number }[],
): Promise<FileUnderMount[]> {
  /** directory -> where it really lies: most files share theirs, or its neighbours */
  const dirs = new Map<string, Promise<string | FileUnderMount>>()
  const dirOf = (place: string): Promise<string | FileUnderMount> => {
    const dir = dirname(place)
    const known = dirs.get(dir) ?? gate.run(mount, () => realInside(real, join(real, dir)))
    dirs.set(dir, known)
    return known
  }
  const found: FileUnderMount[] = []
  for (let from = 0; from < files.length; from += batchLength) {
    const batch = files.slice(from, from + batchLength).map(async ({ place, bytes }) => {
      const dir = await dirOf(place)
      if (isWord(dir)) return dir
      return await gate.run(mount, () =>
        lookAtFile(real, join(dir, place.slice(place.lastIndexOf('/') + 1)), bytes),
      )
    })
    found.push(...(await Promise.all(batch)))
  }
  return found
}

const words: readonly string[] = ['absent', 'outside', 'no right']

function isWord(value: string): value is FileUnderMount {
  return words.includes(value)
}

async function lookAtFile(real: string, path: string, bytes: number): Promise<FileUnderMount> {
  try {
    let stats = await lstat(path)
    if (stats.isSymbolicLink()) {
      const target = await realInside(real, path)
      if (isWord(target)) return target
      stats = await stat(target)
    }
    if (!stats.isFile()) return 'no file'
    return stats.size === bytes ? 'seen' : 'size'
  } catch (error) {
    return wordOf(error)
  }
}

/** Where a path really lies, or the word for why it does not count. A real path begins with a slash, so it is no word. */
async function realInside(real: string, path: string): Promise<string | FileUnderMount> {
  try {
    const target = await realpath(path)
    return target === real || target.startsWith(real === '/' ? '/' : `${real}/`) ? target : 'outside'
  } catch (error) {
    return wordOf(error)
  }
}

function wordOf(error: unknown): FileUnderMount {
  const code = codeOf(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent'
  if (code === 'EACCES' || code === 'EPERM') return 'no right'
  if (code === 'ELOOP') return 'outside'
  if (code === undefined) throw error
  throw new Trouble('disk_error', `the mounted storage gave ${code}`, error)
}
