// Logging in with a browser, Rucio's side (core/oidc.py of 41.5). The identity provider is left out: who opens the address is jdoe.
// Never gives a token to who does not know the address or the code.

import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { answerError, answerPage, answerText } from './answers.ts'

export type OidcLogins = {
  /** GET /auth/oidc */
  begin(
    asked: {
      readonly base: string
      readonly account: string | undefined
      readonly polling: boolean
      readonly scope: string
    },
    response: ServerResponse,
  ): void
  /** GET /auth/oidc_redirect?CODE: a browser, or with `fetch` who asks for the token */
  redirect(code: string, fetch: boolean, response: ServerResponse): void
  /** GET /auth/oidc_code?STATE: the browser comes back from the identity provider */
  back(state: string, response: ServerResponse): void
  /** GET /auth/oidc_refresh */
  refresh(token: string | undefined, account: string | undefined, response: ServerResponse): void
}

type Begun = {
  code: string
  readonly state: string
  readonly account: string
  readonly polling: boolean
  readonly offline: boolean
  token: string | undefined
}

/** @param give makes a token known as the account's; `lifeSeconds` of it as they are now */
export function openOidcLogins(give: {
  readonly take: (token: string, account: string, until: number) => void
  readonly lifeSeconds: () => number
}): OidcLogins {
  const begun: Begun[] = []
  /** tokens for which Rucio has a refresh token */
  const renewable = new Set<string>()

  function issue(account: string, offline: boolean): { readonly token: string; readonly until: number } {
    const until = Math.floor(Date.now() / 1000) + give.lifeSeconds()
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = {
      sub: account,
      iss: 'https://idp.example.org/',
      exp: until,
      jti: randomBytes(9).toString('hex'),
    }
    const token = `${part({ alg: 'RS256' })}.${part(claims)}.${randomBytes(32).toString('base64url')}`
    give.take(token, account, until * 1000)
    if (offline) renewable.add(token)
    return { token, until }
  }

  return {
    begin({ base, account = 'jdoe', polling, scope }, response) {
      if (account !== 'jdoe')
        return deny(
          `Cannot get authentication URL from Rucio Authentication Server for account ${account}`,
          response,
        )
      const code = randomBytes(17).toString('hex').slice(0, 23) + (polling ? '_polling' : '')
      const state = randomBytes(25).toString('hex')
      begun.push({
        code,
        state,
        account,
        polling,
        offline: /\boffline_access\b/.test(scope),
        token: undefined,
      })
      response.setHeader('X-Rucio-OIDC-Auth-URL', `${base}/auth/oidc_redirect?${code}`)
      answerText(200, 'application/octet-stream', '', response)
    },
    redirect(code, fetch, response) {
      const found = begun.find(each => each.code === code)
      if (found === undefined || fetch !== (found.token !== undefined)) {
        const message =
          'Cannot finalize your token request, no authorization content returned from the auth server'
        response.setHeader('ExceptionClass', 'CannotAuthenticate')
        response.setHeader('ExceptionMessage', message)
        return answerPage(401, message, response)
      }
      if (found.token === undefined) {
        response.setHeader('Location', `/auth/oidc_code?${found.state}`)
        return answerPage(303, 'To the identity provider.', response)
      }
      response.setHeader('X-Rucio-Auth-Token', found.token)
      answerText(200, 'application/octet-stream', '', response)
    },
    back(state, response) {
      const found = begun.find(each => each.state === state)
      if (found === undefined)
        return deny('Cannot authorize your access, please check your access credentials', response)
      found.token = issue(found.account, found.offline).token
      if (!found.polling) found.code = randomBytes(25).toString('hex')
      answerPage(200, found.polling ? 'allok' : `code ${found.code}`, response)
    },
    refresh(token, account, response) {
      if (token === undefined || account === undefined)
        return answerError(401, 'CannotAuthorize', 'Cannot authorize token request.', response)
      const next = renewable.has(token) ? issue(account, true) : undefined
      if (next !== undefined) renewable.delete(token)
      response.setHeader('X-Rucio-Auth-Token', next?.token ?? '')
      response.setHeader('X-Rucio-Auth-Token-Expires', next === undefined ? '' : String(next.until))
      answerText(200, 'application/octet-stream', '', response)
    },
  }
}

function deny(message: string, response: ServerResponse): void {
  answerError(401, 'CannotAuthenticate', message, response)
}
