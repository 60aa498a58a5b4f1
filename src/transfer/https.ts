// One closed range of one replica over node:https into a Filler. Redirects, chunked answers and plain http go this way. Never decides
// which replica, and never tries again.

import type { IncomingMessage } from 'node:http'
import { openData } from '../outside/redirect.ts'
import { dropBody, type Identity } from '../outside/request.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { Replica } from '../words/replica.ts'
import type { Filler } from './filler.ts'
import { judgeHead } from './head.ts'
import type { Limits, Pace } from './limits.ts'
import { Miss, missBeforeAnswer, missInBody } from './miss.ts'

export type RangeAsk = {
  readonly replica: Replica
  /** of the whole file, as the catalogue says */
  readonly bytes: number
  readonly identity: Identity
  readonly token: string | undefined
  readonly plainData: boolean
  readonly limits: Limits
  readonly pace: Pace
  readonly now: () => number
  /** the storage sends the whole file whatever is asked for: the claim may grow to the end of its gap before bytes are taken */
  readonly onWhole: () => void
}

/** Brings `filler.claim` as far as it can. Resolves when all of it has come; the caller ends the filler in every case.
 *  @throws Miss; what writing threw; the reason of `signal` */
export async function fetchRange(ask: RangeAsk, filler: Filler, signal: AbortSignal): Promise<void> {
  const { replica, bytes, identity, token, plainData, limits } = ask
  const { at: from, to } = filler.claim
  const place = placeOf(replica)
  let atHost = true
  let answer: IncomingMessage
  try {
    const opened = await openData(replica.pfn, {
      method: 'GET',
      // Always closed: XRootD 5.5.3 answers an open range with nothing (facts/rucio.md 0.1).
      headers: {
        'Accept-Encoding': 'identity',
        Range: `bytes=${from}-${to - 1}`,
      },
      identity,
      token,
      plainData,
      limits,
      signal,
      onHop: () => {
        atHost = false
      },
    })
    answer = opened.answer
  } catch (error) {
    signal.throwIfAborted()
    throw missBeforeAnswer(error, atHost)
  }
  let skip = 0
  let bodyBytes: number
  try {
    const head = judgeHead(
      answer.statusCode ?? 0,
      answer.headers,
      { from, to, bytes },
      { place, now: ask.now() },
    )
    bodyBytes = head.bodyBytes
    if (head.kind === 'whole') {
      skip = from
      ask.onWhole()
    }
  } catch (error) {
    dropBody(answer)
    throw error
  }
  await pump(answer, { ask, filler, skip, bodyBytes, place, signal })
}

/** How a replica is named in sentences and logs. */
export function placeOf(replica: Replica): string {
  return `${replica.rse} (${hostPort(replica.pfn)})`
}

/** A drip keeps every other time-out waiting. */
export function tooSlow(place: string, { slowBytes, slowMs }: Limits): Trouble {
  return new Trouble('stalled', `${place} sent less than ${slowBytes} bytes in ${slowMs / 1000} s`)
}

type Pump = {
  readonly ask: RangeAsk
  readonly filler: Filler
  /** bytes of the body before the claim */
  readonly skip: number
  readonly bodyBytes: number
  readonly place: string
  readonly signal: AbortSignal
}

function pump(answer: IncomingMessage, { ask, filler, skip, bodyBytes, place, signal }: Pump): Promise<void> {
  const { pace, limits } = ask
  return new Promise((resolve, reject) => {
    let came = 0
    let cameAt = performance.now()
    let done = false
    const watch = setInterval(
      () => {
        if (filler.isPaused) pace.forget()
        else if (pace.isTooSlow())
          answer.destroy(
            new Trouble(
              'stalled',
              `${place} sent less than ${limits.slowBytes} bytes in ${limits.slowMs / 1000} s`,
            ),
          )
      },
      Math.max(10, limits.slowMs / 8),
    )
    function settle(error?: unknown): void {
      if (done) return
      done = true
      clearInterval(watch)
      filler.onRoom = filler.onError = () => {}
      if (error === undefined) resolve()
      else reject(error)
    }
    filler.onRoom = () => answer.resume()
    filler.onError = error => {
      settle(error)
      answer.destroy()
    }
    answer.on('data', (chunk: Uint8Array) => {
      if (done) return
      const wanted = came < skip ? chunk.subarray(Math.min(chunk.length, skip - came)) : chunk
      came += chunk.length
      cameAt = performance.now()
      if (came > bodyBytes) {
        settle(new Miss('strike', new Trouble('corrupt', `${place} sends more than it was asked for`)))
        answer.destroy()
        return
      }
      pace.came(chunk.length)
      if (wanted.length > 0 && !filler.push(wanted)) answer.pause()
      // The claim was cut while it ran, or the whole file was sent: what follows is not ours to wait for.
      if (filler.isFull && came < bodyBytes) {
        settle()
        answer.destroy()
      }
    })
    answer.on('end', () => {
      if (filler.isFull) settle()
      else settle(new Miss('line', new Trouble('stalled', `${place} ended the file before its time`)))
    })
    answer.on('error', error => {
      // openData() itself ends a body that brings nothing for idleMs; its looks lie an eighth of that apart.
      const silent = performance.now() - cameAt >= limits.idleMs * 0.8
      settle(signal.aborted ? signal.reason : missInBody(error, place, silent))
    })
    answer.on('close', () =>
      settle(new Miss('line', new Trouble('stalled', `the connection to ${place} was closed`))),
    )
  })
}
