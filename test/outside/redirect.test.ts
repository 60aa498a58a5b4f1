import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { openData } from '../../src/outside/redirect.ts'
import { bodyText, setLoopbackAllowed } from '../../src/outside/request.ts'
import { parsePfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'

const test = suite('redirect')
const servers: Server[] = []
const identity = makeIdentity({ certificate: undefined, bare: createSecureContext() })

type Seen = { readonly url: string; readonly headers: IncomingHttpHeaders }

/** A storage that answers /go?TARGET with a redirect there, and anything else with its path. */
async function storage(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    seen.push({ url, headers: request.headers })
    const target = /\/go\?(.*)$/.exec(url)?.[1]
    if (target === undefined) response.end(url)
    else response.writeHead(307, { location: decodeURIComponent(target) }).end('elsewhere')
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { port: (server.address() as AddressInfo).port, seen }
}

async function open(url: string, more: { plainData?: boolean; headers?: Record<string, string> } = {}) {
  const pfn = parsePfn(url)
  if (pfn instanceof Trouble) throw pfn
  const opened = await openData(pfn, {
    method: 'GET',
    headers: more.headers ?? {},
    identity,
    token: 'a-token',
    plainData: more.plainData ?? true,
    limits: { connectMs: 5_000, headersMs: 5_000, idleMs: 5_000 },
    signal: new AbortController().signal,
  })
  return { ...opened, text: await bodyText(opened.answer, 1000) }
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejects(promise)
  return error instanceof Trouble ? error.reason : String(error)
}

const go = (target: string) => `/go?${encodeURIComponent(target)}`

test.before(() => setLoopbackAllowed(true, new Set()))
test.after(() => {
  retireIdentity(identity)
  for (const server of servers) server.close().closeAllConnections()
})

test('a redirect leads to another host, relative and absolute ones alike', async () => {
  const [one, two] = [await storage(), await storage()]
  const base = `http://127.0.0.1:${one.port}`
  const away = await open(`${base}${go(`http://127.0.0.1:${two.port}/pool//file?uuid=1`)}`)
  assert.is(away.text, '/pool//file?uuid=1')
  assert.is(away.hops, 1)
  assert.is(away.at.port, two.port)
  assert.is((await open(`${base}/dir/x${go('near')}`)).text, '/dir/x/near')
  assert.is((await open(`${base}/dir${go('/top#part')}`)).text, '/top')
  assert.is((await open(`${base}${go(`//127.0.0.1:${two.port}/p`)}`)).text, '/p')
})

test('another host sees the range and no credential; plain http never sees one', async () => {
  const [one, two] = [await storage(), await storage()]
  const headers = { Range: 'bytes=0-1', Cookie: 'c', Authorization: 'Basic x', 'X-Rucio-Auth-Token': 't' }
  await open(`http://127.0.0.1:${one.port}${go(`http://127.0.0.1:${two.port}/f`)}`, { headers })
  for (const { headers: got } of [...one.seen, ...two.seen]) {
    assert.is(got.range, 'bytes=0-1')
    for (const name of ['cookie', 'authorization', 'x-rucio-auth-token'])
      assert.is(got[name], undefined, name)
  }
})

test('five redirects are followed, a sixth is refused', async () => {
  const { port } = await storage()
  const base = `http://127.0.0.1:${port}`
  const chain = (hops: number): string => (hops === 0 ? `${base}/end` : `${base}${go(chain(hops - 1))}`)
  assert.is((await open(chain(5))).text, '/end')
  assert.is(await reasonOf(open(chain(6))), 'refused')
})

test('a redirect that climbs, names a user, leads nowhere or off http is not followed', async () => {
  const { port, seen } = await storage()
  const base = `http://127.0.0.1:${port}`
  for (const bad of ['/a/../b', '/a/%2e%2e/b', 'http://user@127.0.0.1/x', 'http://[zz]/', '', 'mailto:x'])
    assert.is(await reasonOf(open(`${base}${go(bad)}`)), 'refused', bad)
  assert.is(await reasonOf(open(`${base}${go('file://localhost/etc/passwd')}`)), 'unsupported')
  assert.is(seen.filter(each => !each.url.startsWith('/go')).length, 0)
})

test('no hop leads to an address of this machine unless loopback is allowed', async () => {
  const { port } = await storage()
  assert.is(await reasonOf(open(`http://127.0.0.1:${port}${go('http://169.254.169.254/latest')}`)), 'refused')
})

test('plain http is refused where config.json says so, before anything is sent', async () => {
  const { port, seen } = await storage()
  assert.is(await reasonOf(open(`http://127.0.0.1:${port}/f`, { plainData: false })), 'refused')
  assert.is(seen.length, 0)
})

test('a scheme that is not http is unsupported', async () => {
  assert.is(await reasonOf(open('root://127.0.0.1:1//f')), 'unsupported')
})

test.run()
