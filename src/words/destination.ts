// Where a dataset shall lie when not on this disk: an RSE, where its storage is mounted here, how long its rule lasts. Never asks
// whether there is such an RSE or mount.

import { Trouble } from './reason.ts'
import { asObject } from './text.ts'

export type Destination = {
  /** the name of one RSE, never an expression: `*` would let Rucio choose any storage */
  readonly rse: string
  /** absolute path under which what lies below the RSE's prefix is seen; where it is left out config.json may know it */
  readonly mount?: string
  /** how long the rule lasts unless it is renewed */
  readonly lifetime_days?: number
}

/** The same with what config.json adds: what a rule shall do. */
export type RuleWanted = {
  readonly rse: string
  readonly mount: string | null
  readonly lifetimeDays: number
}

/** A rule that nobody renews any more (the daemon is gone, the request was deleted) ends after this time, and its room is free again. */
export const usualLifetimeDays = 30

/** `destination` of a request or of config.json. */
export function readDestination(json: unknown): Destination | Trouble {
  const { rse, mount, lifetime_days } = asObject(json) ?? {}
  if (typeof rse !== 'string') return bad('"destination" is an object {"rse": "…", "mount": "/…"}')
  if (!isRse(rse)) return bad('"rse" of "destination" is the name of an RSE')
  if (mount !== undefined && !isMount(mount))
    return bad('"mount" of "destination" is an absolute path without ..')
  if (lifetime_days !== undefined && !isLifetime(lifetime_days))
    return bad('"lifetime_days" of "destination" is a whole number from 1 to 3650')
  return {
    rse,
    ...(mount === undefined ? {} : { mount }),
    ...(lifetime_days === undefined ? {} : { lifetime_days }),
  }
}

/** `destination=` of POST /ds: `RSE`, `RSE:/MOUNT`, or `here` for this disk, whatever config.json says.
 *  @returns null for this disk */
export function parseDestination(text: string): Destination | null | Trouble {
  if (text === 'here') return null
  const [, rse = '', mount] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? []
  if (!isRse(rse) || (mount !== undefined && !isMount(mount)))
    return bad('a destination is RSE, RSE:/MOUNT (an absolute path without ..), or here for this disk')
  return { rse, ...(mount === undefined ? {} : { mount }) }
}

export function isRse(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(value)
}

export function isMount(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.startsWith('/') &&
    value.length <= 4096 &&
    !value.includes('\0') &&
    !value.split('/').includes('..')
  )
}

function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 3650
}

function bad(what: string): Trouble {
  return new Trouble('refused', what)
}
