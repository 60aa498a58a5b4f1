// The catalogue at rest: after failures in a row nobody asks it until the rest is over, then one probe does for all.

import { dueAt, nextTryAt } from '../decide/backoff.ts'
import type { Rest } from '../decide/observation.ts'
import { clean, type Reason, type Trouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'

export type CatalogueRest = {
  seen(): Rest
  /** A call failed: true when it speaks of the catalogue or the line as a whole, and a rest has begun.
   *  @param subject what it was about. The same one again says nothing more of the whole: it may be its own fault (a dataset that the
   *    server cannot list, a list that a proxy cuts), so the rests do not become longer by it */
  failed(trouble: Trouble, subject?: string): boolean
  /** A call did what it was for. */
  worked(): void
  /** The server is there again; whether it takes our credential the next call will show, so the count stays. */
  answered(): void
}

const ofTheWhole: readonly Reason[] = ['auth', 'host_down', 'offline', 'stalled']

/** May be the fault of the one thing that was asked for, although they look like one of the whole. */
const maybeOfOne: readonly Reason[] = ['host_down', 'stalled']

export function openCatalogueRest(world: World): CatalogueRest {
  const subjects = new Set<string>()
  let others = 0
  let rest: Rest = { until: 0 }
  return {
    // A clock that was set back makes no rest longer than it was.
    seen: () => (rest.until === 0 ? rest : { ...rest, until: dueAt(rest.until, world.now()) }),
    failed(trouble, subject) {
      if (!ofTheWhole.includes(trouble.reason)) return false
      const now = world.now()
      // Several calls that were under way fail together: that is one failure.
      if (dueAt(rest.until, now) > now) return true
      if (subject !== undefined && maybeOfOne.includes(trouble.reason)) subjects.add(subject)
      else others += 1
      rest = {
        until: nextTryAt(now, subjects.size + others, world.chance()),
        reason: trouble.reason,
        detail: clean(trouble.detail),
      }
      return true
    },
    worked() {
      subjects.clear()
      others = 0
      rest = { until: 0 }
    },
    answered() {
      rest = { until: 0 }
    },
  }
}
