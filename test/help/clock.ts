// A clock that goes faster than the world's and can be pushed forward, for a daemon that runs in the process of its test. Timers follow
// it; sockets, the disk and child processes do not know of it.

import type { World } from '../../src/words/world.ts'

export type Clock = {
  readonly world: World
  /** Time passes at once: what is due by then is called. Nobody may be within a network call, whose time limits are due as well. */
  push(ms: number): void
  /** setTimeout is the world's own again */
  close(): void
}

type Timer = { readonly dueAt: number; readonly run: () => void }

/** Takes the place of the process's setTimeout until close(); one clock at a time, and none for tests that run side by side with others.
 *  @param speed seconds of this clock in one of the world's */
export function openClock(speed: number): Clock {
  const began = Date.now()
  const from = performance.now()
  let pushed = 0
  const now = (): number => Math.floor(began + (performance.now() - from) * speed + pushed)
  const { setTimeout: trueSet, clearTimeout: trueClear } = globalThis
  const timers = new Map<unknown, Timer>()

  function set(callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): NodeJS.Timeout {
    const run = (): void => {
      timers.delete(timer)
      callback(...args)
    }
    const timer = trueSet(run, ms / speed)
    timers.set(timer, { dueAt: now() + ms, run })
    return timer
  }
  function clear(timer: Parameters<typeof clearTimeout>[0]): void {
    timers.delete(timer)
    trueClear(timer)
  }
  Object.defineProperties(set, Object.getOwnPropertyDescriptors(trueSet))
  globalThis.setTimeout = set as typeof trueSet
  globalThis.clearTimeout = clear
  return {
    world: { now, chance: () => 0.5 },
    push(ms) {
      pushed += ms
      for (const [timer, { dueAt, run }] of [...timers]) {
        if (dueAt > now()) continue
        clear(timer as NodeJS.Timeout)
        queueMicrotask(run)
      }
    },
    close() {
      globalThis.setTimeout = trueSet
      globalThis.clearTimeout = trueClear
    },
  }
}
