// A token of Rucio's, fetched when it is needed and renewed before it ends. Never writes one down, never hammers with a bad password.

import { orAbort } from '../outside/abort.ts'
import type { Identity } from '../outside/request.ts'
import { hostPort } from '../words/pfn.ts'
import { clean, sentence, Trouble } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import { toIso, type World } from '../words/world.ts'
import { authCall, type Held, headerText, type LoggedIn, takeToken } from './auth-call.ts'
import type { OidcLogin } from './oidc-login.ts'
import type { CatalogueCredential, RucioOptions } from './rucio.ts'
import type { Server } from './server.ts'
import { logInWithSsh } from './ssh.ts'
import { readTokenFile } from './token-file.ts'

export type Login = {
  /** A token that should be good now. Throws Trouble, auth among them; `signal` ends the wait, not the login of others. */
  token(signal: AbortSignal): Promise<string>
  /** A call was answered: the token is good. */
  taken(token: string): void
  /** A call was refused for it: the next token() is another. */
  refused(token: string, why: Trouble): void
  /** the account of the last login, where Rucio said it */
  account(): string | undefined
}

const tryAgainMs = 30_000
// A login that was refused is final until the user acts: the same credential is not shown again so soon, however many wait for it.
const refusedForMs = 60_000
const paths = { userpass: '/auth/userpass', x509: '/auth/x509', x509_proxy: '/auth/x509_proxy' } as const

/** @param oidc with authType oidc: who finds, keeps and refreshes the token */
export function openLogin(
  options: RucioOptions,
  server: Server,
  credential: CatalogueCredential,
  log: Log,
  world: World,
  oidc?: OidcLogin,
): Login {
  let held: Held | undefined
  let running: Promise<Held> | undefined
  let denied: { readonly trouble: Trouble; readonly identity: Identity; readonly until: number } | undefined
  /** authType token: what was refused last; the file must hold another, or time must pass, before it is tried again */
  let deniedToken: { readonly text: string; readonly until: number } | undefined
  let shownGood = false
  let logged: string | undefined
  let account = ''

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
    if (options.authType === 'oidc') {
      if (oidc === undefined) throw new Trouble('bug', 'nothing keeps the login of OIDC')
      return await oidc.fresh()
    }
    const identity = await credential.identity()
    if (denied !== undefined && denied.identity === identity && isFresh(denied.until)) throw denied.trouble
    denied = undefined
    try {
      const got = await logIn(options, server, identity, world)
      log('grid_cert', `logged in to ${hostPort(server)}${got.account}, until ${toIso(got.end)}`)
      account = got.account.replace(/^ as /, '')
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
    account: () => options.account ?? (account === '' ? options.username : account),
    taken(token) {
      if (shownGood || denied !== undefined || held?.token !== token) return
      shownGood = true
      credential.report(undefined)
    },
    refused(token, why) {
      if (held?.token !== token) return
      held = undefined
      oidc?.refused(token)
      if (options.authType === 'oidc') log('grid_cert', `the token of the login was refused: ${why.detail}`)
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
): Promise<LoggedIn> {
  const { authType, password } = options
  switch (authType) {
    case 'token':
    case 'oidc':
      throw new Trouble('bug', `${authType} is no single call`)
    case 'ssh':
      return await logInWithSsh(options, server, identity, world)
    case 'userpass': {
      const how = { path: paths[authType], headers: userHeaders(options), secrets: [password] }
      return takeToken(await authCall(server, identity, options, how), server, [password], world.now())
    }
    case 'x509':
    case 'x509_proxy': {
      if (!identity.hasCertificate)
        throw new Trouble('auth', 'there is no valid certificate or proxy to log in to Rucio with')
      const headers = { 'X-Rucio-Allow-Return-Multiple-Accounts': 'true' }
      const how = { path: paths[authType], headers, certificate: true }
      return takeToken(await authCall(server, identity, options, how), server, [], world.now())
    }
  }
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

async function readToken(path: string | undefined, refused: string | undefined, now: number): Promise<Held> {
  if (path === undefined) throw new Trouble('auth', 'there is no file with a token of Rucio')
  const text = await readTokenFile(path)
  if (text === undefined) throw new Trouble('auth', `the token file ${path} cannot be read (ENOENT)`)
  if (text === refused) throw new Trouble('auth', `the token in ${path} was refused: put a new one there`)
  return { token: text, renewAt: now, end: Number.POSITIVE_INFINITY }
}
