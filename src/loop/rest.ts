// The catalogue at rest: after failures in a row nobody asks it until the rest is over, then one probe does for all.

import { dueAt, nextTryAt } from '../decide/backoff.ts'
import type { Rest } from '../decide/observation.ts'
import { type Reason, sentence, type Trouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'

export type CatalogueRest = {
  seen(): Rest
  /** A call failed: true when it speaks of the catalogue or the line as a whole, and a rest has begun. */
  failed(trouble: Trouble): boolean
  /** A call did what it was for. */
  worked(): void
  /** The server is there again; whether it takes our credential the next call will show, so the count stays. */
  answered(): void
}

const ofTheWhole: readonly Reason[] = ['auth', 'host_down', 'offline', 'stalled']

export function openCatalogueRest(world: World): CatalogueRest {
  let failures = 0
  let rest: Rest = { until: 0 }
  return {
    seen: () => (rest.until === 0 ? rest : { ...rest, until: dueAt(rest.until, world.now()) }),
    failed(trouble) {
      if (!ofTheWhole.includes(trouble.reason)) return false
      const now = world.now()
      // Several calls that were under way fail together: that is one failure.
      if (dueAt(rest.until, now) > now) return true
      failures += 1
      rest = {
        until: nextTryAt(now, failures, world.chance()),
        reason: trouble.reason,
        message: sentence(trouble.reason, trouble.detail),
      }
      return true
    },
    worked() {
      failures = 0
      rest = { until: 0 }
    },
    answered() {
      rest = { until: 0 }
    },
  }
}
