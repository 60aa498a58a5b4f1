// Reads a file while a program writes it, and hands its bytes on in order; gives up what stalls or drips. Never ends the program itself.

import type { Growing } from '../disk/growing.ts'
import { Trouble } from '../words/reason.ts'
import type { Filler } from './filler.ts'
import { placeOf, tooSlow } from './https.ts'
import { Miss } from './miss.ts'
import { pourSome } from './pour.ts'
import type { ProgramAsk } from './program.ts'

const lookMs = 100

/** @param watch.start its length when the program began; bytes before `filler`'s claim are passed over
 *  @param watch.most its length when the program shall be started anew
 *  @param watch.ended settles when the program is gone
 *  @returns undefined when the claim is full, or `most` is reached and handed on; else what the program ended with, when all that it
 *  wrote has been handed on
 *  @throws Miss for a stall, a drip, and a file that is longer than it should be; what reading and writing threw; the reason of `signal` */
export async function pourGrowing<T>(
  file: Growing,
  filler: Filler,
  watch: ProgramAsk & {
    readonly start: number
    readonly most: number
    readonly ended: Promise<T>
    readonly signal: AbortSignal
  },
): Promise<T | undefined> {
  const { replica, limits, pace, signal, ended } = watch
  const place = placeOf(replica)
  let size = watch.start
  let grewAt = performance.now()
  let outcome: { readonly value: T } | undefined
  const end = ended.then(value => {
    outcome = { value }
  })
  pace.forget()
  for (;;) {
    signal.throwIfAborted()
    // Asked before the look: what the program wrote last is seen by the look after its end.
    const last = outcome
    const now = await file.size()
    if (now > watch.file.bytes)
      throw new Miss(
        'strike',
        new Trouble(
          'corrupt',
          `${place} sends more than the ${watch.file.bytes} bytes that the catalogue says`,
        ),
      )
    if (now > size) {
      pace.came(now - size)
      size = now
      // Where the disk is behind it was us who did not read.
      const began = performance.now()
      await pourSome(file, filler, size, signal)
      if (performance.now() - began > limits.idleMs / 2) pace.forget()
      grewAt = performance.now()
    } else if (last !== undefined) return last.value
    else if (performance.now() - grewAt > limits.idleMs)
      throw new Miss('host', new Trouble('stalled', `no byte from ${place} for ${limits.idleMs / 1000} s`))
    else if (pace.isTooSlow()) throw new Miss('host', tooSlow(place, limits))
    else await Promise.race([end, pause(Math.min(lookMs, limits.idleMs / 8), signal)])
    if (filler.isFull || size >= watch.most) return undefined
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
