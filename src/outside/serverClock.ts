// What time the servers that the user has named say that it is: the Date of the last answer. Never asks for one, and never sets a clock.

import { type Apart, apartFrom, type ServerDate } from '../words/clock.ts'

let last: ServerDate | undefined

/** @param header the answer's Date; storages of XRootD send none */
export function noteDate(host: string, header: string | undefined): void {
  const theirs = Date.parse(header ?? '')
  if (!Number.isNaN(theirs)) last = { host, theirs, ...bothNow() }
}

/** How far our clock is from that of the server that answered last; undefined where nobody can say. */
export function serverClock(): Apart | undefined {
  return apartFrom(last, bothNow())
}

function bothNow(): { readonly wall: number; readonly steady: number } {
  return { wall: Date.now(), steady: performance.now() }
}
