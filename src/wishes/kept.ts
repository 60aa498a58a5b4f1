// What was found out about a dataset, kept for a short while: a proof reads a listing and looks at every file, and clients poll.
// Never keeps anything past an event, or past a change of the dataset's folder or records.

import type { World } from '../words/world.ts'
import { shared } from './shared.ts'
import { enter } from './underway.ts'

export type Kept<T> = {
  get(name: string): Promise<T>
  /** An event: what is known of NAME, or of all, counts no longer. A look that is under way is not kept either. */
  drop(name?: string): void
}

/** What was looked up may be answered again for this many times as long as it took, within the bounds (DESIGN, the frozen interface). */
const times = 20
const leastMs = 2000
const mostMs = 60_000

type Entry<T> = { readonly value: T; readonly stamp: string; readonly from: number; readonly until: number }

/** @param options.look finds it out; concurrent calls of one name share it
 *  @param options.stamp differs whenever the answer may; compared before a kept answer is given
 *  @param options.weight what a value takes in memory, in strings or the like; the oldest go when all are over `most` */
export function keep<T>(options: {
  readonly look: (name: string) => Promise<T>
  readonly stamp: (name: string) => Promise<string>
  readonly world: World
  readonly weight: (value: T) => number
  readonly most: number
  /** a value that is kept so long at least, in ms, while its stamp holds; default 2 s */
  readonly leastMs?: (value: T) => number
}): Kept<T> {
  const { look, stamp, world, weight, most } = options
  const entries = new Map<string, Entry<T>>()
  const running = new Map<string, { readonly stamp: string; readonly value: Promise<T> }>()
  let heavy = 0

  /** Clients that ask for one name at the same time share its stamp; nothing stays of a name that nobody asks for now. */
  const stamping = new Map<string, { readonly ask: () => Promise<string>; users: number }>()
  const stampNow = async (name: string): Promise<string> => {
    const known = stamping.get(name)
    const mine = known ?? { ask: shared(() => stamp(name)), users: 0 }
    if (known === undefined) stamping.set(name, mine)
    mine.users++
    try {
      return await mine.ask()
    } finally {
      mine.users--
      if (mine.users === 0) stamping.delete(name)
    }
  }

  const forget = (name: string): void => {
    const entry = entries.get(name)
    if (entry === undefined) return
    heavy -= weight(entry.value)
    entries.delete(name)
  }

  const lookAnew = (name: string, before: string): Promise<T> => {
    const from = world.now()
    const value = look(name)
    enter(running, name, { stamp: before, value }, found => {
      const now = world.now()
      const least = options.leastMs?.(found) ?? leastMs
      const spell = Math.max(least, Math.min(mostMs, times * Math.max(0, now - from)))
      forget(name)
      entries.set(name, { value: found, stamp: before, from, until: now + spell })
      heavy += weight(found)
      for (const oldest of entries.keys()) {
        if (heavy <= most) break
        forget(oldest)
      }
    })
    return value
  }

  return {
    async get(name) {
      // The stamp is taken before the look: what changes during the look makes the next stamp another one.
      const before = await stampNow(name)
      const entry = entries.get(name)
      const now = world.now()
      if (entry !== undefined && entry.stamp === before && entry.from <= now && now < entry.until)
        return entry.value
      const run = running.get(name)
      return run !== undefined && run.stamp === before ? run.value : lookAnew(name, before)
    },
    drop(name) {
      if (name === undefined) {
        entries.clear()
        running.clear()
        heavy = 0
      } else {
        forget(name)
        running.delete(name)
      }
    },
  }
}
