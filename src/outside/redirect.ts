// Follows the redirects of a storage for data, by hand. Never sends a token to a second host, nor a certificate over plain http.

import type { IncomingMessage } from 'node:http'
import { type Pfn, parsePfn, showPfn } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import { type Ask, ask, dropBody, type Identity } from './request.ts'

export type Opened = {
  readonly answer: IncomingMessage
  /** where the answer came from in the end; same as asked for without redirect. Never remembered beyond this transfer */
  readonly at: Pfn
  readonly hops: number
}

const maxHops = 5
const redirects = new Set([301, 302, 303, 307, 308])
// What another host than the first may see. Any other header may be a credential.
const harmless = /^(?:range|if-range|want-digest|accept|accept-encoding|user-agent|te)$/i

/** Data only (facts/faults.md 1b): at most 5 hops; token and cookie only to the first origin; client certificate only over https;
 *  https -> http only for data, without certificate or token, and not with plainData false.
 *  Throws what ask() throws; Trouble('refused') for a redirect that is not followed. Other statuses are the caller's. */
export async function openData(
  pfn: Pfn,
  options: {
    readonly method: 'GET' | 'HEAD'
    readonly headers: Readonly<Record<string, string>>
    readonly identity: Identity
    readonly token: string | undefined
    readonly plainData: boolean
    readonly limits: Ask['limits']
    readonly signal: AbortSignal
    /** told of each address that is asked next because of a redirect: what fails then is not the first host's fault */
    readonly onHop?: (to: Pfn) => void
  },
): Promise<Opened> {
  const { method, headers, identity, token, plainData, limits, signal } = options
  const origin = originOf(pfn)
  let at = pfn
  for (let hops = 0; ; hops++) {
    const scheme = schemeOf(at)
    if (scheme === 'http' && !plainData)
      throw new Trouble(
        'refused',
        `${showPfn(at)} is plain http, which config.json does not allow (plain_data)`,
      )
    const first = originOf(at) === origin
    const sent = first ? { ...headers } : harmlessOf(headers)
    if (token !== undefined && first && scheme === 'https') sent['Authorization'] = `Bearer ${token}`
    const answer = await ask({
      method,
      scheme,
      host: at.host,
      port: at.port,
      path: at.path + at.query,
      headers: scheme === 'https' ? sent : harmlessOf(sent),
      agent: scheme === 'https' ? identity.agent : identity.plainAgent,
      limits,
      signal,
    })
    if (!redirects.has(answer.statusCode ?? 0)) return { answer, at, hops }
    const location = answer.headers.location
    dropBody(answer)
    if (hops === maxHops) throw new Trouble('refused', `${showPfn(pfn)} redirects more than ${maxHops} times`)
    at = follow(at, location)
    options.onHop?.(at)
  }
}

/** Where a Location leads. By hand: `new URL` would walk `..` away and ask for another file (facts/rucio.md 0.5). */
function follow(from: Pfn, location: string | undefined): Pfn {
  const text = location?.replace(/#.*$/, '')
  if (text === undefined || text === '') throw new Trouble('refused', `${showPfn(from)} redirects to nowhere`)
  const start = `${from.scheme}://${from.host.includes(':') ? `[${from.host}]` : from.host}:${from.port}`
  let whole = text
  if (text.startsWith('//')) whole = `${from.scheme}:${text}`
  else if (text.startsWith('/')) whole = start + text
  else if (text.startsWith('?')) whole = start + from.path + text
  else if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) whole = `${start}${from.path.replace(/[^/]*$/, '')}${text}`
  const to = parsePfn(whole)
  if (to instanceof Trouble)
    throw new Trouble('refused', `${showPfn(from)} redirects to what is no address`, to)
  // Throws for a scheme that is not ours.
  schemeOf(to)
  return to
}

function schemeOf(pfn: Pfn): 'https' | 'http' {
  switch (pfn.scheme) {
    case 'https':
    case 'davs':
      return 'https'
    case 'http':
    case 'dav':
      return 'http'
    default:
      throw new Trouble('unsupported', `${showPfn(pfn)} cannot be fetched over http`)
  }
}

function originOf(pfn: Pfn): string {
  return `${schemeOf(pfn)}://${pfn.host}:${pfn.port}`
}

function harmlessOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.test(name)))
}
