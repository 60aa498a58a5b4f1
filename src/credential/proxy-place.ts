// Where a proxy that we make lies: a directory of this user alone, in memory where there is one, never in DATA. Never writes a proxy.

import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import type { Env } from '../words/env.ts'
import { codeOf, Trouble } from '../words/reason.ts'

/** What the C++ client calls the bare key that it talks to the server with (voms-clients 2.1.1). TMPDIR does not move it. */
const temporaryKey = /^tmp_x509up_u(\d+)_(\d+)$/
const temporaryDir = '/tmp'

/** One file for each data directory of a user: $XDG_RUNTIME_DIR/desktop-rucio/x509up_HASH.pem, else below the temporary directory.
 *  @param dataDir absolute; a proxy there would be copied with the data
 *  @returns Trouble('auth') when the place would lie in the data directory */
export async function proxyPathFor(dataDir: string, env: Env): Promise<string | Trouble> {
  const runtime = env['XDG_RUNTIME_DIR'] ?? ''
  const base = runtime.startsWith('/') && (await isOurs(runtime)) ? runtime : undefined
  const dir =
    env['DESKTOP_RUCIO_PROXY_DIR'] ??
    (base === undefined ? join(tmpdir(), `desktop-rucio-${ownUid()}`) : join(base, 'desktop-rucio'))
  if (!dir.startsWith('/'))
    return new Trouble('auth', `DESKTOP_RUCIO_PROXY_DIR takes an absolute path, not ${JSON.stringify(dir)}`)
  if (`${dir}${sep}`.startsWith(`${dataDir}${sep}`))
    return new Trouble(
      'auth',
      `a proxy must not lie in the data directory (${dir}): set DESKTOP_RUCIO_PROXY_DIR`,
    )
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  return join(dir, `x509up_${hash}.pem`)
}

/** Makes the directory of `path`, mode 0700. @throws Trouble('auth') when it is another user's, a link, or cannot be made */
export async function makePlace(path: string): Promise<void> {
  const dir = dirname(path)
  try {
    await mkdir(dir, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw new Trouble('auth', `the directory for proxies ${dir} cannot be made (${codeOf(error)})`, error)
  }
  const found = await lstat(dir)
  if (!found.isDirectory() || found.uid !== ownUid())
    throw new Trouble(
      'auth',
      `${dir}, where the proxy would lie, belongs to another user or is no directory: remove it, or set DESKTOP_RUCIO_PROXY_DIR`,
    )
  if ((found.mode & 0o077) !== 0) await chmod(dir, 0o700)
}

/** Removes what a try that was killed has left beside `path`: half a proxy, a copy of the key. Nobody else writes there. */
export async function clearPlace(path: string): Promise<void> {
  const dir = dirname(path)
  for (const name of await readdir(dir))
    if (name.startsWith(`${path.slice(dir.length + 1)}.`)) await remove(join(dir, name))
}

/** Makes a name durable, as far as the file system of a proxy is. */
export async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The C++ client that was killed leaves its key in /tmp, unencrypted. @param pid of a client of ours that is gone */
export async function removeTemporaryKey(pid: number): Promise<void> {
  await removeOwn(join(temporaryDir, `tmp_x509up_u${ownUid()}_${pid}`))
}

/** The same for those that ended with a daemon that was killed: keys of this user whose process is gone. @returns how many */
export async function removeOrphanedKeys(): Promise<number> {
  let count = 0
  for (const name of await readdir(temporaryDir)) {
    const [, uid, pid] = temporaryKey.exec(name) ?? []
    if (pid === undefined || Number(uid) !== ownUid() || isAlive(Number(pid))) continue
    if (await removeOwn(join(temporaryDir, name))) count += 1
  }
  return count
}

async function removeOwn(path: string): Promise<boolean> {
  try {
    const found = await lstat(path)
    if (!found.isFile() || found.uid !== ownUid()) return false
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  return await remove(path)
}

/** @returns false when it was gone already */
export async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process of that number lives: then the file, which is ours, is not its.
    return codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM'
  }
}

async function isOurs(dir: string): Promise<boolean> {
  try {
    const found = await lstat(dir)
    return found.isDirectory() && found.uid === ownUid()
  } catch {
    // It is not there, or not to be looked at: then it is no place for us.
    return false
  }
}

function ownUid(): number {
  return process.getuid?.() ?? 0
}
