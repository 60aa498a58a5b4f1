// Whether an answer of the catalogue that lies on the disk still counts. Never asks Rucio.

import { layout, type Root } from '../disk/layout.ts'
import { readListing } from '../disk/lines.ts'
import type { Did } from '../words/did.ts'
import { printDid } from '../words/did.ts'
import { type ListingHead, type MissingHead, missingUntil } from '../words/listing.ts'
import { nameOf } from '../words/names.ts'
import { fromIso } from '../words/world.ts'

/** What is open, or a container, may hold more after this time: it is asked for again. */
const freshMs = 3_600_000

export type Listed = { readonly path: string; readonly head: ListingHead | MissingHead }

/** The answer about a DID that still counts: of its own folder first, then of catalogue/.
 *  @param now ms since 1970
 *  @returns undefined when there is none, or it is to be asked for again */
export async function freshListing(root: Root, did: Did, now: number): Promise<Listed | undefined> {
  const name = nameOf(did)
  for (const path of [layout.listing(root, name), layout.answer(root, name)]) {
    const head = await readListing(root, path)
    // Where letter case is not told apart, a twin's answer may lie under this name.
    if (head !== undefined && head.did === printDid(did) && isFresh(head, now)) return { path, head }
  }
  return undefined
}

/** The same, if all its lines are there: they are read and added up. One that is not whole is set aside where that can be done, and
 *  counts as absent in any case. */
export async function wholeListing(root: Root, did: Did, now: number): Promise<Listed | undefined> {
  const fresh = await freshListing(root, did, now)
  if (fresh === undefined || fresh.head.type === 'NONE') return fresh
  const head = await readListing(root, fresh.path, () => undefined)
  return head === undefined ? undefined : { path: fresh.path, head }
}

/** Whether an answer still counts (DESIGN: an hour for what is open or a container, always for a closed dataset).
 *  @param now ms since 1970 */
export function isFresh(head: ListingHead | MissingHead, now: number): boolean {
  if (head.type === 'NONE') return missingUntil(head, now) > 0
  if (!head.open && head.type !== 'CONTAINER') return true
  const fetched = fromIso(head.fetched)
  // A clock that was wrong when it was fetched must not make it fresh for years.
  return fetched !== undefined && fetched <= now + freshMs && now < fetched + freshMs
}
