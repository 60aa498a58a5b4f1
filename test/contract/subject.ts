// What the contract is asked of: a catalogue with its storages, what they were filled with, and one way to ask them.
// Knows neither the practice grid nor the real one; never follows, retries or mends an answer.

import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'

/** A client certificate with its chain, and its key, as PEM text. */
export type Pair = { readonly cert: string; readonly key: string }

export type SeededFile = {
  readonly scope: string
  readonly name: string
  readonly bytes: number
  /** null: the catalogue was not told */
  readonly adler32: string | null
  readonly md5: string | null
  readonly events: number | null
  /** RSE -> what lies there */
  readonly places: Readonly<Record<string, string>>
}

/** What catalogue and storages were filled with; keys are `scope:name`. */
export type Facts<File extends SeededFile = SeededFile> = {
  readonly datasets: ReadonlyMap<string, readonly File[]>
  readonly containers: ReadonlyMap<string, readonly string[]>
  readonly closed: ReadonlySet<string>
  /** RSE -> schemes of its PFNs */
  readonly schemes: Readonly<Record<string, readonly string[]>>
}

export type Subject = {
  readonly rucioUrl: string
  /** with the CA of all its servers, and no client certificate */
  readonly agent: Agent
  readonly facts: Facts
  /** a token of jdoe */
  readonly token: string
}

export type Question = {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly agent: Agent
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** the connection ended before the body that was promised */
  readonly cut: boolean
}

/** One request. The path goes over the wire as it stands in `url`: `new URL` would walk its `..`. */
export function ask(question: Question): Promise<Answer> {
  const [, host = '', port = '', path = ''] = /^https:\/\/([^/:]+):(\d+)(\/.*)$/.exec(question.url) ?? []
  const { method = 'GET', body, agent } = question
  // Node sends the body of a DELETE without its length unless it is told, and the server takes it for the next request.
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const headers = { ...length, ...question.headers }
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers, agent, timeout: 20_000 }, answer => {
      const chunks: Buffer[] = []
      const done = (): void =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks),
          cut: !answer.complete,
        })
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', done)
      // A body that is cut short is an answer too, one that a contract speaks of.
      answer.on('error', done)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer in 20 s: ${method} ${question.url}`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A call of the catalogue with the token of jdoe; a `body` goes as JSON by POST. */
export function call(
  subject: Subject,
  path: string,
  { body, method = body === undefined ? 'GET' : 'POST', headers = {} }: Partial<CallOptions> = {},
): Promise<Answer> {
  return ask({
    url: subject.rucioUrl + path,
    method,
    agent: subject.agent,
    headers: {
      'X-Rucio-Auth-Token': subject.token,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

type CallOptions = {
  readonly method: string
  /** text goes as it is */
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** GET /auth/userpass. */
export function login(
  subject: Pick<Subject, 'rucioUrl' | 'agent'>,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return ask({ url: `${subject.rucioUrl}/auth/userpass`, agent: subject.agent, headers })
}

export const jdoe = {
  'X-Rucio-Account': 'jdoe',
  'X-Rucio-Username': 'jdoe',
  'X-Rucio-Password': 'jdoe-secret',
}

/** A token of jdoe by password. */
export async function tokenOf(subject: Pick<Subject, 'rucioUrl' | 'agent'>): Promise<string> {
  const answer = await login(subject, jdoe)
  const token = answer.headers['x-rucio-auth-token']
  if (answer.status !== 200 || typeof token !== 'string') throw new Error(`no token: ${answer.status}`)
  return token
}
