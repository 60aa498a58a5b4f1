import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecureContext } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readRefusal } from '../../src/catalogue/refusal.ts'
import { lineTrouble } from '../../src/outside/errors.ts'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { ask, dropBody, setLoopbackAllowed } from '../../src/outside/request.ts'
import { noteDate, serverClock } from '../../src/outside/serverClock.ts'

const test = suite('clock of servers')
const identity = makeIdentity({ certificate: undefined, bare: createSecureContext({}) })
let apartMs = 0
const server = createServer((_, response) => {
  response.setHeader('Date', new Date(Date.now() - apartMs).toUTCString())
  response.writeHead(401, { ExceptionClass: 'CannotAuthenticate' })
  response.end('{"ExceptionClass": "CannotAuthenticate", "ExceptionMessage": "Cannot get DN"}')
})

test.before(async () => {
  setLoopbackAllowed(true, new Set())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
})
test.after(async () => {
  // What other tests hear of clocks is none of these lies.
  noteDate('localhost', new Date().toUTCString())
  retireIdentity(identity)
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
})

async function answer(configured = true) {
  return await ask({
    method: 'GET',
    scheme: 'http',
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    path: '/',
    configured,
    agent: identity.plainAgent,
    limits: { connectMs: 5000, headersMs: 5000, idleMs: 5000 },
    signal: AbortSignal.timeout(5000),
  })
}

test('a login that is refused names a clock that is wrong, and no other', async () => {
  for (const [off, says] of [
    [0, /Cannot get DN$/],
    [
      -7_200_000,
      /Cannot get DN; the clock of this machine is 7[12]\d\d s behind that of 127\.0\.0\.1: set it/,
    ],
    [7_200_000, /; the clock of this machine is 720\d s ahead of that of 127\.0\.0\.1: set it right first/],
  ] as const) {
    apartMs = off
    const refusal = await readRefusal(await answer(), '127.0.0.1')
    assert.is(refusal.reason, 'auth')
    assert.match(refusal.detail, says)
  }
})

test('a certificate that is not taken names it, and one of theirs that has ended asks for it', async () => {
  apartMs = -7_200_000
  dropBody(await answer())
  const place = { host: 'se.example.org', port: 443 }
  const alert = Object.assign(new Error('alert'), { code: 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED' })
  assert.match(lineTrouble(alert, place).detail, /not take our certificate .*; the clock of this machine is/)
  const theirs = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
  assert.match(lineTrouble(theirs, place).detail, /\(CERT_HAS_EXPIRED\); the clock of this machine is/)
  apartMs = 0
  dropBody(await answer())
  assert.match(
    lineTrouble(theirs, place).detail,
    /\(CERT_HAS_EXPIRED\); is the clock of this machine right\?$/,
  )
})

test('a storage that the catalogue has named says nothing of our clock', async () => {
  apartMs = 0
  dropBody(await answer())
  apartMs = -7_200_000
  dropBody(await answer(false))
  const refusal = await readRefusal(await answer(false), '127.0.0.1')
  assert.match(refusal.detail, /Cannot get DN$/)
})

test('a server that sends no date, or none that is one, changes nothing', () => {
  noteDate('a', new Date(Date.now() + 3_600_000).toUTCString())
  noteDate('b', undefined)
  noteDate('c', 'tomorrow')
  assert.is(serverClock()?.host, 'a')
})

test.run()
