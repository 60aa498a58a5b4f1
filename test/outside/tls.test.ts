import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { openData } from '../../src/outside/redirect.ts'
import { ask, bodyText, setLoopbackAllowed } from '../../src/outside/request.ts'
import { caPem, hostKeyPem, hostPem, userKeyPem, userPem } from '../../src/practice/certificates.ts'
import { parsePfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'

const test = suite('tls')
const servers: Server[] = []
const bare = createSecureContext({ ca: caPem })
const certificate = createSecureContext({ ca: caPem, cert: userPem, key: userKeyPem })
const identity = makeIdentity({ certificate, bare })
const stranger = makeIdentity({ certificate: undefined, bare: createSecureContext({ ca: [] }) })
const limits = { connectMs: 5_000, headersMs: 5_000, idleMs: 5_000 }
const signal = new AbortController().signal

type Seen = { readonly url: string; readonly who: string; readonly token: string | undefined }

/** Asks each client for a certificate, redirects /go?TARGET, and notes what it saw of whom. */
async function storage(more: ServerOptions = {}): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = []
  const options = { cert: hostPem, key: hostKeyPem, ca: caPem, requestCert: true, rejectUnauthorized: false }
  const server = createServer({ ...options, ...more }, (request, response) => {
    const url = request.url ?? ''
    const who = (request.socket as TLSSocket).getPeerCertificate()?.subject?.CN
    seen.push({ url, who: [who ?? 'nobody'].flat().at(-1) ?? '', token: request.headers.authorization })
    const target = /\/go\?(.*)$/.exec(url)?.[1]
    if (target === undefined) response.end('data')
    else response.writeHead(302, { location: decodeURIComponent(target) }).end()
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as AddressInfo).port, seen }
}

async function fetchData(url: string): Promise<string> {
  const pfn = parsePfn(url)
  if (pfn instanceof Trouble) throw pfn
  const { answer } = await openData(pfn, {
    method: 'GET',
    headers: {},
    identity,
    token: 'a-token',
    plainData: true,
    limits,
    signal,
  })
  return bodyText(answer, 100)
}

test.before(() => setLoopbackAllowed(true, new Set()))
test.after(() => {
  for (const each of [identity, stranger]) retireIdentity(each)
  for (const server of servers) server.close().closeAllConnections()
})

test('a server is verified by the authorities of the identity, by its name, and never taken without', async () => {
  const { port, seen } = await storage()
  const what = { method: 'GET', scheme: 'https', port, path: '/', limits, signal } as const
  assert.is(await bodyText(await ask({ ...what, host: 'localhost', agent: identity.agent }), 10), 'data')
  assert.is(await bodyText(await ask({ ...what, host: '127.0.0.1', agent: identity.bareAgent }), 10), 'data')
  for (const [host, agent] of [
    ['localhost', stranger.agent],
    ['127.0.0.1', stranger.bareAgent],
    // The certificate is for localhost.
    ['other.localhost', identity.agent],
  ] as const) {
    const error = await rejects(ask({ ...what, host, agent }))
    // Where a resolver knows no names below localhost the third is not reached at all.
    const expected = host === 'other.localhost' ? ['refused', 'host_down'] : ['refused']
    assert.ok(error instanceof Trouble && expected.includes(error.reason), String(error))
  }
  assert.is(seen.length, 2)
})

test('a certificate is shown by the agent that has it, and by no other', async () => {
  const { port, seen } = await storage()
  const what = { method: 'GET', scheme: 'https', host: 'localhost', port, path: '/', limits, signal } as const
  for (const agent of [identity.agent, identity.bareAgent]) await bodyText(await ask({ ...what, agent }), 10)
  assert.equal(
    seen.map(each => each.who),
    ['Jane Doe of the practice grid', 'nobody'],
  )
})

test('a door sees token and certificate, its pool on another port the certificate alone', async () => {
  const [door, pool] = [await storage(), await storage()]
  const target = `https://localhost:${pool.port}/pool`
  assert.is(await fetchData(`davs://localhost:${door.port}/go?${encodeURIComponent(target)}`), 'data')
  const who = 'Jane Doe of the practice grid'
  assert.equal(
    door.seen.map(({ who, token }) => ({ who, token })),
    [{ who, token: 'Bearer a-token' }],
  )
  assert.equal(pool.seen, [{ url: '/pool', who, token: undefined }])
})

test('a way that comes back to the first host may carry the token again', async () => {
  const [door, pool] = [await storage(), await storage()]
  const back = `https://localhost:${pool.port}/go?${encodeURIComponent(`https://localhost:${door.port}/end`)}`
  assert.is(await fetchData(`https://localhost:${door.port}/go?${encodeURIComponent(back)}`), 'data')
  assert.equal(
    door.seen.map(each => each.token),
    ['Bearer a-token', 'Bearer a-token'],
  )
  assert.equal(
    pool.seen.map(each => each.token),
    [undefined],
  )
})

test('versions of TLS before 1.2 are not spoken', async () => {
  const { port } = await storage({
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  const what = { method: 'GET', scheme: 'https', host: 'localhost', port, path: '/', limits, signal } as const
  const error = await rejects(ask({ ...what, agent: identity.agent }))
  assert.ok(error instanceof Trouble && error.reason === 'host_down', String(error))
})

test.run()
