// Is a listing too old to be believed? Never asks for a new one (decide.ts does).

import type { ListingSeen, QuerySeen, WishSeen } from './observation.ts'

const hourMs = 3_600_000

/** An open DID or a container is asked again when its listing is over an hour old and somebody asks: a newer wish, or a POST over
 *  the wish that is there, which leaves a query. Any listing once a day while one of its files has no replica or only wrong bytes
 *  (DESIGN.md, The records).
 *  @param now ms since 1970 */
export function isStale(
  listing: ListingSeen,
  wish: Pick<WishSeen, 'name' | 'createdAt'>,
  queries: readonly QuerySeen[],
  now: number,
): boolean {
  if (now < listing.refreshAfter) return false
  // A listing that bears a time to come was fetched under a clock that ran ahead: its age is not known.
  const ageMs = listing.fetchedAt > now + hourMs ? Number.POSITIVE_INFINITY : now - listing.fetchedAt
  if (listing.hopeless && ageMs > 24 * hourMs) return true
  const mayGrow = listing.open || listing.type === 'CONTAINER'
  if (!mayGrow || ageMs <= hourMs) return false
  const isNewer = wish.createdAt > listing.fetchedAt || ageMs === Number.POSITIVE_INFINITY
  return isNewer || queries.some(each => each.name === wish.name)
}
