// A small identity provider for the Rucio server of the grid (etc/idpsecrets.json): who comes is jane. Never asks for a password, and never
// serves anybody but loopback.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { variable } from './seeded.ts'

export type Idp = {
  /** as Rucio writes the identity of who logs in here */
  readonly identity: string
  /** tokens that were given so far, refreshed ones included */
  readonly given: () => number
  stop(): Promise<void>
}

/** @param lifeSeconds of an access token */
export async function startIdp(lifeSeconds: number): Promise<Idp> {
  const port = Number(variable('GRID_IDP_PORT'))
  const issuer = `http://localhost:${port}/`
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = 'grid'
  const codes = new Map<string, { readonly nonce: string; readonly scope: string }>()
  const refreshes = new Map<string, string>()
  let given = 0

  const now = (): number => Math.floor(Date.now() / 1000)
  function jwt(claims: Record<string, unknown>): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part({ iss: issuer, sub: 'jane', iat: now(), ...claims })}`
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
  }

  function tokens(scope: string, nonce: string | undefined): object {
    given += 1
    const refresh = jwt({ exp: now() + 86_400, jti: randomBytes(9).toString('hex') })
    const isOffline = /\boffline_access\b/.test(scope)
    if (isOffline) refreshes.set(refresh, scope)
    const access = jwt({ aud: 'rucio', scope, exp: now() + lifeSeconds, jti: randomBytes(9).toString('hex') })
    return {
      access_token: access,
      token_type: 'Bearer',
      expires_in: lifeSeconds,
      scope,
      ...(isOffline ? { refresh_token: refresh } : {}),
      ...(nonce === undefined
        ? {}
        : { id_token: jwt({ aud: 'rucio-grid', exp: now() + lifeSeconds, nonce, at_hash: halfOf(access) }) }),
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer)
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return json(response, {
          issuer,
          authorization_endpoint: `${issuer}authorize`,
          token_endpoint: `${issuer}token`,
          jwks_uri: `${issuer}jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
        })
      case '/jwks':
        return json(response, {
          keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }],
        })
      case '/authorize': {
        const code = randomBytes(16).toString('hex')
        codes.set(code, { nonce: searchParams.get('nonce') ?? '', scope: searchParams.get('scope') ?? '' })
        const back = `${searchParams.get('redirect_uri')}?code=${code}&state=${searchParams.get('state')}`
        response.writeHead(303, { Location: back }).end()
        return
      }
      case '/token': {
        const form = new URLSearchParams(await bodyOf(request))
        const known = codes.get(form.get('code') ?? '')
        const scope = refreshes.get(form.get('refresh_token') ?? '')
        if (known !== undefined) return json(response, tokens(known.scope, known.nonce))
        if (scope !== undefined) return json(response, tokens(scope, undefined))
        response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error": "invalid_grant"}')
        return
      }
      default:
        response.writeHead(404).end()
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, 'localhost', resolve)
  })
  return {
    identity: `SUB=jane, ISS=${issuer}`,
    given: () => given,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** OpenID Connect Core, 3.1.3.6. */
function halfOf(token: string): string {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
