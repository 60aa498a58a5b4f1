// What is said to Rucio when a user logs in with a browser (OIDC): where to go, is the token there, another before it ends. Never waits
// between two questions, and never keeps a token.

import { isLoopbackName } from '../outside/address.ts'
import { ask, dropBody, type Identity } from '../outside/request.ts'
import { hostPort, parsePfn } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import { authCall, headerText } from './auth-call.ts'
import type { RucioOptions } from './rucio.ts'
import type { Server } from './server.ts'
import { isToken } from './token-file.ts'

/** The official client's options, by its names in rucio.cfg. */
export type OidcOptions = {
  /** oidc_scope; with `offline_access` Rucio gets a refresh token, and keeps it itself */
  readonly scope: string
  readonly audience?: string
  readonly issuer?: string
  /** oidc_polling: false = a code is shown in the browser, which the user types */
  readonly polling: boolean
  /** oidc_refresh_lifetime, hours */
  readonly refreshLifetime?: string
  /** auth_oidc_refresh_active */
  readonly refresh: boolean
  /** auth_oidc_refresh_before_exp */
  readonly refreshBeforeMs: number
  /** where the token lies; undefined = in memory alone */
  readonly keptAt?: string
}

/** How long Rucio remembers that a login was begun (core/oidc.py of 41.5: 300 s). */
export const loginLifeMs = 300_000

/** @param polling true: fetchToken(url) gives the token once the user has logged in; false: the browser shows a code for fetchByCode()
 *  @returns the address for the user's browser. Who has it can fetch the token while polling. Throws Trouble, auth among them */
export async function askForLogin(
  options: RucioOptions,
  oidc: OidcOptions,
  server: Server,
  identity: Identity,
  polling: boolean,
): Promise<string> {
  const { audience, issuer, scope, refreshLifetime } = oidc
  const answer = await authCall(server, identity, options, {
    path: '/auth/oidc',
    headers: {
      'X-Rucio-Client-Authorize-Polling': polling ? 'True' : 'False',
      'X-Rucio-Client-Authorize-Scope': headerText(scope, 'oidc_scope'),
      'X-Rucio-Client-Authorize-Refresh-Lifetime': headerText(
        refreshLifetime ?? 'None',
        'oidc_refresh_lifetime',
      ),
      ...(audience === undefined
        ? {}
        : { 'X-Rucio-Client-Authorize-Audience': headerText(audience, 'oidc_audience') }),
      ...(issuer === undefined
        ? {}
        : { 'X-Rucio-Client-Authorize-Issuer': headerText(issuer, 'oidc_issuer') }),
    },
  })
  dropBody(answer)
  const url = answer.headers['x-rucio-oidc-auth-url']
  if (typeof url !== 'string')
    throw new Trouble(
      'auth',
      `${hostPort(server)} gives no address to log in at: does it know OIDC, and the scope, audience and issuer?`,
    )
  if (!/^[\x21-\x7e]{1,2000}$/.test(url) || placeOf(url) === undefined)
    throw new Trouble('auth', `${hostPort(server)} gives an address to log in at that is not https`)
  return url
}

/** @param url what askForLogin() gave
 *  @returns undefined while nobody has logged in. Throws Trouble when the server cannot be asked */
export async function fetchToken(
  url: string,
  server: Server,
  identity: Identity,
  signal: AbortSignal,
): Promise<string | undefined> {
  const at = placeOf(url)
  if (at === undefined) throw new Trouble('bug', 'this address was refused when it came')
  const answer = await ask({
    method: 'GET',
    scheme: at.scheme,
    host: at.host,
    port: at.port,
    path: at.path,
    headers: { Accept: '*/*', 'Accept-Encoding': 'identity', 'X-Rucio-Client-Fetch-Token': 'True' },
    // Rucio's own address may be another than the one in rucio.cfg; only that one was written by the user.
    configured: at.host === server.host && at.port === server.port,
    agent: at.scheme === 'https' ? identity.bareAgent : identity.plainAgent,
    limits: { connectMs: 10_000, headersMs: 20_000, idleMs: 20_000 },
    signal,
  })
  dropBody(answer)
  const token = answer.headers['x-rucio-auth-token']
  // Not yet is 401, and so is no; an overloaded server says 5xx. The user sees in the browser how it went.
  return answer.statusCode === 200 && typeof token === 'string' && isToken(token) ? token : undefined
}

/** @param code what the browser showed to the user
 *  @returns the token. Throws Trouble('auth') for a code that Rucio does not know */
export async function fetchByCode(
  code: string,
  options: RucioOptions,
  server: Server,
  identity: Identity,
): Promise<string> {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(code))
    throw new Trouble('auth', 'that is no code as the browser shows it')
  const answer = await authCall(server, identity, options, {
    path: `/auth/oidc_redirect?${code}`,
    headers: { 'X-Rucio-Client-Fetch-Token': 'True' },
    secrets: [code],
  })
  dropBody(answer)
  const token = answer.headers['x-rucio-auth-token']
  if (typeof token !== 'string' || !isToken(token))
    throw new Trouble('auth', 'Rucio gives no token for this code')
  return token
}

/** Rucio keeps the refresh token; who shows a token that still counts gets the next one.
 *  @returns undefined when Rucio has nothing to refresh it with. `end`: ms since 1970. Throws Trouble */
export async function refreshToken(
  token: string,
  options: RucioOptions,
  server: Server,
  identity: Identity,
): Promise<{ readonly token: string; readonly end: number } | undefined> {
  const answer = await authCall(server, identity, options, {
    path: '/auth/oidc_refresh',
    headers: { 'X-Rucio-Auth-Token': token },
    secrets: [token],
  })
  dropBody(answer)
  const next = answer.headers['x-rucio-auth-token']
  // Seconds since 1970, where every other login has a date.
  const end = Number(answer.headers['x-rucio-auth-token-expires'] ?? Number.NaN) * 1000
  if (typeof next !== 'string' || !isToken(next) || !Number.isFinite(end) || end <= 0) return undefined
  return { token: next, end }
}

/** By hand and not by `new URL`, which would make another query of it. */
function placeOf(
  url: string,
):
  | { readonly scheme: 'https' | 'http'; readonly host: string; readonly port: number; readonly path: string }
  | undefined {
  const at = parsePfn(url.replace(/#.*$/, ''))
  if (at instanceof Trouble) return undefined
  const { scheme, host, port, path, query } = at
  if (scheme !== 'https' && !(scheme === 'http' && isLoopbackName(host))) return undefined
  return { scheme, host, port, path: path + query }
}
