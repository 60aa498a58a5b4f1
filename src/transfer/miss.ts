// What a request for bytes came to when it did not bring all, and whose fault it was. Never decides what follows.

import { Trouble, toTrouble } from '../words/reason.ts'

/** - host: it does not answer, or says that it cannot: it rests, and its other files are left alone too
 *  - strike: wrong bytes or nonsense of this replica
 *  - replica: this file cannot be had there now (404, 403), the host may be well
 *  - credential: it does not take what we show, whatever the file: it rests, until there is another credential at the most
 *  - line: the connection was cut in the middle of a body
 *  - us: this machine (disk, no network, a bug): no replica can help */
export type Blame = 'host' | 'strike' | 'replica' | 'credential' | 'line' | 'us'

export class Miss extends Error {
  override readonly name = 'Miss'
  readonly blame: Blame
  readonly trouble: Trouble
  /** what a Retry-After asked for, in ms */
  readonly askedMs: number | undefined
  /** it knows the file, and does not give it to us (403) */
  readonly denied: boolean

  constructor(blame: Blame, trouble: Trouble, askedMs?: number, denied = false) {
    super(trouble.message, { cause: trouble })
    this.blame = blame
    this.trouble = trouble
    this.askedMs = askedMs
    this.denied = denied
  }
}

/** What openData() threw, before there was an answer.
 *  @param atHost false when a redirect had led elsewhere: then the fault is not the first host's */
export function missBeforeAnswer(error: unknown, atHost: boolean): Miss {
  const trouble = toTrouble(error)
  switch (trouble.reason) {
    case 'host_down':
    case 'stalled':
      return new Miss(atHost ? 'host' : 'replica', trouble)
    case 'auth':
    case 'refused':
    case 'unsupported':
      return new Miss('replica', trouble)
    default:
      return new Miss('us', trouble)
  }
}

/** A body that ended before its time.
 *  @param silent no byte had come for as long as is waited: a host that hangs, where a cut says nothing against it */
export function missInBody(error: unknown, place: string, silent: boolean): Miss {
  if (error instanceof Miss) return error
  const trouble =
    error instanceof Trouble
      ? error
      : new Trouble('stalled', `the connection to ${place} broke: ${toTrouble(error).detail}`, error)
  if (trouble.reason !== 'stalled' && trouble.reason !== 'host_down') return new Miss('us', trouble)
  return new Miss(silent ? 'host' : 'line', trouble)
}
