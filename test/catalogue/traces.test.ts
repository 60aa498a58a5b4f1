import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createPlain } from 'node:net'
import { createSecureContext } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openTraces, type Traces } from '../../src/catalogue/traces.ts'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { caPem } from '../../src/practice/certificates.ts'
import type { Finished } from '../../src/words/finished.ts'
import { until } from '../help/home.ts'

const test = suite('traces')
const identity = makeIdentity({ certificate: undefined, bare: createSecureContext({ ca: caPem }) })
const closing: (() => void)[] = []

test.after.each(() => {
  for (const close of closing.splice(0)) close()
})
test.after(() => retireIdentity(identity))

type Got = {
  readonly path: string
  readonly body: Record<string, unknown>
  readonly headers: IncomingMessage['headers']
}

async function host(
  say: (response: ServerResponse, count: number) => void,
): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      got.push({ path: request.url ?? '', body: JSON.parse(text), headers: request.headers })
      say(response, got.length)
    })
  })
  return { url: await listening(server), got }
}

async function listening(server: Server | ReturnType<typeof createPlain>): Promise<string> {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  closing.push(() => {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function opened(url: string): { traces: Traces; logged: string[]; clock: { at: number } } {
  const logged: string[] = []
  const clock = { at: 1_800_000_000_000 }
  const traces = openTraces(
    { host: url, localSite: 'CERN-TIER0' },
    {
      identity: async () => identity,
      account: () => 'jdoe',
      hostname: 'laptop',
      version: '1.2.3',
      log: (_, text) => logged.push(text),
      world: { now: () => clock.at, chance: () => 0.5 },
      times: { againMs: 5, connectMs: 200, answerMs: 100 },
    },
  )
  closing.push(() => traces.close())
  return { traces, logged, clock }
}

function file(n: number, more: Partial<Finished> = {}): Finished {
  return {
    name: 'mc16.x',
    did: `mc16:mc16.x._00000${n}.root`,
    bytes: 1000 + n,
    source: { rse: 'XRD1', scheme: 'davs' },
    startedAt: 1_800_000_000_250,
    endedAt: 1_800_000_001_500,
    ...more,
  }
}

const created = (response: ServerResponse): void => void response.writeHead(201).end('Created')

test('a finished file is told with the fields of the official client', async () => {
  const { url, got } = await host(created)
  opened(`${url}/base/`).traces.finished(file(1))
  await until(async () => got.length === 1 || 'no trace')
  const [{ path, body, headers } = { path: '', body: {}, headers: {} }] = got
  assert.is(path, '/base/traces/')
  assert.match(String(body['uuid']), /^[0-9a-f]{32}$/)
  assert.equal(
    { ...body, uuid: '' },
    {
      hostname: 'laptop',
      localSite: 'CERN-TIER0',
      account: 'jdoe',
      eventType: 'download',
      eventVersion: 'desktop-rucio_1.2.3',
      uuid: '',
      scope: 'mc16',
      filename: 'mc16.x._000001.root',
      datasetScope: 'mc16',
      dataset: 'mc16.x',
      filesize: 1001,
      clientState: 'DONE',
      stateReason: 'OK',
      remoteSite: 'XRD1',
      protocol: 'davs',
      transferStart: 1_800_000_000.25,
      transferEnd: 1_800_000_001.5,
    },
  )
  assert.is(headers.authorization, undefined)
  assert.is(headers['x-rucio-auth-token'], undefined)
})

test('files of one dataset have one uuid, those of another have another', async () => {
  const { url, got } = await host(created)
  const { traces } = opened(url)
  for (const each of [file(1), file(2), file(3, { name: 'mc16.y', source: undefined })]) traces.finished(each)
  await until(async () => got.length === 3 || 'not all')
  const [a, b, c] = got.map(each => each.body['uuid'])
  assert.is(a, b)
  assert.is.not(a, c)
  assert.is(got[2]?.body['remoteSite'], undefined)
})

test('a host that is overloaded gets them later, in order, and the log says it once', async () => {
  const { url, got } = await host((response, count) => {
    if (count <= 3) response.writeHead(503).end()
    else created(response)
  })
  const { traces, logged } = opened(url)
  traces.finished(file(1))
  traces.finished(file(2))
  await until(async () => got.length === 5 || `${got.length}`)
  assert.equal(
    got.map(each => each.body['filesize']),
    [1001, 1001, 1001, 1001, 1002],
  )
  assert.is(logged.length, 1)
})

test('a host that knows no traces is asked once an hour', async () => {
  const { url, got } = await host(response => void response.writeHead(404).end())
  const { traces, logged, clock } = opened(url)
  for (const n of [1, 2, 3]) traces.finished(file(n))
  await until(async () => logged.length === 1 || 'no line')
  await new Promise(resolve => setImmediate(resolve))
  traces.finished(file(4))
  assert.is(got.length, 1)
  clock.at += 3_600_001
  traces.finished(file(5))
  await until(async () => got.length === 2 || 'not asked again')
  assert.match(logged.join(), /takes none \(HTTP 404\)/)
})

test('one that is refused for itself holds up no other', async () => {
  const { url, got } = await host((response, count) => void response.writeHead(count === 1 ? 400 : 201).end())
  const { traces } = opened(url)
  traces.finished(file(1))
  traces.finished(file(2))
  await until(async () => got.length === 2 || 'not all')
})

test('a dead host, a silent one and one that redirects keep nobody waiting and no more than 1000', async () => {
  const silent = createPlain(() => {})
  for (const url of ['http://127.0.0.1:9', await listening(silent)]) {
    const { traces, logged } = opened(url)
    const began = performance.now()
    for (let n = 0; n < 5000; n++) traces.finished(file(n))
    assert.ok(performance.now() - began < 1000)
    await until(async () => logged.length > 0 || 'no word')
    assert.match(logged[0] ?? '', 'up to 1000 wait for it')
    traces.close()
  }
  const { url, got } = await host(response => void response.writeHead(307, { Location: '/elsewhere' }).end())
  const { traces, logged } = opened(url)
  traces.finished(file(1))
  await until(async () => logged.length === 1 || 'no word')
  assert.equal(
    got.map(each => each.path),
    ['/traces/'],
  )
})

test('after close nothing is sent', async () => {
  const { url, got } = await host(created)
  const { traces, logged } = opened(url)
  traces.close()
  traces.finished(file(1))
  await new Promise(resolve => setTimeout(resolve, 30))
  assert.equal([got.length, logged.length], [0, 0])
})

test('a host that is no address is refused', () => {
  for (const url of ['rucio.example.org', 'root://x', 'https://x/?token=1']) assert.throws(() => opened(url))
})

test.run()
