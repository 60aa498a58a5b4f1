// PFN of an RSE -> path below the mount of its storage, by the prefix of one of the RSE's protocols. Never touches a disk.

import type { Pfn } from './pfn.ts'
import { Trouble } from './reason.ts'
import { isPlace } from './rule.ts'

/** One way into an RSE, as GET /rses/RSE names it. */
export type Protocol = {
  readonly scheme: string
  /** begins with a slash */
  readonly prefix: string
}

/** The path below the mount, or why there is none. A name that holds `//` lies where a disk finds it: under one slash. */
export function placeOf(pfn: Pfn, protocols: readonly Protocol[]): string | Trouble {
  const whole = componentsOf(pfn.path)
  const [best] = protocols
    .filter(each => each.scheme === pfn.scheme && isBelow(whole, componentsOf(each.prefix)))
    .sort((a, b) => componentsOf(b.prefix).length - componentsOf(a.prefix).length)
  if (best === undefined)
    return new Trouble('unsupported', `no protocol of the RSE has a prefix of ${pfn.scheme}:…${pfn.path}`)
  const place = whole.slice(componentsOf(best.prefix).length).join('/')
  return isPlace(place) ? place : new Trouble('refused', `${pfn.path} is no path below a mount`)
}

function componentsOf(path: string): string[] {
  return path.split('/').filter(each => each !== '')
}

function isBelow(whole: readonly string[], prefix: readonly string[]): boolean {
  return whole.length > prefix.length && prefix.every((each, i) => each === whole[i])
}
