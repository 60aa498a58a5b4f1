// When authorities and revocation lists are renewed. Pure.

const dayMs = 86_400_000
const afterFailureMs = 3_600_000

/** Once a day, and an hour after a failure. What somebody else renews (a timer of the distribution) is not renewed again.
 *  @param last the end of the last run, null when there was none
 *  @param newestListAt of the newest revocation list that lies there; undefined when there is none, or when the command renews more
 *  @returns ms since 1970; not after `now` = it is due */
export function nextUpdate(
  last: { readonly at: number; readonly isGood: boolean } | null,
  newestListAt: number | undefined,
  now: number,
): number {
  // A time from the future is that of a clock which has been set back since: it says nothing.
  const times = [
    ...(last === null || last.at > now ? [] : [last.at + (last.isGood ? dayMs : afterFailureMs)]),
    ...(newestListAt === undefined || newestListAt > now ? [] : [newestListAt + dayMs]),
  ]
  return times.length === 0 ? now : Math.max(...times)
}
