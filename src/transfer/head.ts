// Whether the head of an answer promises the bytes that were asked for. Pure; believes nothing that was not asked for.

import type { IncomingHttpHeaders } from 'node:http'
import { readRetryAfter } from '../decide/backoff.ts'
import { Trouble } from '../words/reason.ts'
import { Miss } from './miss.ts'

/** range: the body is exactly what was asked for. whole: the body is the file from byte 0, whatever was asked for. */
export type Body = { readonly kind: 'range' | 'whole'; readonly bodyBytes: number }

/** @param wanted [from, to) of a file of `bytes` bytes
 *  @param place the RSE and host, to name it
 *  @throws Miss for everything else: another range, another total, another length, encoded, a page to log in, … */
export function judgeHead(
  status: number,
  headers: IncomingHttpHeaders,
  wanted: { readonly from: number; readonly to: number; readonly bytes: number },
  { place, now }: { readonly place: string; readonly now: number },
): Body {
  const { from, to, bytes } = wanted
  if (status !== 200 && status !== 206) throw missOfStatus(status, headers, place, now)
  const coding = headers['content-encoding']
  if (coding !== undefined && coding !== 'identity')
    throw nonsense(`${place} sends the file encoded${/^[a-z-]{1,10}$/.test(coding) ? ` as ${coding}` : ''}`)
  const length = lengthOf(headers)
  if (status === 206) {
    const said = headers['content-range']
    const match = /^bytes ([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16})$/.exec(said ?? '')
    if (match === null)
      throw nonsense(
        `${place} sends a part without saying which (${said === undefined ? 'no Content-Range' : /^bytes [0-9*/-]{1,60}$/.test(said) ? said : 'a Content-Range that is none'})`,
      )
    const [first, last, total] = match.slice(1).map(Number)
    if (total !== bytes)
      throw nonsense(`the file at ${place} has ${total} bytes where the catalogue says ${bytes}`)
    if (first !== from || last !== to - 1)
      throw nonsense(`${place} sends bytes ${first}-${last} where ${from}-${to - 1} were asked for`)
    // A chunked 206 has no length: its Content-Range says it, and the body is counted.
    if (length !== undefined && length !== to - from)
      throw nonsense(`${place} promises ${length} bytes where ${to - from} were asked for`)
    return { kind: 'range', bodyBytes: to - from }
  }
  // A page to log in, a directory listing and a cut file come with 200 as well: the length tells them.
  if (length !== bytes)
    throw nonsense(
      `${place} sends ${length === undefined ? 'something of unknown length' : `${length} bytes`} where the catalogue says ${bytes}`,
    )
  return { kind: 'whole', bodyBytes: bytes }
}

function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['content-length']
  return text !== undefined && /^[0-9]{1,16}$/.test(text) ? Number(text) : undefined
}

function missOfStatus(status: number, headers: IncomingHttpHeaders, place: string, now: number): Miss {
  switch (status) {
    case 401:
      return new Miss('replica', new Trouble('auth', `${place} wants to know who asks (401)`))
    case 403:
      return new Miss(
        'replica',
        new Trouble('refused', `${place} does not let us read it (403)`),
        undefined,
        true,
      )
    case 404:
    case 410:
      return new Miss('replica', new Trouble('no_replica', `${place} does not have it (${status})`))
    case 416:
      return nonsense(`${place} says that it has no such bytes (416)`)
    case 408:
    case 425:
    case 429:
      return cannot(status, headers, place, now)
  }
  if (status >= 500) return cannot(status, headers, place, now)
  if (status >= 400) return new Miss('replica', new Trouble('refused', `${place} answers ${status}`))
  return nonsense(`${place} answers ${status}`)
}

function cannot(status: number, headers: IncomingHttpHeaders, place: string, now: number): Miss {
  const askedMs = readRetryAfter(headers['retry-after'], now)
  return new Miss('host', new Trouble('host_down', `${place} says that it cannot now (${status})`), askedMs)
}

function nonsense(what: string): Miss {
  return new Miss('strike', new Trouble('corrupt', what))
}
