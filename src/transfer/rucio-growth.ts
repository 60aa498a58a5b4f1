// Looks at what a program brings as it grows: what has stalled, drips, or never ends is given up. Never ends the program itself.

import type { Scratch } from '../disk/scratch.ts'
import { Trouble } from '../words/reason.ts'
import { placeOf, tooSlow } from './https.ts'
import { Miss } from './miss.ts'
import type { ProgramAsk } from './program.ts'

/** A file may come with a header of its protocol, or in blocks: so much more than it should have is no mistake any more. */
const slackBytes = 2 ** 20

/** Until its first byte, and once all has come, a program has long to think: it asks the catalogue, then it sends its traces.
 *  @param giveUp called once, with whose fault it is
 *  @returns end() settles when no look is under way any more */
export function watchGrowth(
  scratch: Scratch,
  { replica, file, limits, pace }: ProgramAsk,
  giveUp: (miss: Miss) => void,
): { end(): Promise<void> } {
  const place = placeOf(replica)
  let seen = 0
  let grewAt = performance.now()
  let looking: Promise<void> | undefined
  let done = false
  pace.forget()

  async function look(): Promise<void> {
    const bytes = await scratch.bytes()
    const now = performance.now()
    // It begins anew by itself after a drop: smaller is a sign of life as well.
    if (bytes !== seen) {
      pace.came(Math.max(0, bytes - seen))
      seen = bytes
      grewAt = now
    }
    const comes = seen > 0 && seen < file.bytes
    if (!comes) pace.forget()
    const waitMs = comes ? limits.idleMs : limits.slowMs
    if (now - grewAt > waitMs)
      stop(
        new Miss(
          'host',
          new Trouble('stalled', `the official client brought nothing from ${place} for ${waitMs / 1000} s`),
        ),
      )
    else if (comes && pace.isTooSlow()) stop(new Miss('host', tooSlow(place, limits)))
    // An archive lies there beside its member.
    else if (!replica.clientExtract && bytes > file.bytes + slackBytes)
      stop(
        new Miss(
          'strike',
          new Trouble('corrupt', `${place} sends more than the ${file.bytes} bytes that the catalogue says`),
        ),
      )
  }

  function stop(miss: Miss): void {
    if (done) return
    done = true
    clearInterval(timer)
    giveUp(miss)
  }

  const timer = setInterval(
    () => {
      looking ??= look()
        .catch(error =>
          stop(new Miss('us', error instanceof Trouble ? error : new Trouble('bug', String(error), error))),
        )
        .finally(() => {
          looking = undefined
        })
    },
    Math.min(1000, limits.idleMs / 8),
  )
  return {
    async end() {
      done = true
      clearInterval(timer)
      await looking
    },
  }
}
