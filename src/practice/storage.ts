// A storage of the practice grid: answers as XRootD 5.5.3 does over HTTP (facts/rucio.md 7), and misbehaves on request. Never checks
// what the catalogue says of it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import { closed } from './body.ts'
import { type Faults, noFaults } from './faults.ts'
import { subjectOf } from './identity.ts'
import { type Connection, listen } from './listener.ts'
import { answerFile } from './replica.ts'
import { sizeOf } from './seed.ts'
import type { Here, Surroundings } from './surroundings.ts'
import { directoryPage, loginPage, propfindAnswer, refuse, text } from './xrootd.ts'

export type Storage = {
  readonly port: number
  setFaults(change: Partial<Faults>): Promise<void>
  /** the Authorization of each request so far; '' where there was none */
  authorizations(): readonly string[]
  stop(): Promise<void>
}

export async function openStorage(
  rse: string,
  secure: boolean,
  surroundings: Surroundings,
): Promise<Storage> {
  let faults = noFaults
  const shown: string[] = []
  const here: Here = { rse, surroundings, faults: () => faults, digest: { last: '' } }
  const listener = await listen({
    secure,
    idleMs: 100_000,
    silent: () => faults.hang,
    answer(request, response, connection) {
      shown.push(request.headers.authorization ?? '')
      void answer(here, request, response, connection)
    },
  })
  return {
    port: listener.port,
    async setFaults(change) {
      faults = { ...faults, ...change }
      await (faults.dead ? listener.shut() : listener.open())
    },
    authorizations: () => [...shown],
    stop: () => listener.shut(),
  }
}

async function answer(
  here: Here,
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
): Promise<void> {
  const faults = here.faults()
  response.sendDate = false
  response.setHeader('Connection', 'Keep-Alive')
  response.setHeader('Server', 'XrootD/v5.5.3')
  request.resume()
  if (faults.hang) return closed(response)
  if (faults.status !== 0) return fail(faults.status, response)
  const [rawPath = '/', query = ''] = (request.url ?? '/').split('?', 2)
  if (rawPath.startsWith('/sso/')) return text(200, loginPage, response)
  const door = new URLSearchParams(query).get('door') ?? here.rse
  if (faults.redirectTo !== '') {
    const base = here.surroundings.base(faults.redirectTo)
    if (base === undefined) return fail(500, response)
    response.setHeader('Location', `${base}${rawPath}?door=${encodeURIComponent(door)}`)
    return text(302, '', response)
  }
  if (faults.needsCertificate && !isUser(request))
    return refuse(403, `Unable to open ${decode(rawPath)}; permission denied\n`, response)
  await answerPath(here, door, decode(rawPath), request, response, connection)
}

async function answerPath(
  here: Here,
  door: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
): Promise<void> {
  const method = request.method ?? ''
  if (method === 'OPTIONS') {
    response.setHeader('DAV', ['1', '<http://apache.org/dav/propset/fs/1>'])
    response.setHeader('Allow', 'HEAD,GET,PUT,PROPFIND,DELETE,OPTIONS')
    return text(200, '', response)
  }
  if (!['GET', 'HEAD', 'PUT', 'DELETE', 'PROPFIND'].includes(method))
    return refuse(501, 'Request not supported.', response)
  if (path.split('/').includes('..'))
    return refuse(403, `Opening relative path &apos;${path}&apos; is disallowed.\n`, response)
  const plain = path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
  if (plain !== '/rucio' && !plain.startsWith('/rucio/'))
    return refuse(403, `Opening path &apos;${path}&apos; is disallowed.\n`, response)
  const held = here.surroundings.find(door, plain)
  if (method === 'PUT') return text(403, `Unable to create ${path}; permission denied\n`, response)
  if (method === 'DELETE' && held !== undefined)
    return text(403, `Unable to delete ${path}; permission denied\n`, response)
  if (method === 'DELETE') return text(404, `Unable to locate ${path}; no such file or directory\n`, response)
  if (held !== undefined) {
    if (method === 'PROPFIND') return text(207, propfindAnswer(path, sizeOf(held.file, held.kind)), response)
    return answerFile(here, held, request, response, connection)
  }
  const entries = here.surroundings.entries(door, plain)
  if (entries.length > 0) return text(200, directoryPage(path, entries), response)
  refuse(404, `Unable to open ${path}; no such file or directory\n`, response)
}

function isUser(request: IncomingMessage): boolean {
  return request.socket instanceof TLSSocket && subjectOf(request.socket) !== undefined
}

function fail(status: number, response: ServerResponse): void {
  response.setHeader('Content-Type', 'text/plain')
  if (status === 503) response.setHeader('Retry-After', '1')
  text(status, 'error\n', response)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Not an escape: XRootD takes such a `%` as it is.
    return path
  }
}
