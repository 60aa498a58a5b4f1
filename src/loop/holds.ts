// What is not tried again for a while, so that nothing spins: an action that failed in a way that nobody expected, or whose request has
// just been changed. In memory only: losing it costs one early try.

import { type Action, keyOf } from '../decide/action.ts'
import type { Reason } from '../words/reason.ts'
import type { World } from '../words/world.ts'

const failedMs = 60_000
/** What a person has just written counts when it has settled. */
const changedMs = 2000

export type HeldFailure = { readonly reason: Reason; readonly message: string }

export type Holds = {
  failed(action: Action, name: string, failure: HeldFailure): void
  changed(action: Action, name: string): void
  /** keyOf() of what is held now */
  keys(): ReadonlySet<string>
  /** ms since 1970; Infinity when nothing is held */
  nextEndsAt(): number
  failureOf(name: string): HeldFailure | undefined
}

type Hold = {
  readonly name: string
  readonly until: number
  readonly failure: HeldFailure | undefined
}

export function openHolds(world: World): Holds {
  const holds = new Map<string, Hold>()
  function hold(action: Action, name: string, ms: number, failure: HeldFailure | undefined): void {
    holds.set(keyOf(action), { name, until: world.now() + ms, failure })
  }
  return {
    failed: (action, name, failure) => hold(action, name, failedMs, failure),
    changed: (action, name) => hold(action, name, changedMs, undefined),
    keys() {
      const now = world.now()
      // A clock that was set back makes no hold longer than it was.
      for (const [key, { until }] of holds) if (until <= now || until - now > failedMs) holds.delete(key)
      return new Set(holds.keys())
    },
    nextEndsAt: () => Math.min(Number.POSITIVE_INFINITY, ...[...holds.values()].map(each => each.until)),
    failureOf: name =>
      [...holds.values()].find(each => each.name === name && each.failure !== undefined)?.failure,
  }
}
