// One replica over HTTP: GET, HEAD and Digest. Never looks at paths.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendRange } from './body.ts'
import type { Connection } from './listener.ts'
import { answerNonsense } from './nonsense.ts'
import { answerRange, readRange, type Sending } from './range.ts'
import { checksumOf, fill, sizeOf } from './seed.ts'
import type { Held, Here } from './surroundings.ts'

export async function answerFile(
  here: Here,
  held: Held,
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
): Promise<void> {
  const faults = here.faults()
  const size = sizeOf(held.file, held.kind)
  await setDigest(here, held, request, response)
  if (request.method === 'HEAD') {
    response.writeHead(200, { 'Content-Length': size })
    response.end()
    return
  }
  const sending: Sending = {
    size,
    range: readRange(request.headers.range, size, faults.openRangesWrong),
    response,
    bytes(from, to) {
      const bytes = new Uint8Array(to - from)
      fill(held.file, held.kind, from, bytes)
      return bytes
    },
    send: (from, to) =>
      sendRange(
        {
          from,
          to,
          fill: (at, into) => fill(held.file, held.kind, at, into),
          count: here.surroundings.sending(here.rse, `${held.file.scope}:${held.file.name}`),
          faults: here.faults,
          cut: () => here.surroundings.cutting(here.rse),
        },
        response,
        connection,
      ),
  }
  if (faults.nonsense !== 'none' && (await answerNonsense(faults.nonsense, sending))) return
  await answerRange(sending)
}

async function setDigest(
  here: Here,
  held: Held,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const want = request.headers['want-digest']
  if (typeof want === 'string') {
    // Another algorithm than these two gives adler32 (exchange s16).
    const md5 = /^md5\b/i.test(want)
    const hex = await checksumOf(held.file, held.kind, md5 ? 'md5' : 'adler32')
    here.digest.last = md5 ? `md5=${Buffer.from(hex, 'hex').toString('base64')}` : `adler32=${hex}`
    response.setHeader('Digest', here.digest.last)
  } else if (request.method === 'GET' && here.digest.last !== '' && here.faults().wrongDigest)
    response.setHeader('Digest', here.digest.last)
}
