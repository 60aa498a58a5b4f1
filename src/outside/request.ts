// One HTTP request over node:https: certificate, time-outs, AbortSignal, errors as Trouble. Never follows, decides or retries
// (save a pooled connection that had died before it was used).

import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { hostPort } from '../words/pfn.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { guardedLookup, refuseLiteral } from './address.ts'
import { lineTrouble, noteConnected } from './errors.ts'
import { noteDate } from './serverClock.ts'

export { setLoopbackAllowed } from './address.ts'

/** What a connection is made with. New credential = new Identity; the old one is closed after its transfers (credentials.md 0.8). */
export type Identity = {
  readonly secureContext: SecureContext
  /** with the client certificate, if there is one */
  readonly agent: https.Agent
  /** the same CA set without a client certificate: for userpass and for calls with a token */
  readonly bareAgent: https.Agent
  readonly bareContext: SecureContext
  readonly plainAgent: http.Agent
  readonly hasCertificate: boolean
  /** one is configured, and cannot be shown now (it has ended, or is not there) */
  readonly lacksCertificate?: boolean
  /** the VOMS attributes of the certificate, `/VO/GROUP/Role=R`; none = it is plain; undefined = there is none, or nobody knows */
  readonly attributes?: readonly string[]
}

export type Ask = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  readonly scheme: 'https' | 'http'
  readonly host: string
  readonly port: number
  /** path and query as they go over the wire */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** a POST, PUT or DELETE that may be sent twice without harm; a GET or HEAD always may */
  readonly repeatable?: boolean
  /** the host was written by the user, not by a server: no address of it is refused */
  readonly configured?: boolean
  readonly agent: https.Agent | http.Agent
  readonly limits: {
    /** TCP and TLS */
    readonly connectMs: number
    /** from the request sent to the head of the answer */
    readonly headersMs: number
    /** without a byte of the body */
    readonly idleMs: number
  }
  readonly signal: AbortSignal
}

// Every dead connection that fails is out of the pool; the pool holds at most this many (identity.ts).
const maxRepeats = 16
// 100 and 103 come once or twice. Each costs Node a request's worth of work: one storage that sent 102 without end took all
// of the daemon's time, and GET /status did not answer any more.
const maxInformation = 16

/** One request, nothing followed, no policy. The body streams; a body that stalls or is cut short emits a Trouble('stalled').
 *  The caller reads the body to its end or destroys it. When `signal` fires, its reason is thrown (or emitted by the body).
 *  Throws Trouble: host_down (refused, unreachable, unknown, connect time-out), offline (no network at all), stalled, auth (TLS alert about our certificate),
 *  refused (their certificate does not verify). Loopback, link-local and metadata addresses are refused after resolving unless
 *  setLoopbackAllowed() says so for this process (DESIGN.md: unless the catalogue itself is on loopback). */
export async function ask(what: Ask): Promise<http.IncomingMessage> {
  if (what.configured !== true) refuseLiteral(what.host, what.port)
  const repeatable = what.method === 'GET' || what.method === 'HEAD' || what.repeatable === true
  for (let repeats = 0; ; repeats++) {
    what.signal.throwIfAborted()
    const outcome = await once(what)
    if (outcome.kind === 'answer') return outcome.answer
    // A server closes an idle connection when it likes (gunicorn and Apache after 5 s), also in the instant in which we take it up.
    if (!(outcome.pooled && repeatable && repeats < maxRepeats)) throw outcome.trouble
  }
}

/** The body as text, at most `maxBytes` (more = Trouble('bad_listing')). */
export async function bodyText(answer: http.IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Leaving the loop by a throw destroys the answer, so the rest is not read.
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Trouble('bad_listing', `an answer is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An answer whose body is of no interest: read away when it is small, so that the connection lives on, else cut. */
export function dropBody(answer: http.IncomingMessage): void {
  // Whatever happens to a body that nobody reads changes nothing.
  answer.on('error', () => {})
  const length = Number(answer.headers['content-length'] ?? Number.NaN)
  if (length <= 65536) answer.resume()
  else answer.destroy()
}

type Outcome =
  | { readonly kind: 'answer'; readonly answer: http.IncomingMessage }
  /** pooled: a kept-alive connection was reset before a byte of this answer */
  | { readonly kind: 'trouble'; readonly trouble: unknown; readonly pooled: boolean }

function once(what: Ask): Promise<Outcome> {
  return new Promise(resolve => {
    const place = hostPort(what)
    const request = send(what)
    let timer: NodeJS.Timeout | undefined
    let socket: Socket | undefined
    let bytesBefore = 0
    let done = false

    function limit(ms: number, trouble: () => Trouble): void {
      clearTimeout(timer)
      timer = setTimeout(() => request.destroy(trouble()), ms)
    }
    function connected(): void {
      noteConnected(what.host)
      const { headersMs } = what.limits
      limit(headersMs, () => new Trouble('stalled', `no answer from ${place} for ${seconds(headersMs)} s`))
    }
    const { connectMs } = what.limits
    limit(
      connectMs,
      () => new Trouble('host_down', `no connection to ${place} within ${seconds(connectMs)} s`),
    )

    request.on('socket', taken => {
      socket = taken
      bytesBefore = taken.bytesRead
      if (request.reusedSocket) connected()
      else {
        taken.setKeepAlive(true, 30_000)
        taken.once(what.scheme === 'https' ? 'secureConnect' : 'connect', connected)
      }
    })
    let early = 0
    request.on('information', () => {
      if (++early > maxInformation)
        request.destroy(new Trouble('host_down', `${place} says 1xx over and over and never answers`))
    })
    request.once('response', answer => {
      done = true
      clearTimeout(timer)
      // A storage that a server has named may say what it likes: its clock would be taken for a fault of ours.
      if (what.configured === true) noteDate(what.host, answer.headers.date)
      if (socket !== undefined) watchBody(answer, socket, what)
      resolve({ kind: 'answer', answer })
    })
    // Stays for the life of the request: after the head, errors of the connection come here as well as to the body.
    request.on('error', error => {
      clearTimeout(timer)
      if (done) return
      done = true
      const code = codeOf(error)
      const reset = code === 'ECONNRESET' || code === 'EPIPE'
      const pooled = reset && request.reusedSocket && socket?.bytesRead === bytesBefore
      const trouble = what.signal.aborted ? what.signal.reason : lineTrouble(error, what)
      resolve({ kind: 'trouble', trouble, pooled: pooled && !what.signal.aborted })
    })
    // After a 101 that nobody asked for Node closes the connection and says nothing else: neither answer nor error, whatever destroys it.
    request.once('close', () => {
      clearTimeout(timer)
      if (done) return
      done = true
      const trouble = what.signal.aborted
        ? what.signal.reason
        : new Trouble('host_down', `${place} closed the connection without an answer`)
      resolve({ kind: 'trouble', trouble, pooled: false })
    })
    request.end(what.body)
  })
}

/** Options of net.connect() that http.request() passes on and Node's types of it leave out. */
type Connect = { readonly autoSelectFamily: boolean; readonly autoSelectFamilyAttemptTimeout: number }

function send(what: Ask): http.ClientRequest {
  const options: https.RequestOptions & Connect = {
    method: what.method,
    host: what.host,
    port: what.port,
    path: what.path,
    headers: {
      'User-Agent': 'desktop-rucio',
      ...what.headers,
      ...(what.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(what.body)) }),
    },
    agent: what.agent,
    signal: what.signal,
    maxHeaderSize: 32_768,
    insecureHTTPParser: false,
    // Of two addresses the first has this long before the other is tried. Node's own 250 ms is less than a way around the world takes.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 2_500,
    ...(what.configured === true ? {} : { lookup: guardedLookup(what.port) }),
  }
  return what.scheme === 'https' ? https.request(options) : http.request(options)
}

/** A body without a byte for idleMs ends in an error; time in which it was us who did not read does not count. */
function watchBody(answer: http.IncomingMessage, socket: Socket, what: Ask): void {
  const { idleMs } = what.limits
  const place = hostPort(what)
  let seen = socket.bytesRead
  let idleSince = performance.now()
  const timer = setInterval(
    () => {
      const now = performance.now()
      // Bytes that lie here unread: whoever reads is slower than the server. (isPaused() is true of every `for await`.)
      if (socket.bytesRead !== seen || answer.readableLength > 0) {
        seen = socket.bytesRead
        idleSince = now
      } else if (now - idleSince >= idleMs)
        answer.destroy(new Trouble('stalled', `no byte from ${place} for ${seconds(idleMs)} s`))
    },
    Math.max(10, idleMs / 8),
  )
  answer.once('close', () => clearInterval(timer))

  // Node itself ends a body that was cut with ECONNRESET 'aborted', and says the same when it was our signal that cut it.
  const destroy = answer.destroy.bind(answer)
  answer.destroy = error => {
    if (error === undefined) return destroy()
    if (what.signal.aborted) return destroy(asError(what.signal.reason))
    if (error instanceof Trouble) return destroy(error)
    return destroy(new Trouble('stalled', `${place} cut the connection in the middle of an answer`, error))
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10)
}
