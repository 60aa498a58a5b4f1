// A PFN taken apart by hand: `new URL` would walk `..` and ask for another file (facts/rucio.md 0.5). Never resolves a host.

import { Trouble } from './reason.ts'

export type Pfn = {
  /** as the catalogue wrote it, in lower case: https, davs, http, root, roots, file, … */
  readonly scheme: string
  /** lower case; an IPv6 literal without its brackets */
  readonly host: string
  readonly port: number
  /** path as written, `//` and `%5F` kept; begins with `/` */
  readonly path: string
  /** `?…` or empty. May hold a secret: never written down or shown */
  readonly query: string
}

// A Map: the scheme comes from outside, and an object would answer to `constructor` as well.
const defaultPorts = new Map([
  ['https', 443],
  ['davs', 443],
  ['http', 80],
  ['dav', 80],
  ['root', 1094],
  ['roots', 1094],
])

/** @returns the parts, or a Trouble for userinfo, a climbing path, a broken port, control characters */
export function parsePfn(text: string): Pfn | Trouble {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/i.exec(text)
  if (match === null || text.length > 4096 || !/^[\x21-\x7e]+$/.test(text))
    return bad('it is no URL of a replica')
  const [, rawScheme = '', authority = '', path = '/', query = ''] = match
  const scheme = rawScheme.toLowerCase()
  // A cache is asked for the address that its path holds: root://cache//root://storage//file.
  if (authority.includes('@') || /\/[a-z][a-z0-9+.-]*:\/\/[^/]*@/i.test(path))
    return bad('it holds a user name')
  if (path.includes('\\')) return bad('it holds a backslash')
  // What a server may decode counts as well: %2e%2e climbs like `..`.
  const plain = path.replace(/%2e/gi, '.').replace(/%2f/gi, '/').replace(/%5c/gi, '\\')
  if (plain.split(/[/\\]/).some(each => each === '.' || each === '..')) return bad('its path climbs')
  const place = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?$/i.exec(authority)
  if (place === null) return bad('it has no host')
  const port = place[2] === undefined ? (defaultPorts.get(scheme) ?? 0) : Number(place[2])
  if (port > 65535) return bad('its port is no port')
  const host = (place[1] ?? '').toLowerCase().replace(/^\[|\]$/g, '')
  return { scheme, host, port, path, query }
}

/** What may be shown and logged: no query. */
export function showPfn(pfn: Pfn): string {
  return `${pfn.scheme}://${hostPort(pfn)}${pfn.path}`
}

/** `host:port`, the key of hosts/ and of agents. */
export function hostPort(pfn: { readonly host: string; readonly port: number }): string {
  return `${pfn.host.includes(':') ? `[${pfn.host}]` : pfn.host}:${pfn.port}`
}

function bad(why: string): Trouble {
  return new Trouble('refused', `a replica's address was refused: ${why}`)
}
