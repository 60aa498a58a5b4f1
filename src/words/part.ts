// FILE.json beside FILE.part: which bytes have come and what went wrong. Never reads a file.

import { readFullDid } from './names.ts'
import { type Failure, readFailure } from './reason.ts'
import { asObject, isAdler32, isBytes, isTotal } from './text.ts'
import { fromIso } from './world.ts'

/** Synced bytes of a part. `to` is exclusive. */
export type Range = {
  readonly from: number
  readonly to: number
  readonly adler32: string
  /** the RSE that gave them: when the whole file is wrong, its bytes go and the others' stay */
  readonly rse?: string
}

/** A replica that gave wrong bytes. */
export type Strike = { readonly rse: string; readonly count: number; readonly at: string }

export type Sidecar = {
  readonly format: 1
  /** `scope:name` of the file */
  readonly did: string
  readonly bytes: number
  /** sorted, not overlapping, joined within a piece of 64 MiB and never across its border */
  readonly ranges: readonly Range[]
  readonly source: { readonly rse: string; readonly host: string } | null
  /** tries in a row that failed */
  readonly tries: number
  /** ISO time */
  readonly next_try: string | null
  readonly error: Failure | null
  readonly strikes: readonly Strike[]
}

/** Ranges never cross a multiple of this. */
export const pieceBytes = 64 * 2 ** 20

export function emptySidecar(did: string, bytes: number): Sidecar {
  return {
    format: 1,
    did,
    bytes,
    ranges: [],
    source: null,
    tries: 0,
    next_try: null,
    error: null,
    strikes: [],
  }
}

/** A sidecar from unknown JSON; undefined when it is of no use. Ranges that make no sense make the whole of no use. */
export function readSidecar(json: unknown): Sidecar | undefined {
  const object = asObject(json)
  if (object === undefined || object['format'] !== 1) return undefined
  const { did, bytes, ranges, source, tries, next_try, error, strikes } = object
  if (typeof did !== 'string' || readFullDid(did) === undefined) return undefined
  if (!isBytes(bytes) || !Array.isArray(ranges)) return undefined
  const good: Range[] = []
  let end = 0
  for (const each of ranges) {
    const { from, to, adler32, rse } = asObject(each) ?? {}
    if (!isBytes(from) || !isBytes(to) || !isAdler32(adler32)) return undefined
    if (from < end || to <= from || to > bytes) return undefined
    if (Math.floor(from / pieceBytes) !== Math.floor((to - 1) / pieceBytes)) return undefined
    good.push({ from, to, adler32, ...(typeof rse === 'string' ? { rse } : {}) })
    end = to
  }
  const { rse, host } = asObject(source) ?? {}
  return {
    format: 1,
    did,
    bytes,
    ranges: good,
    source: typeof rse === 'string' && typeof host === 'string' ? { rse, host } : null,
    tries: isTotal(tries) ? tries : 0,
    next_try: typeof next_try === 'string' && fromIso(next_try) !== undefined ? next_try : null,
    error: readFailure(error) ?? null,
    strikes: Array.isArray(strikes) ? strikes.flatMap(readStrike) : [],
  }
}

function readStrike(json: unknown): Strike[] {
  const { rse, count, at } = asObject(json) ?? {}
  return typeof rse === 'string' && isTotal(count) && typeof at === 'string' ? [{ rse, count, at }] : []
}
