// When a proxy is made anew. Pure: never looks at a clock, a file or a server.

const networkAgainMs = 300_000
const laterAgainMs = 3_600_000
/** However short a proxy is asked for, no sooner after the last one. */
const leastMs = 15_000

export type Attempt =
  | { readonly kind: 'never' }
  | { readonly kind: 'done'; readonly at: number }
  /** none that lasts longer than the held one can be made now: the certificate behind it ends, say */
  | { readonly kind: 'same'; readonly at: number }
  /** - change: only the user can mend it (a wrong password is shown to nobody twice): not before something changes
   *  - network: five minutes
   *  - later: a server says no, and may say yes one day: an hour */
  | { readonly kind: 'failed'; readonly at: number; readonly again: 'change' | 'network' | 'later' }

/** When the next try is due: two thirds of the time that the held one had when it was made, at once without one.
 *  @param held a proxy that fits what is asked for and still counts; `end` is the first end of all that it is made of
 *  @param changed a file, a password or a setting is another than at the last try
 *  @returns ms since 1970; 0 = now, Infinity = not before something changes */
export function renewalAt(seen: {
  readonly held: { readonly madeAt: number; readonly end: number } | undefined
  readonly last: Attempt
  readonly changed: boolean
  readonly now: number
}): number {
  const { held, last, changed, now } = seen
  const due = held === undefined ? 0 : held.madeAt + ((held.end - held.madeAt) * 2) / 3
  switch (last.kind) {
    case 'never':
      return due
    case 'done':
      // What was made and does not count any more (it was deleted, the clock jumped) is made anew, but not in a row.
      return Math.max(due, after(last.at, leastMs, now))
    case 'same':
      if (changed || held === undefined) return due
      return Math.max(due, after(last.at, Math.max(networkAgainMs, ((held.end - last.at) * 2) / 3), now))
    case 'failed':
      if (changed) return due
      switch (last.again) {
        case 'change':
          return Number.POSITIVE_INFINITY
        case 'network':
          return Math.max(due, after(last.at, networkAgainMs, now))
        case 'later':
          return Math.max(due, after(last.at, laterAgainMs, now))
      }
  }
}

/** A clock that was set back makes no wait longer than it was. */
function after(at: number, ms: number, now: number): number {
  return at > now ? 0 : at + ms
}
