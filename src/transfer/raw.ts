// A range over a connection of our own: bytes land in the slab that is summed and written. It costs what curl costs, where node:https
// costs 1.7 times as much, and twice that in garbage where files are small. Takes a plain 206 with the exact range and length, and a plain
// refusal; whatever else comes is left to https.ts. Never follows a redirect.

import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { Filler } from './filler.ts'
import { judgeHead } from './head.ts'
import { placeOf, type RangeAsk, tooSlow } from './https.ts'
import { Miss, missBeforeAnswer } from './miss.ts'
import { type RawHead, readRawHead } from './raw-head.ts'
import { type RawLine, type Reader, readBytes } from './raw-line.ts'

/** Brings `filler.claim` as fetchRange() does, over `line`.
 *  @returns 'done', or 'not this way' before a byte was taken: fetchRange() is to be asked instead
 *  @throws as fetchRange() */
export async function fetchRaw(
  ask: RangeAsk,
  line: RawLine,
  filler: Filler,
  signal: AbortSignal,
): Promise<'done' | 'not this way'> {
  const context = ask.identity.secureContext
  const { pfn } = ask.replica
  if (ask.token !== undefined && !/^[\x21-\x7e]+$/.test(ask.token)) return 'not this way'
  const reused = line.isOpenTo(pfn, context)
  const outcome = await once(ask, line, filler, signal, reused)
  // A server closes an idle connection when it likes, also in the instant in which we take it up.
  return outcome === 'dead'
    ? ((await once(ask, line, filler, signal, false)) as 'done' | 'not this way')
    : outcome
}

function once(
  ask: RangeAsk,
  line: RawLine,
  filler: Filler,
  signal: AbortSignal,
  reused: boolean,
): Promise<'done' | 'not this way' | 'dead'> {
  const { replica, bytes, limits, pace } = ask
  const { pfn } = replica
  const { at: from, to } = filler.claim
  const place = placeOf(replica)
  return new Promise((resolve, reject) => {
    let head: RawHead | undefined
    let before = Buffer.alloc(0)
    let left = to - from
    let cameAt = performance.now()
    let done = false
    let timer: NodeJS.Timeout | undefined

    function settle(end: () => void): void {
      if (done) return
      done = true
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', abort)
      filler.onRoom = filler.onError = () => {}
      end()
    }
    /** The connection is in the middle of something: it cannot be used again. */
    function fail(error: unknown): void {
      settle(() => {
        line.close()
        reject(error)
      })
    }
    function leave(how: 'done' | 'not this way', keep: boolean): void {
      settle(() => {
        if (keep) line.release()
        else line.close()
        resolve(how)
      })
    }
    const abort = (): void => fail(signal.reason)
    function limit(ms: number, reason: 'host_down' | 'stalled', what: string): void {
      clearTimeout(timer)
      timer = setTimeout(
        () => fail(new Miss('host', new Trouble(reason, `${what} ${place} within ${ms / 1000} s`))),
        ms,
      )
    }

    function takeHead(chunk: Buffer): boolean {
      before = Buffer.concat([before, chunk])
      const read = readRawHead(before)
      if (read === undefined) return true
      // A refusal is one whoever reads it; what else is not the range may mean something to node:https.
      if (read === 'strange' || (read.status !== 206 && read.status < 400)) {
        leave('not this way', false)
        return false
      }
      try {
        judgeHead(read.status, read.headers, { from, to, bytes }, { place, now: ask.now() })
      } catch (error) {
        fail(error)
        return false
      }
      clearTimeout(timer)
      head = read
      cameAt = performance.now()
      const body = before.subarray(read.length)
      before = Buffer.alloc(0)
      if (body.length > left) {
        fail(new Miss('strike', new Trouble('corrupt', `${place} sends more than it was asked for`)))
        return false
      }
      filler.push(body)
      return tookBody(body.length)
    }
    function tookBody(count: number): boolean {
      left -= count
      cameAt = performance.now()
      pace.came(count)
      if (left === 0 || filler.isFull) {
        // A claim that was cut while it ran leaves the rest of the answer on the line.
        leave('done', left === 0 && head?.keepsAlive === true)
        return true
      }
      return !filler.isPaused
    }
    const reader: Reader = {
      room: () => (head === undefined || filler.isFull ? line.scratch : filler.room(readBytes)),
      came(count) {
        try {
          if (head === undefined) return takeHead(line.scratch.subarray(0, count))
          // The claim may have been cut since this room was given.
          filler.filled(Math.min(count, filler.claim.to - filler.claim.at))
          return tookBody(count)
        } catch (error) {
          fail(error)
          return false
        }
      },
      broke(error) {
        if (head !== undefined)
          return fail(
            new Miss(
              'line',
              new Trouble('stalled', `${place} cut the connection in the middle of a file`, error),
            ),
          )
        if (reused && before.length === 0) return settle(() => resolve('dead'))
        fail(missBeforeAnswer(error, true))
      },
    }

    const watch = setInterval(
      () => {
        if (head === undefined) return
        if (filler.isPaused) {
          cameAt = performance.now()
          pace.forget()
        } else if (performance.now() - cameAt >= limits.idleMs)
          fail(
            new Miss('host', new Trouble('stalled', `no byte from ${place} for ${limits.idleMs / 1000} s`)),
          )
        else if (pace.isTooSlow()) fail(new Miss('host', tooSlow(place, limits)))
      },
      Math.max(10, Math.min(limits.idleMs, limits.slowMs) / 8),
    )
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()
    filler.onRoom = () => line.resume()
    filler.onError = fail

    function send(): void {
      limit(limits.headersMs, 'stalled', 'no answer from')
      line.send(requestOf(ask, from, to), reader)
    }
    if (reused) return send()
    limit(limits.connectMs, 'host_down', 'no connection to')
    try {
      line.open(pfn, ask.identity.secureContext, reader)
      line.onConnected(send)
    } catch (error) {
      fail(missBeforeAnswer(error, true))
    }
  })
}

/** Every part of it is printable ASCII without spaces: the PFN by its parser, the token by fetchRaw(). */
function requestOf({ replica, token }: RangeAsk, from: number, to: number): string {
  const { pfn } = replica
  return [
    `GET ${pfn.path}${pfn.query} HTTP/1.1`,
    `Host: ${hostPort(pfn)}`,
    'User-Agent: desktop-rucio',
    'Accept-Encoding: identity',
    `Range: bytes=${from}-${to - 1}`,
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    'Connection: keep-alive',
    '\r\n',
  ].join('\r\n')
}
