// The API_TOKEN: who shows it may ask. Never tells how much of a wrong one was right.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Problem } from './problem.ts'

/** @param token undefined = none is wanted
 *  @throws Problem 401 `unauthorized` (RFC 6750) */
export function checkBearer(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return
  const given = request.headersDistinct['authorization'] ?? []
  const [, shown] = given.length === 1 ? (/^Bearer +(\S+)$/i.exec(given[0] ?? '') ?? []) : []
  // Hashes have one length, so that the time tells nothing of the token's.
  if (shown !== undefined && timingSafeEqual(hash(shown), hash(token))) return
  throw new Problem(
    401,
    'unauthorized',
    'This daemon wants its API_TOKEN: send the header Authorization: Bearer TOKEN.',
    { 'WWW-Authenticate': 'Bearer realm="desktop-rucio"' },
  )
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
