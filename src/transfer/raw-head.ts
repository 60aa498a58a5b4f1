// The head of an HTTP answer, read by hand from the bytes of a connection. Takes only the plainest kind; never guesses at the rest.

import type { IncomingHttpHeaders } from 'node:http'

export type RawHead = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** bytes of the head, the empty line included */
  readonly length: number
  /** another request may follow on this connection */
  readonly keepsAlive: boolean
}

const mostBytes = 32_768
const end = Buffer.from('\r\n\r\n')

/** @returns undefined while its end has not come; 'strange' for what node:http is to read instead: too long, folded, doubled, chunked,
 *  without a length, or no answer at all */
export function readRawHead(bytes: Buffer): RawHead | 'strange' | undefined {
  const at = bytes.indexOf(end)
  if (at < 0) return bytes.length > mostBytes ? 'strange' : undefined
  if (at > mostBytes) return 'strange'
  const [first = '', ...lines] = bytes.toString('latin1', 0, at).split('\r\n')
  const status = /^HTTP\/1\.1 ([2-5][0-9]{2})(?: |$)/.exec(first)?.[1]
  if (status === undefined) return 'strange'
  const headers = new Map<string, string>()
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line)
    const [, name = '', value = ''] = match ?? []
    const key = name.toLowerCase()
    // Doubles that do not matter here (Cache-Control, Set-Cookie) are usual; those that say where a body ends are not.
    if (match === null || (headers.has(key) && /^(?:content-|transfer-)/.test(key))) return 'strange'
    headers.set(key, value)
  }
  if (headers.has('transfer-encoding') || !headers.has('content-length')) return 'strange'
  return {
    status: Number(status),
    headers: Object.fromEntries(headers),
    length: at + end.length,
    keepsAlive: !/\bclose\b/i.test(headers.get('connection') ?? ''),
  }
}
