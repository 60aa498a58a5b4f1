// Views of datasets so big that each takes seconds to find out: a page that polls must not keep the disk busy all the time. Never keeps a
// view that was found quickly, and never one past a wish.

import type { Kept } from '../wishes/kept.ts'
import { enter } from '../wishes/underway.ts'

/** A view that took t ms is given again for so many times t, whatever has changed on the disk meanwhile; for as long again it is given
 *  while a new one is found. */
const restTimes = 5
/** One that took less is none of ours. */
const leastMs = 500

export type Patient<T> = Kept<T> & {
  /** Something on disk has changed: what was found quickly counts no longer. */
  changed(name?: string): void
}

export function patient<T>(kept: Kept<T>): Patient<T> {
  const slow = new Map<string, { readonly value: T; readonly foundAt: number; readonly tookMs: number }>()
  const running = new Map<string, { readonly value: Promise<T>; readonly from: number }>()

  const look = (name: string): Promise<T> => {
    const from = performance.now()
    const value = kept.get(name)
    enter(running, name, { value, from }, found => {
      const foundAt = performance.now()
      if (foundAt - from < leastMs) slow.delete(name)
      else slow.set(name, { value: found, foundAt, tookMs: foundAt - from })
    })
    return value
  }

  return {
    async get(name) {
      const last = slow.get(name)
      const age = performance.now() - (last?.foundAt ?? 0)
      const rest = restTimes * (last?.tookMs ?? 0)
      if (last !== undefined && age < rest) return last.value
      const run = running.get(name)
      // A look that has just begun may be older than a change, and is made anew: it costs little, or is shared from now on.
      const next = run !== undefined && performance.now() - run.from >= leastMs ? run.value : look(name)
      if (last === undefined || age >= 2 * rest) return await next
      next.catch(() => {
        // The next one who asks looks again, and has the error when there is nothing older to give.
      })
      return last.value
    },
    changed: name => kept.drop(name),
    drop(name) {
      kept.drop(name)
      if (name === undefined) {
        slow.clear()
        running.clear()
      } else {
        slow.delete(name)
        running.delete(name)
      }
    },
  }
}
