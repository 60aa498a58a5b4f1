// Agents around a SecureContext: one pool of connections for each identity. Never reads a file.

import { Agent as PlainAgent } from 'node:http'
import { Agent, type AgentOptions } from 'node:https'
import type { SecureContext } from 'node:tls'
import type { Identity } from './request.ts'
import { serverCheck } from './verified.ts'

/** @param contexts `certificate` holds a client certificate, `bare` the same CA set without one */
export function makeIdentity(contexts: {
  readonly certificate: SecureContext | undefined
  readonly bare: SecureContext
  /** a certificate is configured, whether there is one or not */
  readonly configured?: boolean
  readonly attributes?: readonly string[]
}): Identity {
  const { certificate, bare, configured = false, attributes } = contexts
  return {
    secureContext: certificate ?? bare,
    agent: new Agent(options(certificate ?? bare)),
    bareAgent: new Agent(options(bare)),
    bareContext: bare,
    plainAgent: new PlainAgent(pool),
    hasCertificate: certificate !== undefined,
    lacksCertificate: configured && certificate === undefined,
    ...(certificate === undefined || attributes === undefined ? {} : { attributes }),
  }
}

/** No connection is kept for later any more; those in use end with their transfers.
 *  (Agent.destroy() would cut them; a context swapped in place would resume the old session, credentials.md 0.8.) */
export function retireIdentity(identity: Identity): void {
  for (const agent of [identity.agent, identity.bareAgent, identity.plainAgent]) {
    agent.maxFreeSockets = 0
    for (const sockets of Object.values(agent.freeSockets)) for (const each of sockets ?? []) each.destroy()
  }
}

const pool = {
  keepAlive: true,
  keepAliveMsecs: 30_000,
  maxSockets: Number.POSITIVE_INFINITY,
  maxFreeSockets: 16,
  scheduling: 'lifo',
  // Idle connections only: longer than a pause between two files, and nothing is open when nothing is to do.
  timeout: 15_000,
} as const

// Node's types know no secureContext for an Agent; its options go to tls.connect(), which does. One context for all
// connections: a `ca` list would be parsed anew for each (7 to 14 ms with 84 CAs).
function options(secureContext: SecureContext): AgentOptions {
  const all: AgentOptions & { secureContext: SecureContext } = {
    ...pool,
    secureContext,
    checkServerIdentity: serverCheck(secureContext),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  }
  return all
}
