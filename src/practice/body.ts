// Sends a range of a replica the way its storage is told to: slowly, in drips, until a stall or a reset. Counts what was handed to the
// socket. Never decides what is sent.

import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Faults } from './faults.ts'
import type { Connection } from './listener.ts'

/** @param what.fill writes the bytes from `at` on
 *  @param what.count [from, to) is about to be handed to the socket: what the kernel does not take in the end counts too
 *  @param what.faults asked again before each piece, so that a change counts at once
 *  @returns true when all was sent and the answer is the caller's to end */
export async function sendRange(
  what: {
    readonly from: number
    readonly to: number
    readonly fill: (at: number, into: Uint8Array) => void
    readonly count: (from: number, to: number) => void
    readonly faults: () => Faults
    /** a reset is due */
    readonly cut: () => void
  },
  response: ServerResponse,
  connection: Connection,
): Promise<boolean> {
  // One buffer for the whole answer: a piece is copied or in the kernel before the next one is made.
  const buffer = new Uint8Array(Math.min(pieceBytes, what.to - what.from))
  let at = what.from
  while (at < what.to) {
    const faults = what.faults()
    const size = pieceSize(
      faults,
      at - what.from,
      connection.bodyBytes,
      Math.min(buffer.length, what.to - at),
    )
    if (size === 0) await closed(response)
    else await pause(delayOf(faults, size, connection), response)
    if (response.destroyed || response.socket === null) return false
    const piece = buffer.subarray(0, size)
    what.fill(at, piece)
    what.count(at, at + size)
    connection.bodyBytes += size
    at += size
    if (!(await write(piece, response))) return false
    if (faults.dropEvery > 0 && connection.bodyBytes % faults.dropEvery === 0) {
      // A reset throws away what the kernel has not delivered. A client that reads gets it within this time, so that
      // what is counted as sent is what has come; one in this process may have been kept from reading by ourselves.
      await pause(20, response)
      for (let turn = 0; turn < 100; turn++) await setImmediate()
      what.cut()
      connection.reset()
      return false
    }
  }
  return true
}

/** Waits until the client has gone. */
export function closed(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.closed || response.destroyed) resolve()
    else response.once('close', resolve)
  })
}

const pieceBytes = 2 ** 20

/** 0 = nothing more will ever be sent. */
function pieceSize(faults: Faults, sentHere: number, sentBefore: number, most: number): number {
  if (faults.hang) return 0
  let size = most
  if (faults.stallAfter > 0) size = Math.min(size, Math.max(0, faults.stallAfter - sentHere))
  if (faults.dropEvery > 0) size = Math.min(size, faults.dropEvery - (sentBefore % faults.dropEvery))
  // 20 pieces a second look like a steady flow to whoever measures it.
  if (faults.rate > 0) size = Math.min(size, Math.ceil(faults.rate / 20))
  return faults.drip ? Math.min(size, 1) : size
}

/** ms until the piece may go; books it on the connection. */
function delayOf(faults: Faults, size: number, connection: Connection): number {
  if (faults.drip) return 1000
  if (faults.rate === 0) return 0
  const now = performance.now()
  const start = Math.max(now, connection.paidUntil)
  connection.paidUntil = start + (size / faults.rate) * 1000
  return start - now
}

/** Ends early when the client goes. */
async function pause(ms: number, response: ServerResponse): Promise<void> {
  if (ms <= 0) return
  await new Promise<void>(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    response.once('close', done)
  })
}

/** @returns false when the connection is gone */
function write(bytes: Uint8Array, response: ServerResponse): Promise<boolean> {
  return new Promise(resolve => {
    const gone = (): void => resolve(false)
    response.once('close', gone)
    response.write(bytes, error => {
      response.off('close', gone)
      resolve(error === undefined || error === null)
    })
  })
}
