// listing.jsonl: what Rucio said that a DID holds. A head line, then one line a file. Never asks Rucio.

import { isComponent, readFullDid } from './names.ts'
import { asObject, isAdler32, isBytes, isMd5, isTotal } from './text.ts'
import { fromIso } from './world.ts'

export type DidType = 'DATASET' | 'CONTAINER' | 'FILE'

export type ListingHead = {
  readonly format: 1
  /** `scope:name` */
  readonly did: string
  readonly type: DidType
  readonly open: boolean
  /** number of lines that follow */
  readonly length: number
  /** their sum */
  readonly bytes: number
  /** ISO time */
  readonly fetched: string
}

export type ListingLine = {
  /** `scope:name` of the file */
  readonly did: string
  /** one component below the dataset's folder */
  readonly path: string
  readonly bytes: number
  readonly adler32?: string
  readonly md5?: string
  readonly guid?: string
  readonly events?: number
  /** of a container: `scope:name` of the dataset that it is in; of several the first */
  readonly dataset?: string
}

/** More files is no dataset that this daemon takes, and a longer line none of a listing (facts/faults.md 1b). */
export const mostFiles = 1_000_000
export const mostLineBytes = 64 * 2 ** 10

/** A file as the catalogue names it, before it has a path. */
export type CatalogueFile = Omit<ListingLine, 'path'>

/** Head of catalogue/NAME.jsonl when Rucio does not know the DID; no lines follow. */
export type MissingHead = {
  readonly format: 1
  readonly did: string
  readonly type: 'NONE'
  readonly fetched: string
  /** ISO time until which the answer counts; then it is asked for again */
  readonly until: string
  /** how often in a row the answer was the same */
  readonly tries: number
}

// A day, and an hour for a clock that was set back a little.
const longestMissingMs = 25 * 3_600_000

/** Until when `does not exist` counts. An end further away than a day was written under another clock.
 *  @returns ms since 1970; 0 when it does not count (any more) */
export function missingUntil(head: MissingHead, now: number): number {
  const until = fromIso(head.until) ?? 0
  return until > now && until - now <= longestMissingMs ? until : 0
}

export function readListingHead(json: unknown): ListingHead | MissingHead | undefined {
  const object = asObject(json)
  if (object === undefined || object['format'] !== 1 || readFullDid(object['did']) === undefined)
    return undefined
  const { did, type, open, length, bytes, fetched, until, tries } = object
  if (typeof did !== 'string' || typeof fetched !== 'string') return undefined
  if (type === 'NONE') {
    if (typeof until !== 'string' || !isTotal(tries)) return undefined
    return { format: 1, did, type, fetched, until, tries }
  }
  if (type !== 'DATASET' && type !== 'CONTAINER' && type !== 'FILE') return undefined
  if (typeof open !== 'boolean' || !isTotal(length) || !isTotal(bytes)) return undefined
  return { format: 1, did, type, open, length, bytes, fetched }
}

/** @param before the line before it: what both have in common lies in memory once */
export function readListingLine(json: unknown, before?: ListingLine): ListingLine | undefined {
  const object = asObject(json)
  if (object === undefined) return undefined
  const { did, path, bytes, adler32, md5, guid, events, dataset } = object
  if (typeof did !== 'string' || readFullDid(did) === undefined || !isComponent(path) || !isBytes(bytes))
    return undefined
  return {
    did,
    // A slice of the DID, as most paths are, takes no memory of its own.
    path: did.endsWith(path) ? did.slice(did.length - path.length) : path,
    bytes,
    ...(isAdler32(adler32) ? { adler32 } : {}),
    ...(isMd5(md5) ? { md5 } : {}),
    ...(typeof guid === 'string' ? { guid } : {}),
    ...(isTotal(events) ? { events } : {}),
    ...(dataset !== undefined && dataset === before?.dataset
      ? { dataset: before.dataset }
      : readFullDid(dataset) !== undefined && typeof dataset === 'string'
        ? { dataset }
        : {}),
  }
}
