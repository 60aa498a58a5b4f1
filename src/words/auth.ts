// The ways to log in to Rucio, by the names of rucio.cfg, and when a token says that it ends. Never checks a signature.

import { Trouble } from './reason.ts'
import { asObject, parseJson } from './text.ts'

/** `auth_type` of rucio.cfg. `token` is ours: a file that holds a token of Rucio */
export const authTypes = ['userpass', 'x509', 'x509_proxy', 'token', 'oidc', 'ssh'] as const
export type AuthType = (typeof authTypes)[number]

export function isAuthType(text: string): text is AuthType {
  return authTypes.some(each => each === text)
}

/** `exp` of a JWT, ms since 1970; undefined for a token that does not say (RFC 7519, 4.1.4). */
export function endOfToken(token: string): number | undefined {
  const middle = token.split('.')[1]
  if (middle === undefined) return undefined
  const parsed = parseJson(Buffer.from(middle, 'base64url').toString('utf8'))
  const exp = parsed instanceof Trouble ? undefined : asObject(parsed.json)?.['exp']
  return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
}
