// Answers to what is no HTTP request: written to the socket by hand. Never answers twice, nor into an answer under way.

import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { codeOf } from '../words/reason.ts'
import { Problem, problemBody } from './problem.ts'

/** The answer that is under way on a socket; handle.ts notes it. */
export const underWay = new WeakMap<Duplex, ServerResponse>()
const refused = new WeakSet<Duplex>()

/** A client that was refused may still be sending; its socket is cut after this time. */
const lingerMs = 1000

/** The listener for Node's `clientError`: a head that is too long, too slow or no HTTP. The socket is closed. */
export function refuseRaw(error: Error, socket: Duplex): void {
  if (refused.has(socket)) return
  refused.add(socket)
  const { status, problem } = toRefusal(error)
  if (codeOf(error) === 'ECONNRESET' || !socket.writable || underWay.get(socket)?.headersSent === true) {
    socket.destroy()
    return
  }
  const body = `${JSON.stringify(problemBody(problem))}\n`
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: application/json',
      'X-Content-Type-Options: nosniff',
      'Cache-Control: no-store',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // Cut at once, bytes that were not read yet would reset the connection, and the answer be lost with it.
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

function toRefusal(error: Error): { readonly status: string; readonly problem: Problem } {
  switch (codeOf(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return refusal(
        431,
        'Request Header Fields Too Large',
        'The headers are too long; send fewer or shorter ones.',
      )
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusal(408, 'Request Timeout', 'The request came too slowly; send it again at once.')
    case undefined:
      return refusal(405, 'Method Not Allowed', 'This is no proxy; use GET, POST or DELETE.')
    default:
      return refusal(400, 'Bad Request', 'This is no HTTP request that can be read; use an HTTP/1.1 client.')
  }
}

function refusal(code: number, text: string, message: string) {
  const problem = new Problem(
    code,
    code === 405 ? 'method' : code === 431 ? 'too_large' : 'bad_request',
    message,
  )
  return { status: `${code} ${text}`, problem }
}
