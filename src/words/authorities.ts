// status/authorities.json: what servers are verified with, and how it is kept up to date. Never reads a certificate.

import { asObject } from './text.ts'
import { fromIso } from './world.ts'

/** `authorities` of GET /status, too */
export type AuthoritiesState = {
  /** certificates that count, that have run out, and files that could not be read */
  readonly valid: number
  readonly expired: number
  readonly broken: number
  /** authorities by the state of their revocation lists; null where there is no directory for them */
  readonly crl: { readonly fresh: number; readonly stale: number; readonly missing: number } | null
  /** sentences */
  readonly warnings: readonly string[]
  readonly update: {
    /** the program that renews them; null = nothing does */
    readonly by: string | null
    readonly running: boolean
    /** ISO times of its last end and its next start */
    readonly ended: string | null
    readonly next: string | null
    /** what went wrong at the last end, in a sentence */
    readonly error: string | null
  }
}

/** Every key goes out, those that this version does not know included. */
export function readAuthoritiesState(json: unknown): AuthoritiesState | undefined {
  const { format, ...keys } = asObject(json) ?? {}
  if (format !== undefined && format !== 1) return undefined
  const counts = [keys['valid'], keys['expired'], keys['broken']]
  const crl = keys['crl'] === null ? null : asObject(keys['crl'])
  const update = asObject(keys['update'])
  const warnings = keys['warnings']
  if (crl === undefined || update === undefined || !Array.isArray(warnings)) return undefined
  if (crl !== null) counts.push(crl['fresh'], crl['stale'], crl['missing'])
  if (!counts.every(isCount) || !warnings.every(each => typeof each === 'string')) return undefined
  if (typeof update['running'] !== 'boolean') return undefined
  if (![update['by'], update['error']].every(each => each === null || typeof each === 'string'))
    return undefined
  if (![update['ended'], update['next']].every(each => each === null || fromIso(each) !== undefined))
    return undefined
  return keys as unknown as AuthoritiesState
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
