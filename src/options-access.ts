// Who may reach the HTTP interface: --socket PATH and API_TOKEN -> what the web needs, or one sentence on what is wrong. And the warning
// where neither keeps other users of this machine out. Never opens the socket.

import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Env } from './words/env.ts'
import { codeOf } from './words/reason.ts'

export type Access = {
  /** absolute; then no port is listened on unless --host names an address */
  readonly socketPath?: string
  /** what each request must show as `Authorization: Bearer TOKEN` */
  readonly token?: string
}

/** sun_path of Linux holds 108 bytes with its end, of macOS 104. */
const mostPathBytes = 103
const mostTokenBytes = 4096

/** @param socket --socket, or DESKTOP_RUCIO_SOCKET
 *  @param data the data directory, absolute: a socket is no data, and file systems of shares hold none */
export async function readAccess(
  socket: string | undefined,
  data: string,
  env: Env,
): Promise<Access | { readonly message: string }> {
  const socketPath = socket === undefined ? undefined : resolve(socket)
  if (socketPath !== undefined && Buffer.byteLength(socketPath) > mostPathBytes)
    return {
      message: `--socket: a path of over ${mostPathBytes} bytes is too long for a socket: ${socketPath}`,
    }
  if (socketPath?.startsWith(`${data}/`) === true)
    return { message: `--socket: ${socketPath} lies in the data directory; choose another place` }
  const token = await readToken(env)
  if (typeof token === 'object') return token
  return {
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(token === undefined ? {} : { token }),
  }
}

/** Where a machine tells who is at work on it. */
const places = { proc: '/proc', run: '/run/user', subuid: '/etc/subuid' }

/** On a login node everybody reaches a port of loopback.
 *  @param at where there is none of these (macOS) nothing is known, and nothing said
 *  @returns the warning, or undefined */
export async function othersMayReach(
  access: Access,
  hosts: readonly string[],
  at: Partial<typeof places> = {},
): Promise<string | undefined> {
  if (access.token !== undefined || hosts.length === 0) return undefined
  const others = await otherUsers({ ...places, ...at })
  if (others === 0) return undefined
  return `${others === 1 ? 'another user is' : `${others} other users are`} at work on this machine and can use this daemon through its port: start it with --socket PATH, or set API_TOKEN_FILE`
}

async function readToken(env: Env): Promise<string | undefined | { readonly message: string }> {
  const path = env['API_TOKEN_FILE']
  let text = env['API_TOKEN'] ?? ''
  if (path !== undefined && path !== '') {
    try {
      if ((await stat(path)).size > mostTokenBytes) return { message: `${path} is no file with a token` }
      text = (await readFile(path, 'utf8')).replace(/^\ufeff/, '').split(/\r?\n/)[0] ?? ''
    } catch (error) {
      return { message: `API_TOKEN_FILE: ${path} cannot be read (${codeOf(error) ?? String(error)})` }
    }
    // An empty file must not open the door that it was to close.
    if (text === '') return { message: `API_TOKEN_FILE: ${path} is empty` }
  }
  if (text === '') return undefined
  if (!/^[\x21-\x7e]{16,}$/.test(text))
    return { message: 'API_TOKEN takes 16 or more characters without blanks, such as: openssl rand -hex 16' }
  return text
}

/** How many people besides us have processes or a login here. Who mounts /proc so that each sees only his own (hidepid, as login nodes
 *  do) still shows whose /run/user is made. */
async function otherUsers({ proc, run, subuid }: typeof places): Promise<number> {
  const uids = new Set<number>()
  for (const name of await namesIn(run)) uids.add(Number(name))
  for (const name of await namesIn(proc)) {
    try {
      uids.add((await stat(join(proc, name))).uid)
    } catch {
      // It has ended meanwhile.
    }
  }
  const lent = await lentIds(subuid)
  const own = process.getuid?.()
  return [...uids].filter(
    uid => uid !== own && isPerson(uid) && !lent.some(([from, to]) => uid >= from && uid < to),
  ).length
}

/** By systemd's table (UIDS-GIDS.md): below 1000 is the system, from 60000 to 65535 Debian's and systemd's own and nobody, from 524288
 *  to 1879048191 containers. A site with many people numbers them beyond 65535 too. */
function isPerson(uid: number): boolean {
  return (
    (uid >= 1000 && uid < 60_000) || (uid > 65_535 && uid < 524_288) || (uid > 1_879_048_191 && uid < 2 ** 31)
  )
}

/** Ids that users have for their own containers: NAME:FIRST:COUNT, one a line. */
async function lentIds(subuid: string): Promise<[from: number, to: number][]> {
  let text: string
  try {
    text = await readFile(subuid, 'utf8')
  } catch {
    // None are lent here.
    return []
  }
  return [...text.matchAll(/^[^:#]+:(\d+):(\d+)$/gm)].map(([, from, count]) => [
    Number(from),
    Number(from) + Number(count),
  ])
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter(name => /^[0-9]+$/.test(name))
  } catch {
    // Another system has none.
    return []
  }
}
