// GET /auth/…: who asks, and tokens that expire (facts/rucio.md 1). Never looks at what a token is used for.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { answerError, answerText } from './answers.ts'
import { openOidcLogins } from './auth-oidc.ts'
import { openSshLogins } from './auth-ssh.ts'
import { subjectOf } from './identity.ts'

export type Tokens = {
  /** account of a token that is good now */
  readonly accountOf: (token: string) => string | undefined
  readonly setLife: (seconds: number) => void
  /** public keys of jdoe for SSH, PEM text */
  readonly setSshKeys: (pems: readonly string[]) => void
  readonly forget: () => void
  /** answers one of the paths below /auth/; false = there is no such path */
  readonly answer: (path: string, request: IncomingMessage, response: ServerResponse) => boolean
}

const passwords = new Map([
  ['jdoe', 'jdoe-secret'],
  ['root', 'root-secret'],
])

export function openTokens(): Tokens {
  const given = new Map<
    string,
    { readonly account: string; readonly identity: string; readonly until: number }
  >()
  let lifeSeconds = 3600
  const ssh = openSshLogins()
  const oidc = openOidcLogins({
    take: (token, account, until) => given.set(token, { account, identity: account, until }),
    lifeSeconds: () => lifeSeconds,
  })

  function accept(
    account: string,
    identity: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const app = header(request, 'x-rucio-appid') ?? 'unknown'
    const token = `${account}-${identity}-${app}-${randomBytes(16).toString('hex')}`
    const until = Date.now() + lifeSeconds * 1000
    given.set(token, { account, identity, until })
    response.setHeader('X-Rucio-Auth-Token', token)
    response.setHeader('X-Rucio-Auth-Token-Expires', dateOf(until))
    response.setHeader('X-Rucio-Auth-Account', account)
    answerText(200, octets, '', response)
  }

  function userpass(request: IncomingMessage, response: ServerResponse): void {
    const username = header(request, 'x-rucio-username')
    const password = header(request, 'x-rucio-password')
    const account = header(request, 'x-rucio-account')
    const vo = header(request, 'x-rucio-vo') ?? 'def'
    if (!/^[\w.-]+$/.test(vo)) answerError(400, 'RucioException', 'Invalid characters in VO name.', response)
    else if (vo !== 'def') denyAccount(account, response)
    else if (username === undefined || password === undefined)
      deny('Cannot authenticate without passing all required arguments', response)
    else if (passwords.get(username) !== password || (account ?? username) !== username)
      denyAccount(account, response)
    else accept(username, username, request, response)
  }

  function x509(request: IncomingMessage, response: ServerResponse): void {
    const dn = request.socket instanceof TLSSocket ? subjectOf(request.socket) : undefined
    const account = header(request, 'x-rucio-account') ?? 'jdoe'
    if (dn === undefined) deny('Cannot get DN', response)
    else if (account !== 'jdoe') denyAccount(account, response)
    else accept(account, dn, request, response)
  }

  function sshChallenge(request: IncomingMessage, response: ServerResponse): void {
    const account = header(request, 'x-rucio-account')
    const challenge = account === undefined ? undefined : ssh.challenge(account)
    if (account === undefined) answerError(400, 'ValueError', 'Account must be set.', response)
    else if (challenge === undefined) deny(`Cannot generate challenge for account ${account}`, response)
    else {
      response.setHeader('X-Rucio-SSH-Challenge-Token', challenge.token)
      response.setHeader('X-Rucio-SSH-Challenge-Token-Expires', dateOf(challenge.until))
      answerText(200, octets, '', response)
    }
  }

  function sshKey(request: IncomingMessage, response: ServerResponse): void {
    const account = header(request, 'x-rucio-account')
    const signature = header(request, 'x-rucio-ssh-signature')
    if (account === undefined || signature === undefined)
      answerError(400, 'ValueError', 'Account and SSH signature must be set.', response)
    else if (!ssh.fits(account, signature)) denyAccount(account, response)
    else accept(account, 'ssh:pubkey', request, response)
  }

  function oidcBegin(request: IncomingMessage, response: ServerResponse): void {
    const asked = (what: string) => header(request, `x-rucio-client-authorize-${what}`)
    oidc.begin(
      {
        base: `https://localhost:${request.socket.localPort}`,
        account: header(request, 'x-rucio-account'),
        polling: /^true$/i.test(asked('polling') ?? ''),
        scope: asked('scope') ?? '',
      },
      response,
    )
  }

  const queryOf = (request: IncomingMessage): string => request.url?.split('?', 2)[1] ?? ''

  function validate(request: IncomingMessage, response: ServerResponse): void {
    const token = given.get(header(request, 'x-rucio-auth-token') ?? '')
    if (token === undefined || token.until <= Date.now())
      deny('Cannot authenticate with given credentials', response)
    else {
      const [year, month, day, hour, minute, second, ms] = new Date(token.until)
        .toISOString()
        .split(/\D/)
        .map(Number)
      // A Python dict, not JSON.
      const lifetime = `datetime.datetime(${year}, ${month}, ${day}, ${hour}, ${minute}, ${second}, ${(ms ?? 0) * 1000})`
      const text = `{'account': '${token.account}', 'identity': '${token.identity}', 'lifetime': ${lifetime}, 'audience': None, 'authz_scope': None, 'vo': 'def'}`
      answerText(200, octets, text, response)
    }
  }

  const paths = new Map([
    ['/auth/userpass', userpass],
    ['/auth/x509_proxy', x509],
    ['/auth/x509', x509],
    ['/auth/validate', validate],
    ['/auth/ssh_challenge_token', sshChallenge],
    ['/auth/ssh', sshKey],
    ['/auth/oidc', oidcBegin],
    [
      '/auth/oidc_redirect',
      (request: IncomingMessage, response: ServerResponse) =>
        oidc.redirect(queryOf(request), header(request, 'x-rucio-client-fetch-token') === 'True', response),
    ],
    [
      '/auth/oidc_code',
      (request: IncomingMessage, response: ServerResponse) => oidc.back(queryOf(request), response),
    ],
    [
      '/auth/oidc_refresh',
      (request: IncomingMessage, response: ServerResponse) =>
        oidc.refresh(header(request, 'x-rucio-auth-token'), header(request, 'x-rucio-account'), response),
    ],
  ])
  return {
    accountOf(token) {
      const found = given.get(token)
      return found === undefined || found.until <= Date.now() ? undefined : found.account
    },
    setLife(seconds) {
      lifeSeconds = seconds
    },
    setSshKeys: pems => ssh.setKeys(pems),
    forget: () => given.clear(),
    answer(path, request, response) {
      const view = paths.get(path)
      response.setHeader(
        'Access-Control-Expose-Headers',
        'X-Rucio-Auth-Token, X-Rucio-Auth-Token-Expires, X-Rucio-Auth-Account, X-Rucio-Auth-Accounts',
      )
      view?.(request, response)
      return view !== undefined
    },
  }
}

const octets = 'application/octet-stream'

/** Not RFC 7231: it ends in UTC. @param at ms since 1970 */
function dateOf(at: number): string {
  return new Date(at).toUTCString().replace('GMT', 'UTC')
}

function deny(message: string, response: ServerResponse): void {
  answerError(401, 'CannotAuthenticate', message, response)
}

function denyAccount(account: string | undefined, response: ServerResponse): void {
  deny(`Cannot authenticate to account ${account ?? 'None'} with given credentials`, response)
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
