// One call below /auth/ of Rucio, and the token in its answer. Never writes a token down, and never decides when one is asked for.

import type { IncomingMessage } from 'node:http'
import { ask, bodyText, dropBody, type Identity } from '../outside/request.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import { readRefusal, shown } from './refusal.ts'
import type { RucioOptions } from './rucio.ts'
import { type Server, voHeader } from './server.ts'

/** A token, and until when it counts (ms since 1970). */
export type Held = { readonly token: string; readonly renewAt: number; readonly end: number }
export type LoggedIn = Held & { /** ` as jdoe`, for the log; may be empty */ readonly account: string }

const renewBeforeMs = 300_000

/** @param how `certificate`: whether the user's is shown; `secrets`: what `headers` show of the user, which no message repeats
 *  @returns an answer with status 200. Throws Trouble, auth among them */
export async function authCall(
  server: Server,
  identity: Identity,
  options: Pick<RucioOptions, 'account' | 'vo'>,
  how: {
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly certificate?: boolean
    readonly secrets?: readonly (string | undefined)[]
  },
): Promise<IncomingMessage> {
  const secure = how.certificate === true ? identity.agent : identity.bareAgent
  const answer = await ask({
    method: 'GET',
    scheme: server.scheme,
    host: server.host,
    port: server.port,
    path: server.base + how.path,
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      ...voHeader(options),
      ...(options.account === undefined ? {} : { 'X-Rucio-Account': headerText(options.account, 'account') }),
      ...how.headers,
    },
    configured: true,
    agent: server.scheme === 'https' ? secure : identity.plainAgent,
    limits: { connectMs: 10_000, headersMs: 30_000, idleMs: 30_000 },
    signal: AbortSignal.timeout(60_000),
  })
  if (answer.statusCode === 206) throw await severalAccounts(answer, how.secrets ?? [])
  if (answer.statusCode !== 200) throw await readRefusal(answer, hostPort(server), how.secrets)
  return answer
}

/** Headers carry latin-1, which is what the official client sends, too. The text itself is never shown. */
export function headerText(text: string, what: string): string {
  if (/^[\x20-\x7e\xa0-\xff]*$/.test(text)) return text
  throw new Trouble('auth', `the ${what} has characters that Rucio's login cannot carry`)
}

/** The token of a login that was taken. Reads the body away.
 *  @param secrets what the login showed of the user
 *  @param now ms since 1970 */
export function takeToken(
  answer: IncomingMessage,
  server: Server,
  secrets: readonly (string | undefined)[],
  now: number,
): LoggedIn {
  dropBody(answer)
  // Byte for byte: from a certificate it has spaces, slashes and equal signs in it (facts/rucio.md 1).
  const token = answer.headers['x-rucio-auth-token']
  if (typeof token !== 'string' || token === '')
    throw new Trouble('host_down', `${hostPort(server)} answered a login without a token: is it Rucio?`)
  const expires = Date.parse(String(answer.headers['x-rucio-auth-token-expires'] ?? ''))
  const theirs = Date.parse(answer.headers.date ?? '')
  // Their clock against theirs: ours may be wrong by hours and the token is good all the same.
  const lifeMs = expires - (Number.isFinite(theirs) ? theirs : now)
  const safeLifeMs = Number.isFinite(lifeMs) ? Math.max(lifeMs, 0) : 600_000
  const account = answer.headers['x-rucio-auth-account']
  return {
    token,
    end: now + safeLifeMs,
    renewAt: now + safeLifeMs - Math.min(renewBeforeMs, safeLifeMs / 2),
    account: typeof account === 'string' ? ` as ${shown(account, [...secrets, token])}` : '',
  }
}

async function severalAccounts(
  answer: IncomingMessage,
  secrets: readonly (string | undefined)[],
): Promise<Trouble> {
  const header = answer.headers['x-rucio-auth-accounts']
  const names = typeof header === 'string' ? header : await bodyText(answer, 65_536)
  if (typeof header === 'string') dropBody(answer)
  return new Trouble(
    'auth',
    `this login has several accounts (${shown(names, secrets)}): name one with RUCIO_ACCOUNT, or as account in rucio.cfg`,
  )
}
