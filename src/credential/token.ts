// The bearer token for storages, found where WLCG says. Never keeps it: agents replace the file at any time.

import { readFile } from 'node:fs/promises'
import { codeOf, Trouble } from '../words/reason.ts'
import { asObject, parseJson } from '../words/text.ts'

export type Token = {
  readonly text: string
  /** ms since 1970, from the token itself; undefined for one that does not say */
  readonly end: number | undefined
  /** named by BEARER_TOKEN or BEARER_TOKEN_FILE, not just found lying there */
  readonly configured: boolean
}

type Env = Readonly<Record<string, string | undefined>>

/** BEARER_TOKEN, file BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<uid>, /tmp/bt_u<uid>; the first that is not empty.
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
    const text = await textOf(path)
    if (text instanceof Trouble) return text
    if (text !== '') return asToken(text, path, i === 0)
  }
  return undefined
}

async function textOf(path: string): Promise<string | Trouble> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    return new Trouble('auth', `the token file ${path} cannot be read (${codeOf(error)})`, error)
  }
}

function asToken(text: string, shown: string, configured: boolean): Token | Trouble {
  // What would break a header is not sent. The longest seen in use are some 2 KiB.
  if (!/^[\x21-\x7e]{1,16384}$/.test(text)) return new Trouble('auth', `${shown} holds no token`)
  return { text, end: endOf(text), configured }
}

/** `exp` of a JWT. */
function endOf(text: string): number | undefined {
  const middle = text.split('.')[1]
  if (middle === undefined) return undefined
  const parsed = parseJson(Buffer.from(middle, 'base64url').toString('utf8'))
  const exp = parsed instanceof Trouble ? undefined : asObject(parsed.json)?.['exp']
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
}
