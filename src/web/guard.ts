// Who may ask at all: Host, Origin and Sec-Fetch headers, and the shape of the URL. Never looks at the disk, never answers itself.
// There is no login: a page of the wide web that is open in the user's browser must not get in (facts: DNS rebinding, CSRF).

import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import { Problem } from './problem.ts'

export type Target = {
  readonly path: string
  /** decoded; each name at most once */
  readonly params: ReadonlyMap<string, string>
}

/** @param allowedHosts names besides localhost and IP addresses (ALLOWED_HOSTS)
 *  @throws Problem 400 `bad_request`, 403 `cross_site`, 421 `host_not_allowed` */
export function guard(request: IncomingMessage, allowedHosts: readonly string[]): Target {
  const host = oneHost(request)
  if (host === undefined || !isAllowed(host, allowedHosts))
    throw new Problem(
      421,
      'host_not_allowed',
      'This host name is not known here: use localhost, or name it in ALLOWED_HOSTS (--allowed-host).',
    )
  const target = readTarget(request.url ?? '')
  if (isCrossSite(request, host) && !isNavigation(request, target.path))
    throw new Problem(
      403,
      'cross_site',
      'A page of another site has sent this; open the page of this server itself, or use curl.',
    )
  return target
}

/** Node takes the first of two Host headers; a proxy in between may take the second. */
function oneHost(request: IncomingMessage): string | undefined {
  const hosts = request.headersDistinct['host'] ?? []
  return hosts.length === 1 ? hosts[0] : undefined
}

function isAllowed(host: string, allowedHosts: readonly string[]): boolean {
  const [, bracketed, plain] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?$/.exec(host) ?? []
  if (bracketed !== undefined) return isIPv6(bracketed)
  if (plain === undefined) return false
  const name = plain.toLowerCase()
  if (name === 'localhost' || /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.localhost$/.test(name) || isIPv4(name))
    return true
  return allowedHosts.some(allowed => allowed.toLowerCase() === name)
}

function isCrossSite(request: IncomingMessage, host: string): boolean {
  const origins = request.headersDistinct['origin'] ?? []
  const own = `http://${host}`.toLowerCase()
  // A browser leaves the port out of Origin where it is 80, and out of Host too.
  if (origins.some(origin => origin.toLowerCase() !== own)) return true
  const sites = request.headersDistinct['sec-fetch-site'] ?? []
  return sites.some(site => /^(cross-site|same-site)$/i.test(site.trim()))
}

/** A link or bookmark that the user followed: it shows a page and starts nothing. /dsfiles and /doctor start work, so they are none. */
function isNavigation(request: IncomingMessage, path: string): boolean {
  return (
    request.method === 'GET' &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document' &&
    path !== '/dsfiles' &&
    path !== '/doctor'
  )
}

/** The URL taken apart by hand: `new URL('//evil', base)` has another host, and `new URL('//', base)` throws. */
function readTarget(url: string): Target {
  if (!/^\/(?![/\\])/.test(url)) throw bad('The address begins with exactly one slash, such as /status.')
  const [rest = ''] = url.split('#')
  const mark = rest.indexOf('?')
  const path = decode(mark < 0 ? rest : rest.slice(0, mark))
  const params = new Map<string, string>()
  // What is no UTF-8 becomes U+FFFD here, which no name may hold, so it is refused where the name is read.
  for (const [key, value] of new URLSearchParams(mark < 0 ? '' : rest.slice(mark + 1))) {
    if (params.has(key)) throw bad('A parameter is given twice; give each one once.')
    params.set(key, value)
  }
  return { path, params }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // decodeURIComponent has one error only: a % that is no UTF-8 byte.
    throw bad('The address has a % that does not stand for a UTF-8 character.')
  }
}

function bad(message: string): Problem {
  return new Problem(400, 'bad_request', message)
}
