// proper-lockfile, tamed: a lock is a directory whose mtime is renewed. Never removes one that may be another's.

import fs from 'node:fs'
import { join } from 'node:path'
import { callbackify, promisify } from 'node:util'
import lockfile from 'proper-lockfile'
import { readOwner } from '../words/owner.ts'
import { codeOf } from '../words/reason.ts'
import { parseJson } from '../words/text.ts'
import type { World } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import { makeDir, ownership } from './put.ts'
import { toDisk } from './way.ts'

export type LockOptions = {
  readonly root: Root
  readonly world: World
  readonly staleMs: number
  readonly updateMs: number
  /** owner.json was made ours under this lock; else the lock, once stale, may be removed whoever made it */
  isMine(): boolean
  /** @param at ms since 1970 */
  renewed(at: number): void
  /** others touched the lock, or it could not be renewed in time; it is not renewed any more */
  compromised(): void
}

export type Locked =
  | { readonly kind: 'held'; readonly unlock: () => Promise<void> }
  | { readonly kind: 'busy' }
  /** the file system lets no mtime be set, so no lock can be kept */
  | { readonly kind: 'unsupported'; readonly code: string }

// EINVAL: what some FUSE file systems say of utimes.
const cannotRenew = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']

/** One try to take the lock; it is renewed from then on.
 *  @throws Trouble when the disk takes no write */
export async function tryLock(options: LockOptions): Promise<Locked> {
  const { root, staleMs, updateMs } = options
  try {
    const unlock = await lockfile.lock(layout.owner(root), {
      stale: staleMs,
      update: updateMs,
      retries: 0,
      realpath: false,
      lockfilePath: layout.lease(root),
      fs: guardedFs(options),
      onCompromised: () => options.compromised(),
    })
    return { kind: 'held', unlock }
  } catch (error) {
    const code = codeOf(error) ?? ''
    // ENOTEMPTY, EEXIST: another process was faster with a stale one, or put something into it at this moment.
    if (code === 'ELOCKED' || code === 'ENOTEMPTY' || code === 'EEXIST') return { kind: 'busy' }
    if (code === 'ENOENT') {
      // Somebody removed .rucio/lock; without .rucio this throws.
      await makeDir(layout.lock(root))
      return { kind: 'busy' }
    }
    const isUtime = error instanceof Error && 'syscall' in error && error.syscall === 'utime'
    if (!isUtime || !cannotRenew.includes(code)) throw toDisk(error)
    await dropFresh(layout.lease(root))
    return { kind: 'unsupported', code }
  }
}

/** What proper-lockfile may do to the disk. Its own rmdir, and above all its exit hook's rmdirSync, would remove the lock
 *  of whoever holds it, and would fail for ever on a .DS_Store that a file manager left in it. */
function guardedFs(options: LockOptions): object {
  const { root } = options
  return {
    mkdir: fs.mkdir,
    stat: fs.stat,
    utimes: callbackify((path: string, atime: Date, mtime: Date) => renew(options, { path, atime, mtime })),
    rmdir: callbackify((path: string) => removeLock(options, path)),
    rmdirSync(path: string) {
      const parsed = parseJson(fs.readFileSync(layout.owner(root), 'utf8'))
      const owner = 'json' in parsed ? readOwner(parsed.json) : undefined
      if (options.isMine() && owner?.boot_id === root.bootId) fs.rmdirSync(path)
    },
  }
}

async function renew(
  options: LockOptions,
  { path, atime, mtime }: { readonly path: string; readonly atime: Date; readonly mtime: Date },
): Promise<void> {
  // proper-lockfile knows its lock by the mtime alone, and dates a new one to the next full second: two that were made
  // within one are the same to it. Renewing another's would keep it fresh for ever, and us from learning that we lost.
  // It takes ENOENT for "compromised" at once, and any other code for that after `staleMs`.
  const whose = options.isMine() ? await ownership(options.root) : 'ours'
  if (whose !== 'ours')
    throw Object.assign(new Error(`the lock is not renewed: ${whose}`), {
      code: whose === 'another' ? 'ENOENT' : 'EAGAIN',
    })
  const at = options.world.now()
  await promisify(fs.utimes)(path, atime, mtime)
  options.renewed(at)
}

async function removeLock(options: LockOptions, path: string): Promise<void> {
  const { readdir, rm, rmdir, stat } = fs.promises
  if (options.isMine()) {
    if ((await ownership(options.root)) !== 'ours') return
  } else if ((await stat(path)).mtimeMs >= Date.now() - options.staleMs) {
    // proper-lockfile found it stale, but another process was faster and this is its fresh one.
    throw Object.assign(new Error('the lock is fresh'), { code: 'ELOCKED' })
  }
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true })
  await rmdir(path)
}

/** The lock that this process made a moment ago and cannot keep. */
export async function dropFresh(path: string): Promise<void> {
  try {
    await fs.promises.rmdir(path)
  } catch {
    // It goes stale by itself, and the next one to start waits for that.
  }
}
