// A token of Rucio's, fetched when it is needed and renewed before it ends. Never writes one down, never hammers with a bad password.

import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { ask, bodyText, dropBody, type Identity } from '../outside/request.ts'
import { hostPort } from '../words/pfn.ts'
import { clean, codeOf, sentence, Trouble } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import { toIso, type World } from '../words/world.ts'
import { readRefusal, shown } from './refusal.ts'
import type { CatalogueCredential, RucioOptions } from './rucio.ts'
import type { Server } from './server.ts'

export type Login = {
  /** A token that should be good now. Throws Trouble, auth among them; `signal` ends the wait, not the login of others. */
  token(signal: AbortSignal): Promise<string>
  /** A call was answered: the token is good. */
  taken(token: string): void
  /** A call was refused for it: the next token() is another. */
  refused(token: string, why: Trouble): void
}

type Held = { readonly token: string; readonly renewAt: number; readonly end: number }

const renewBeforeMs = 300_000
const tryAgainMs = 30_000
// A login that was refused is final until the user acts: the same credential is not shown again so soon, however many wait for it.
const refusedForMs = 60_000
const paths = { userpass: '/auth/userpass', x509: '/auth/x509', x509_proxy: '/auth/x509_proxy' } as const

export function openLogin(
  options: RucioOptions,
  server: Server,
  credential: CatalogueCredential,
  log: Log,
  world: World,
): Login {
  let held: Held | undefined
  let running: Promise<Held> | undefined
  let denied: { readonly trouble: Trouble; readonly identity: Identity; readonly until: number } | undefined
  /** authType token: what was refused last; the file must hold another, or time must pass, before it is tried again */
  let deniedToken: { readonly text: string; readonly until: number } | undefined
  let shownGood = false
  let logged: string | undefined

  /** Is the refusal so fresh that the same is not shown again? A clock that was set back makes none last longer. */
  function isFresh(until: number): boolean {
    const left = until - world.now()
    return left > 0 && left <= refusedForMs
  }

  async function fresh(): Promise<Held> {
    if (options.authType === 'token') {
      const waits = deniedToken !== undefined && isFresh(deniedToken.until)
      return readToken(options.tokenPath, waits ? deniedToken?.text : undefined, world.now())
    }
    const identity = await credential.identity()
    if (denied !== undefined && denied.identity === identity && isFresh(denied.until)) throw denied.trouble
    denied = undefined
    try {
      const got = await logIn(options, server, identity, world)
      log('grid_cert', `logged in to ${hostPort(server)}${got.account}, until ${toIso(got.end)}`)
      return got
    } catch (error) {
      if (error instanceof Trouble && error.reason === 'auth')
        denied = { trouble: error, identity, until: world.now() + refusedForMs }
      throw error
    }
  }

  async function renew(): Promise<Held> {
    try {
      held = await fresh()
      logged = undefined
      return held
    } catch (error) {
      if (error instanceof Trouble && error.reason === 'auth') {
        shownGood = false
        credential.report(clean(error.detail))
        // Once for each thing that goes wrong, however many calls meet it.
        if (logged !== error.detail) log('grid_cert', sentence('auth', error.detail))
        logged = error.detail
      }
      // The token that we have is still good for some minutes, whatever the server says of a new one or however far it is away.
      if (options.authType === 'token' || held === undefined || world.now() >= held.end) throw error
      held = { ...held, renewAt: world.now() + tryAgainMs }
      return held
    }
  }

  return {
    async token(signal) {
      if (held !== undefined && world.now() < held.renewAt && options.authType !== 'token') return held.token
      running ??= renew().finally(() => {
        running = undefined
      })
      return (await orAbort(running, signal)).token
    },
    taken(token) {
      if (shownGood || denied !== undefined || held?.token !== token) return
      shownGood = true
      credential.report(undefined)
    },
    refused(token, why) {
      if (held?.token !== token) return
      held = undefined
      if (options.authType !== 'token') return
      deniedToken = { text: token, until: world.now() + refusedForMs }
      log('grid_cert', `the token in ${options.tokenPath} was refused: ${why.detail}`)
    },
  }
}

async function logIn(
  options: RucioOptions,
  server: Server,
  identity: Identity,
  world: World,
): Promise<Held & { readonly account: string }> {
  if (options.authType === 'token') throw new Trouble('bug', 'a token file is not asked for over the line')
  const userpass = options.authType === 'userpass'
  if (!userpass && !identity.hasCertificate)
    throw new Trouble('auth', 'there is no valid certificate or proxy to log in to Rucio with')
  const secure = userpass ? identity.bareAgent : identity.agent
  const answer = await ask({
    method: 'GET',
    scheme: server.scheme,
    host: server.host,
    port: server.port,
    path: server.base + paths[options.authType],
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      ...(options.account === undefined ? {} : { 'X-Rucio-Account': headerText(options.account, 'account') }),
      ...(userpass ? userHeaders(options) : { 'X-Rucio-Allow-Return-Multiple-Accounts': 'true' }),
    },
    configured: true,
    agent: server.scheme === 'https' ? secure : identity.plainAgent,
    limits: { connectMs: 10_000, headersMs: 30_000, idleMs: 30_000 },
    signal: AbortSignal.timeout(60_000),
  })
  if (answer.statusCode === 206) throw await severalAccounts(answer, options)
  if (answer.statusCode !== 200) throw await readRefusal(answer, hostPort(server), [options.password])
  dropBody(answer)
  return readAnswer(answer, server, options, world.now())
}

function userHeaders(options: RucioOptions): Record<string, string> {
  const { username, password } = options
  if (username === undefined || password === undefined)
    throw new Trouble('auth', 'username and password are needed to log in to Rucio with userpass')
  return {
    'X-Rucio-Username': headerText(username, 'username'),
    'X-Rucio-Password': headerText(password, 'password'),
  }
}

/** Headers carry latin-1, which is what the official client sends, too. The text itself is never shown. */
function headerText(text: string, what: string): string {
  if (/^[\x20-\x7e\xa0-\xff]*$/.test(text)) return text
  throw new Trouble('auth', `the ${what} has characters that Rucio's login cannot carry`)
}

function readAnswer(
  answer: IncomingMessage,
  server: Server,
  { password }: RucioOptions,
  now: number,
): Held & { readonly account: string } {
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
    account: typeof account === 'string' ? ` as ${shown(account, [password, token])}` : '',
  }
}

async function severalAccounts(answer: IncomingMessage, { password }: RucioOptions): Promise<Trouble> {
  const header = answer.headers['x-rucio-auth-accounts']
  const names = typeof header === 'string' ? header : await bodyText(answer, 65_536)
  if (typeof header === 'string') dropBody(answer)
  return new Trouble(
    'auth',
    `this login has several accounts (${shown(names, [password])}): name one with RUCIO_ACCOUNT, or as account in rucio.cfg`,
  )
}

async function readToken(path: string | undefined, refused: string | undefined, now: number): Promise<Held> {
  if (path === undefined) throw new Trouble('auth', 'there is no file with a token of Rucio')
  let text: string
  try {
    text = (await readFile(path, 'latin1')).replace(/\r?\n$/, '')
  } catch (error) {
    throw new Trouble('auth', `the token file ${path} cannot be read (${codeOf(error)})`, error)
  }
  if (!/^[\x20-\x7e\xa0-\xff]{1,16384}$/.test(text))
    throw new Trouble('auth', `${path} holds no token of Rucio`)
  if (text === refused) throw new Trouble('auth', `the token in ${path} was refused: put a new one there`)
  return { token: text, renewAt: now, end: Number.POSITIVE_INFINITY }
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
