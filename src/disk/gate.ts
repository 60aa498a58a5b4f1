// So many calls at once, each waited for only so long: for disks that may answer nothing at all. Never ends a call: that cannot be done.

import { Trouble } from '../words/reason.ts'

export type Gate = {
  /** @param what of whom it is told when it is late
   *  @throws Trouble `disk_error` when the work, or its turn, does not come in time */
  run<T>(what: string, work: () => Promise<T>): Promise<T>
}

/** @param most calls at once: what hangs keeps its place until it ends, and who waits for one is told in time
 *  @param slowMs how long one is waited for, its turn included */
export function openGate(most: number, slowMs: number): Gate {
  let atWork = 0
  /** of these, those that nobody waits for any more */
  let hung = 0
  const queue: (() => void)[] = []

  async function inTurn<T>(mine: Turn, work: () => Promise<T>): Promise<T | undefined> {
    if (atWork >= most) await new Promise<void>(resolve => queue.push(resolve))
    else atWork++
    try {
      // Nobody waits for it any more: its place is for the next.
      if (mine.isLate) return undefined
      mine.hasBegun = true
      return await work()
    } finally {
      if (mine.isHung) hung--
      const next = queue.shift()
      if (next === undefined) atWork--
      else next()
    }
  }

  return {
    async run<T>(what: string, work: () => Promise<T>): Promise<T> {
      const late = (): Trouble =>
        new Trouble('disk_error', `${what} does not answer within ${slowMs / 1000} s`)
      // All places are held by what hangs: it is known already what would come of waiting.
      if (hung >= most) throw late()
      const mine: Turn = { hasBegun: false, isLate: false, isHung: false }
      let timer: NodeJS.Timeout | undefined
      const slow = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          mine.isLate = true
          mine.isHung = mine.hasBegun
          if (mine.isHung) hung++
          reject(late())
        }, slowMs)
      })
      const done = inTurn(mine, async () => ({ value: await work() }))
      done.catch(() => {
        // Whoever asked has this error, or has gone with the one about the time.
      })
      try {
        const found = await Promise.race([done, slow])
        if (found === undefined) throw late()
        return found.value
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

type Turn = { hasBegun: boolean; isLate: boolean; isHung: boolean }
