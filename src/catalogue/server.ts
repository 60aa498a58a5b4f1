// One call of Rucio's REST interface: token, one renewal, errors as Trouble. Never follows a redirect.

import type { IncomingMessage } from 'node:http'
import { isLoopbackName } from '../outside/address.ts'
import { type Ask, ask } from '../outside/request.ts'
import { hostPort, parsePfn } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { Login } from './login.ts'
import { readRefusal } from './refusal.ts'
import type { CatalogueCredential, RucioOptions } from './rucio.ts'

/** Where a server stands: rucio_host or auth_host, taken apart. */
export type Server = {
  readonly scheme: 'https' | 'http'
  readonly host: string
  readonly port: number
  /** what stands before each path; empty or `/…` without a slash at its end */
  readonly base: string
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: string
  /** what is an answer instead of 200: 201 for what was made, 303 for what is told by its Location */
  readonly status?: 201 | 303
  readonly accept: 'application/json' | 'application/x-json-stream'
  readonly signal: AbortSignal
}

/** Sends a call with a token; the answer has status 200 (or the one that the call names), its body is the caller's. Throws Refusal for any other status. */
export type Send = (call: Call) => Promise<IncomingMessage>

// A central server may count for a long time before the first byte of a big container.
const catalogueLimits: Ask['limits'] = { connectMs: 10_000, headersMs: 120_000, idleMs: 60_000 }

/** rucio_host or auth_host of rucio.cfg. Plain http is taken on loopback only: a password or token would be open to read.
 *  @returns Trouble('refused') with a sentence */
export function parseServer(text: string): Server | Trouble {
  const url = parsePfn(text.trim().replace(/\/+$/, ''))
  if (url instanceof Trouble || (url.scheme !== 'https' && url.scheme !== 'http') || url.query !== '')
    return new Trouble('refused', `${JSON.stringify(text)} is no address like https://rucio.example.org:443`)
  if (url.scheme === 'http' && !isLoopbackName(url.host))
    return new Trouble('refused', `${text} is plain http: passwords and tokens are sent over https only`)
  return { scheme: url.scheme, host: url.host, port: url.port, base: url.path.replace(/\/+$/, '') }
}

/** Which of a server's VOs is meant; servers with one need none. */
export function voHeader({ vo }: Pick<RucioOptions, 'vo'>): Readonly<Record<string, string>> {
  return vo === undefined ? {} : { 'X-Rucio-VO': vo }
}

/** @param options its password is what the login showed to a server: no answer is repeated with it */
export function makeSend(
  server: Server,
  login: Login,
  credential: CatalogueCredential,
  options: Pick<RucioOptions, 'password' | 'vo'>,
): Send {
  const { password } = options
  return async call => {
    for (let renewed = false; ; renewed = true) {
      const token = await login.token(call.signal)
      const answer = await sendOnce(
        server,
        call,
        { ...voHeader(options), 'X-Rucio-Auth-Token': token },
        credential,
      )
      if (answer.statusCode === (call.status ?? 200)) {
        login.taken(token)
        return answer
      }
      const refusal = await readRefusal(answer, hostPort(server), [token, password])
      // A token that has ended, that the server has forgotten and one that never was are told apart by nothing.
      if (refusal.reason !== 'auth') throw refusal
      login.refused(token, refusal)
      if (!renewed) continue
      credential.report(refusal.detail)
      throw refusal
    }
  }
}

/** The same without a token: GET /ping. */
export async function sendOnce(
  server: Server,
  call: Call,
  headers: Readonly<Record<string, string>>,
  credential: CatalogueCredential,
): Promise<IncomingMessage> {
  const identity = await credential.identity()
  return ask({
    method: call.method,
    scheme: server.scheme,
    host: server.host,
    port: server.port,
    path: server.base + call.path,
    headers: {
      // `*/*` beside the type: what is in front of Rucio may be stricter than Rucio (406).
      Accept: `${call.accept}, */*;q=0.1`,
      'Accept-Encoding': 'identity',
      ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(call.body === undefined ? {} : { body: call.body }),
    // What is sent from here asks, or makes a rule, of which Rucio refuses a second like it, or says of a rule what it says the second
    // time as well.
    repeatable: true,
    configured: true,
    agent: server.scheme === 'https' ? identity.bareAgent : identity.plainAgent,
    limits: catalogueLimits,
    signal: call.signal,
  })
}
