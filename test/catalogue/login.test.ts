import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { sweep, temporary } from '../help/data.ts'
import { closeAll, jdoe, liar, never, type Opened, open, reasonOf, split, troubleOf } from './open.ts'

const test = suite('login')
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['ONE'],
    seed: { datasets: [{ scope: 's', name: 'n', open: false, files: [] }], containers: [] },
  })
})
test.after.each(() => grid.setCatalogue({ down: false, status: 0, hang: false, tokenLifeSeconds: 3600 }))
test.after(async () => {
  closeAll()
  await grid.stop()
  await sweep()
})

const ask = ({ rucio }: Opened) => rucio.contents(split('s:n'), () => {}, never)
const logins = () => grid.calls().filter(each => each.startsWith('GET /auth/')).length

test('a password, a certificate and a proxy give a token that is used until it ends', async () => {
  for (const opened of [
    open(grid.url, { ...jdoe, account: 'jdoe' }),
    open(grid.url, { authType: 'x509', account: 'jdoe' }, 'with certificate'),
    open(grid.url, { authType: 'x509_proxy' }, 'with certificate'),
  ]) {
    const before = logins()
    await Promise.all([ask(opened), ask(opened), ask(opened)])
    await ask(opened)
    assert.is(logins() - before, 1)
    assert.equal(opened.reports, [undefined])
    assert.match(opened.logged.join(), 'as jdoe, until ')
  }
})

test('five minutes before its end a token is renewed', async () => {
  const opened = open(grid.url)
  await ask(opened)
  const before = logins()
  opened.clock.at += 3_290_000
  await ask(opened)
  assert.is(logins(), before)
  opened.clock.at += 20_000
  await ask(opened)
  assert.is(logins(), before + 1)
})

test('a token is still used in its last minutes while the server gives no new one', async () => {
  const heard: string[] = []
  let logins = 0
  const url = await liarAt((path, token) => {
    if (path.startsWith('/auth/')) return logins++ === 0 ? 200 : 503
    heard.push(token)
    return 200
  })
  const opened = open(url)
  await ask(opened)
  opened.clock.at += 3_400_000
  await ask(opened)
  assert.is(logins, 2)
  assert.equal([...new Set(heard)], ['a token/with = all'])
  opened.clock.at += 300_000
  assert.is(await reasonOf(ask(opened)), 'host_down')
})

test('a token that the server has forgotten is renewed once, without a word', async () => {
  const opened = open(grid.url)
  await ask(opened)
  const before = logins()
  await grid.setCatalogue({ forgetTokens: true })
  await ask(opened)
  assert.is(logins(), before + 1)
  assert.equal(
    opened.reports.filter(each => each !== undefined),
    [],
  )
})

test('tokens that are refused again and again are auth after one renewal', async () => {
  const opened = open(await liarAt(path => (path.startsWith('/auth/') ? 200 : 401)))
  assert.is(await reasonOf(ask(opened)), 'auth')
  assert.match(opened.reports.at(-1) ?? '', 'CannotAuthenticate')
})

test('a wrong password is auth in the words of the server, and is not sent again for a minute', async () => {
  const opened = open(grid.url, { ...jdoe, password: 'wrong', account: 'jdoe' })
  const before = logins()
  const trouble = await troubleOf(ask(opened))
  assert.is(trouble.reason, 'auth')
  assert.match(
    trouble.detail,
    'CannotAuthenticate: Cannot authenticate to account jdoe with given credentials',
  )
  assert.not.match(trouble.detail, 'wrong')
  assert.is(await reasonOf(ask(opened)), 'auth')
  assert.is(logins(), before + 1)
  assert.is(opened.logged.length, 1)
  assert.match(opened.reports.at(-1) ?? '', 'CannotAuthenticate')
  opened.clock.at += 61_000
  assert.is(await reasonOf(ask(opened)), 'auth')
  assert.is(logins(), before + 2)
})

test('without a certificate x509 asks nobody', async () => {
  const before = logins()
  for (const authType of ['x509', 'x509_proxy'] as const) {
    const opened = open(grid.url, { authType })
    assert.match((await troubleOf(ask(opened))).detail, 'no valid certificate or proxy')
  }
  assert.is(logins(), before)
})

test('several accounts behind one login: the answer says to name one', async () => {
  const several = await liarAt(path => (path.startsWith('/auth/') ? 206 : 200))
  const trouble = await troubleOf(ask(open(several)))
  assert.is(trouble.reason, 'auth')
  assert.match(trouble.detail, 'several accounts (jdoe,prod): name one')
})

test('a server that is away or ill is host_down and says nothing of the credential', async () => {
  const opened = open(grid.url)
  await grid.setCatalogue({ down: true })
  assert.is(await reasonOf(ask(opened)), 'host_down')
  assert.is(await reasonOf(opened.rucio.ping(never)), 'host_down')
  await grid.setCatalogue({ down: false, status: 503 })
  assert.is(await reasonOf(ask(opened)), 'host_down')
  assert.is(await reasonOf(opened.rucio.ping(never)), 'host_down')
  await grid.setCatalogue({ status: 0 })
  await ask(opened)
  await opened.rucio.ping(never)
  await grid.setCatalogue({ status: 500 })
  assert.match((await troubleOf(ask(opened))).detail, 'DatabaseException')
  assert.equal(opened.reports, [undefined])
})

test('a token file is read anew for each call; a refused token is not sent again before it changes', async () => {
  const path = join(await temporary(), 'token')
  const opened = open(grid.url, { authType: 'token', tokenPath: path })
  assert.match((await troubleOf(ask(opened))).detail, 'cannot be read (ENOENT)')
  await writeFile(path, 'no such token\n')
  const sent = () => grid.calls().filter(each => each.startsWith('GET /dids/')).length
  const before = sent()
  assert.is(await reasonOf(ask(opened)), 'auth')
  assert.match((await troubleOf(ask(opened))).detail, 'put a new one there')
  assert.is(sent(), before + 1)
  await writeFile(path, '')
  assert.match((await troubleOf(ask(opened))).detail, 'holds no token')

  const heard: string[] = []
  const url = await liarAt((_, token) => {
    heard.push(token)
    return 200
  })
  const other = open(url, { authType: 'token', tokenPath: path })
  await writeFile(path, 'jdoe-/DC=org/CN=Jane Doe-unknown-1\n')
  await ask(other)
  assert.equal([...new Set(heard)], ['jdoe-/DC=org/CN=Jane Doe-unknown-1'])
})

test('a signal ends the wait for a login, not the login of others', async () => {
  const opened = open(grid.url)
  await grid.setCatalogue({ hang: true })
  const stop = new AbortController()
  const waiting = opened.rucio.contents(split('s:n'), () => {}, stop.signal)
  stop.abort(new Error('enough'))
  assert.match(String(await waiting.catch(error => error)), 'enough')
  await grid.setCatalogue({ hang: false })
})

test('a redirect is not followed, and a page that is not Rucio points at the address', async () => {
  const rows: [number, Record<string, string>, string, string, RegExp][] = [
    [302, { Location: 'https://elsewhere.example.org/' }, '', 'refused', /redirects/],
    [404, {}, '<html>Not Found</html>', 'host_down', /check rucio_host/],
    [429, { 'Retry-After': '30' }, '', 'host_down', /asks for 30 s of rest/],
    [502, {}, '<html>Bad Gateway</html>', 'host_down', /HTTP 502/],
    [401, {}, '{"ExceptionClass": "AccessDenied", "ExceptionMessage": "no"}', 'refused', /AccessDenied: no/],
    [
      500,
      {},
      '{"ExceptionClass": "InvalidObject", "ExceptionMessage": "a\\nb"}',
      'refused',
      /InvalidObject: a b/,
    ],
    [400, { ExceptionClass: 'InvalidObject' }, 'x'.repeat(2_000_000), 'refused', /InvalidObject/],
    [500, { ExceptionClass: '<script>' }, '{]', 'host_down', /HTTP 500/],
  ]
  for (const [status, headers, body, reason, words] of rows) {
    const url = await liar((_, response) => response.writeHead(status, headers).end(body))
    const trouble = await troubleOf(ask(open(url)))
    assert.is(trouble.reason, reason, `${status} ${body.slice(0, 60)}`)
    assert.match(trouble.detail, words)
  }
})

test('a password goes over https or to this machine only, and an address is an address', async () => {
  for (const url of [
    'http://rucio.example.org',
    'ftp://x',
    'rucio.example.org',
    'https://u:p@x',
    'https://x/?a',
  ]) {
    let thrown = ''
    try {
      open(url)
    } catch (error) {
      thrown = String(error)
    }
    assert.match(thrown, 'refused', url)
  }
  assert.is(open('https://rucio.example.org:443/base/').rucio.onLoopback, false)
  for (const url of ['https://localhost:1', 'http://127.0.0.1:1', 'https://[::1]:1'])
    assert.is(open(url).rucio.onLoopback, true, url)
})

test('a password that no header can carry is refused before it is sent, and not shown', async () => {
  const before = logins()
  for (const password of ['a\r\nb', 'пароль']) {
    const trouble = await troubleOf(ask(open(grid.url, { ...jdoe, password })))
    assert.is(trouble.reason, 'auth')
    assert.not.ok(trouble.detail.includes(password))
  }
  assert.is(logins(), before)
})

test('an answer that repeats what was sent to it shows neither password nor token', async () => {
  const password = 'open "sesame" 77'
  const encoded = Buffer.from(password).toString('base64')
  const refuse = (response: ServerResponse, status: number, text: string): void => {
    const body = { ExceptionClass: 'CannotAuthenticate', ExceptionMessage: text }
    response.writeHead(status, { ExceptionClass: body.ExceptionClass }).end(JSON.stringify(body))
  }
  const forLogin = await liar((request, response) => {
    const got = String(request.headers['x-rucio-password'])
    refuse(response, 401, `${'x'.repeat(290)} ${got} ${JSON.stringify(got)} ${encoded}`)
  }, 'auth too')
  const first = open(forLogin, { ...jdoe, password })
  const trouble = await troubleOf(ask(first))
  const forAccounts = await liar((request, response) => {
    response.writeHead(206, { 'X-Rucio-Auth-Accounts': `a,${request.headers['x-rucio-password']}` }).end()
  }, 'auth too')
  const accounts = await troubleOf(ask(open(forAccounts, { ...jdoe, password })))
  assert.match(accounts.detail, 'several accounts (a,***)')
  const forCalls = await liar((request, response) => {
    const token = String(request.headers['x-rucio-auth-token'])
    refuse(response, 500, `no row for ${token} of X-Rucio-Auth-Token: ${token}, once ${password}`)
  })
  const second = open(forCalls, { ...jdoe, password })
  const other = await troubleOf(ask(second))
  assert.match(other.detail, 'no row for ***')
  const shown = [trouble, accounts, other].map(each => `${each.message} ${each.cause}`)
  const all = [...shown, ...first.reports, ...first.logged, ...second.reports, ...second.logged].join('\n')
  for (const secret of ['sesame', encoded, encoded.slice(0, 8), 'a token'])
    assert.not.ok(all.includes(secret), `${secret} is in ${all}`)
})

/** A server whose statuses a test decides; an empty dataset for the rest. */
function liarAt(status: (path: string, token: string) => number): Promise<string> {
  return liar((request, response) => {
    const path = request.url ?? ''
    const code = status(path, String(request.headers['x-rucio-auth-token'] ?? ''))
    if (path.startsWith('/auth/')) {
      if (code === 206) response.setHeader('X-Rucio-Auth-Accounts', 'jdoe,prod')
      if (code === 200) response.setHeader('X-Rucio-Auth-Token', 'a token/with = all')
      response.setHeader('X-Rucio-Auth-Token-Expires', new Date(Date.now() + 3_600_000).toUTCString())
      response.writeHead(code).end()
    } else if (code !== 200)
      response
        .writeHead(code, { ExceptionClass: 'CannotAuthenticate' })
        .end('{"ExceptionClass": "CannotAuthenticate", "ExceptionMessage": "no"}')
    else if (path.endsWith('/files')) response.end()
    else
      response.end(
        JSON.stringify({ scope: 's', name: 'n', type: 'DATASET', open: false, length: 0, bytes: 0 }),
      )
  }, 'auth too')
}

test.run()
