import type { IncomingMessage, Agent as PlainAgent } from 'node:http'
import type { Agent } from 'node:https'
import type { SecureContext } from 'node:tls'

/** What a connection is made with. New credential = new Identity; the old one is closed after its transfers (credentials.md 0.8). */
export type Identity = {
  readonly secureContext: SecureContext
  /** with the client certificate, if there is one */
  readonly agent: Agent
  /** the same CA set without a client certificate: for userpass, token calls, hosts that a redirect led to */
  readonly bareAgent: Agent
  readonly bareContext: SecureContext
  readonly plainAgent: PlainAgent
  readonly hasCertificate: boolean
}

export type Ask = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly scheme: 'https' | 'http'
  readonly host: string
  readonly port: number
  /** path and query as they go over the wire */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly agent: Agent | PlainAgent
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

/** One request, nothing followed, no policy. The body streams; a body that stalls or is cut short emits an error.
 *  Throws Trouble: host_down (refused, unreachable, unknown, connect time-out), offline (no network at all), stalled, auth (TLS alert about our certificate),
 *  refused (their certificate does not verify). Loopback, link-local and metadata addresses are refused after resolving unless
 *  `allowLoopback` was set for this process by setLoopbackAllowed() (DESIGN.md: unless the catalogue itself is on loopback). */
export declare function ask(what: Ask): Promise<IncomingMessage>
export declare function setLoopbackAllowed(allowed: boolean, ownPorts: ReadonlySet<number>): void
/** The body as text, at most `maxBytes` (more = Trouble('bad_listing')). */
export declare function bodyText(answer: IncomingMessage, maxBytes: number): Promise<string>
