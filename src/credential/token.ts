// The bearer token for storages, found where WLCG says. Never keeps it: agents replace the file at any time.

import { constants, open } from 'node:fs/promises'
import { endOfToken } from '../words/auth.ts'
import type { Env } from '../words/env.ts'
import { codeOf, Trouble } from '../words/reason.ts'

export type Token = {
  readonly text: string
  /** ms since 1970, from the token itself; undefined for one that does not say */
  readonly end: number | undefined
  /** named by BEARER_TOKEN or BEARER_TOKEN_FILE, not just found lying there */
  readonly configured: boolean
}

const mostBytes = 65_536

/** WLCG Bearer Token Discovery (doi 10.5281/zenodo.3937438), as the official client follows it: BEARER_TOKEN, file BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<uid>, /tmp/bt_u<uid>; the first that is not empty.
 *  @param uid the effective one; undefined where users have no numbers
 *  @returns undefined without one; Trouble('auth') for one that cannot be read or sent */
export async function findToken(env: Env, uid: number | undefined): Promise<Token | Trouble | undefined> {
  const direct = env['BEARER_TOKEN']?.trim() ?? ''
  if (direct !== '') return asToken(direct, 'BEARER_TOKEN', true)
  const runtime = env['XDG_RUNTIME_DIR'] ?? ''
  const places = [
    env['BEARER_TOKEN_FILE'] ?? '',
    uid === undefined || runtime === '' ? '' : `${runtime}/bt_u${uid}`,
    uid === undefined ? '' : `/tmp/bt_u${uid}`,
  ]
  for (const [i, path] of places.entries()) {
    if (path === '') continue
    const text = await textOf(path, i === 0 ? undefined : uid)
    if (text instanceof Trouble) return text
    if (text !== '') return asToken(text, path, i === 0)
  }
  return undefined
}

/** @param owner whose file it must be (or root's); undefined = anybody's
 *  @returns '' for what is not there, or is another user's: in /tmp anybody may lay down a file of that name, and our requests would
 *    go out in his name */
async function textOf(path: string, owner: number | undefined): Promise<string | Trouble> {
  try {
    // A FIFO would keep us waiting for ever.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const found = await file.stat()
      if (owner !== undefined && found.uid !== owner && found.uid !== 0) return ''
      if (!found.isFile() || found.size > mostBytes) return new Trouble('auth', `${path} holds no token`)
      return (await file.readFile('utf8')).trim()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    return new Trouble('auth', `the token file ${path} cannot be read (${codeOf(error)})`, error)
  }
}

function asToken(text: string, shown: string, configured: boolean): Token | Trouble {
  // What would break a header is not sent. The longest seen in use are some 2 KiB.
  if (!/^[\x21-\x7e]{1,16384}$/.test(text)) return new Trouble('auth', `${shown} holds no token`)
  return { text, end: endOfToken(text), configured }
}
