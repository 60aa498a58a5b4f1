// Opens a catalogue against a practice grid, or against a server that says what a test wants. Closes all of it at the end.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { openRucio, type Rucio, type RucioOptions } from '../../src/catalogue/rucio.ts'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { caPem, userKeyPem, userPem } from '../../src/practice/certificates.ts'
import type { CatalogueFile } from '../../src/words/listing.ts'
import { type Reason, Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'

const closing: (() => void)[] = []

export function closeAll(): void {
  for (const close of closing.splice(0)) close()
}

export type Opened = {
  readonly rucio: Rucio
  /** what the catalogue reported of the credential, in order */
  readonly reports: (string | undefined)[]
  readonly logged: string[]
  readonly clock: { at: number }
}

export const jdoe = { authType: 'userpass', username: 'jdoe', password: 'jdoe-secret' } as const

export function open(
  url: string,
  more: Partial<RucioOptions> = jdoe,
  certificate: 'with certificate' | 'bare' = 'bare',
): Opened {
  const bare = createSecureContext({ ca: caPem })
  const own = createSecureContext({ ca: caPem, cert: userPem, key: userKeyPem })
  const identity = makeIdentity({ certificate: certificate === 'bare' ? undefined : own, bare })
  closing.push(() => retireIdentity(identity))
  const reports: (string | undefined)[] = []
  const logged: string[] = []
  const clock = { at: Date.now() }
  const rucio = openRucio(
    { rucioHost: url, authHost: url, ...jdoe, ...more },
    { identity: async () => identity, report: text => reports.push(text) },
    (_, text) => logged.push(text),
    { now: () => clock.at, chance: () => 0.5 },
  )
  return { rucio, reports, logged, clock }
}

export const never: AbortSignal = new AbortController().signal

export async function filesOf(rucio: Rucio, did: string): Promise<CatalogueFile[]> {
  const files: CatalogueFile[] = []
  const found = await rucio.contents(split(did), file => void files.push(file), never)
  if (found.kind === 'none') throw new Error(`${did} is not there`)
  return files
}

export function split(did: string): { scope: string; name: string } {
  const colon = did.indexOf(':')
  return { scope: did.slice(0, colon), name: did.slice(colon + 1) }
}

export async function troubleOf(promise: Promise<unknown>): Promise<Trouble> {
  const error = await rejects(promise)
  if (!(error instanceof Trouble)) throw error
  return error
}

export async function reasonOf(promise: Promise<unknown>): Promise<Reason> {
  return (await troubleOf(promise)).reason
}

export type Say = (request: IncomingMessage & { readonly body: string }, response: ServerResponse) => void

/** A catalogue that gives a token to anybody, and for the rest says what it is told to. */
export async function liar(say: Say, what: 'calls' | 'auth too' = 'calls'): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      if (what === 'auth too' || request.url?.startsWith('/auth/') !== true)
        return say(Object.assign(request, { body }), response)
      response.setHeader('X-Rucio-Auth-Token', 'a token')
      response.setHeader('X-Rucio-Auth-Token-Expires', new Date(Date.now() + 3_600_000).toUTCString())
      response.end()
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  closing.push(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Heads of a dataset by what it counts, and the text of its list of files. */
export function dataset(counts: readonly [number, number][], lists: readonly string[]): Say {
  let heads = 0
  let reads = 0
  return (request, response) => {
    if (request.url?.includes('/files') === true) {
      response.setHeader('Content-Type', 'application/x-json-stream')
      response.end(lists[Math.min(reads++, lists.length - 1)])
      return
    }
    const [length, bytes] = counts[Math.min(heads++, counts.length - 1)] ?? [0, 0]
    response.end(JSON.stringify({ scope: 's', name: 'n', type: 'DATASET', open: true, length, bytes }))
  }
}

export function line(name: string, more: Record<string, unknown> = {}): string {
  return `${JSON.stringify({ scope: 's', name, bytes: 10, adler32: '00000001', guid: null, events: null, ...more })}\n`
}
