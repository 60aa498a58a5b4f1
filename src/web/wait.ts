// wait=SECONDS: an answer that is held back until the status changes. Never asks the disk on a timer, and never holds the daemon's end.

import { Problem } from './problem.ts'

export type Waiters = {
  /** Looks; where the answer is pending, looks again after each change until it differs, the time is over, the client has gone or the
   *  daemon ends. A waiter that is one too many has the first look's answer at once.
   *  @param key the same key = the same status
   *  @returns the last look's answer */
  wait<T>(options: {
    readonly look: () => Promise<T>
    readonly isPending: (value: T) => boolean
    readonly key: (value: T) => string
    readonly ms: number
    readonly signal: AbortSignal
  }): Promise<T>
  /** Something has changed. */
  changed(): void
  /** All waiters are answered now, and new ones at once. */
  close(): void
}

/** More than this many are answered at once. */
const mostWaiters = 64
/** After a look that took long the next comes this many times as long after it: 64 waiters on a busy daemon must not starve it. */
const restTimes = 5
const mostSeconds = 60

/** @param text the parameter; absent = no waiting
 *  @returns ms, at most a minute
 *  @throws Problem 400 for what is no number of seconds */
export function readWait(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text))
    throw new Problem(400, 'bad_request', 'wait is a number of seconds, such as wait=30.')
  return Math.min(mostSeconds, Number(text)) * 1000
}

export function openWaiters(): Waiters {
  /** who sleeps until a change, and who rests and is woken by the end of the daemon only */
  const sleepers = new Set<() => void>()
  const resters = new Set<() => void>()
  let version = 0
  let closed = false
  let waiting = 0

  /** Resolves after the time, when the client has gone, or when `group` is woken. */
  const sleep = (group: Set<() => void>, ms: number, signal: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      if (closed || signal.aborted || ms <= 0) {
        resolve()
        return
      }
      const end = () => {
        clearTimeout(timer)
        group.delete(end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      group.add(end)
      signal.addEventListener('abort', end)
    })

  return {
    async wait({ look, isPending, key, ms, signal }) {
      // The version is read before each look: a change that comes during the look is not missed.
      let seen = version
      let value = await look()
      if (ms <= 0 || closed || waiting >= mostWaiters || !isPending(value)) return value
      const first = key(value)
      const endAt = performance.now() + ms
      waiting++
      try {
        for (;;) {
          if (version === seen) await sleep(sleepers, endAt - performance.now(), signal)
          if (closed || signal.aborted) return value
          seen = version
          const from = performance.now()
          value = await look()
          const now = performance.now()
          if (key(value) !== first || now >= endAt) return value
          await sleep(resters, Math.min(restTimes * (now - from), endAt - now), signal)
        }
      } finally {
        waiting--
      }
    },
    changed() {
      version++
      for (const wake of [...sleepers]) wake()
    },
    close() {
      closed = true
      for (const wake of [...sleepers, ...resters]) wake()
    },
  }
}
