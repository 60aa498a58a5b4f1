// What the recorded Rucio 41.5.1 answers (the numbers of its exchanges are in the names), asked of the practice grid.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { expiredUserPem, userKeyPem, userPem } from '../../src/practice/certificates.ts'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { ask, jsonLines, type Told } from '../help/ask.ts'

const test = suite('practice rest')

const scope = 'mc16_13TeV'
function file(name: string, bytes: number, more: Partial<SeedFile> = {}): SeedFile {
  return { scope, name, bytes, checksums: ['adler32', 'md5'], replicas: { A: 'good', B: 'good' }, ...more }
}
const first = file('DAOD._000001.root', 3072, { events: 3 })
const second = file('DAOD._000002.root', 65537)
const third = file('DAOD._000003.root', 40)
const adlerOnly = file('user.jdoe.adleronly.txt', 5120, { scope: 'user.jdoe', checksums: ['adler32'] })
const bare = file('user.jdoe.nochecksum.txt', 5120, { scope: 'user.jdoe', checksums: [] })
const slashed = file('/user.jdoe/sub/two.root', 100, { scope: 'user.jdoe' })
let grid: PracticeGrid
let token = ''

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['A', 'B'],
    seed: {
      datasets: [
        { scope, name: 'closed_tid01', open: false, files: [second, first] },
        { scope, name: 'open_tid02', open: true, files: [third, first] },
        { scope, name: 'empty_tid03', open: true, files: [] },
        { scope: 'user.jdoe', name: 'user.jdoe.odd.v1', open: true, files: [bare, adlerOnly] },
        { scope: 'user.jdoe', name: 'user.jdoe/with/slashes.v1', open: true, files: [slashed] },
      ],
      containers: [
        { scope, name: 'nested', children: [{ scope, name: 'container' }] },
        {
          scope,
          name: 'container',
          children: [
            { scope, name: 'closed_tid01' },
            { scope, name: 'open_tid02' },
          ],
        },
        { scope, name: 'emptycontainer', children: [] },
      ],
    },
  })
  token = String((await login({ username: 'jdoe', password: 'jdoe-secret' })).headers['x-rucio-auth-token'])
})
test.after(() => grid.stop())

function login(who: { username?: string; password?: string; account?: string }): Promise<Told> {
  const headers = Object.fromEntries(Object.entries(who).map(([key, value]) => [`X-Rucio-${key}`, value]))
  return ask(`${grid.url}/auth/userpass`, { ca: grid.caPem, headers })
}
function get(path: string, options: Parameters<typeof ask>[1] = {}): Promise<Told> {
  const headers = { 'X-Rucio-Auth-Token': token, ...options.headers }
  return ask(grid.url + path, { ca: grid.caPem, ...options, headers })
}
function post(path: string, body: unknown): Promise<Told> {
  return get(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
}
/** status, content type, ExceptionClass, and that the body says the same */
function wrong(told: Told): unknown {
  const { ExceptionClass, ExceptionMessage } = JSON.parse(told.text)
  assert.is(ExceptionClass, told.headers['exceptionclass'])
  assert.is(told.headers['content-type'], 'application/octet-stream')
  return [told.status, ExceptionClass, ExceptionMessage]
}
function isList(told: Told): Record<string, unknown>[] {
  assert.equal(
    [told.status, told.headers['content-type'], told.broken],
    [200, 'application/x-json-stream', undefined],
  )
  if (told.text === '') assert.is(told.headers['content-length'], '0')
  else assert.is(told.headers['transfer-encoding'], 'chunked')
  return jsonLines(told.text)
}
function object(told: Told): Record<string, unknown> {
  assert.equal([told.status, told.headers['content-type']], [200, 'application/json'])
  assert.is(told.headers['content-length'], String(told.bytes.length))
  return JSON.parse(told.text)
}

test('ping needs no token (00)', async () => {
  const told = await ask(`${grid.url}/ping`, { ca: grid.caPem })
  assert.equal(object(told), { version: '41.5.1' })
  assert.is(told.headers['access-control-allow-origin'], 'None')
})

test('userpass gives a token, or says why not (10-14)', async () => {
  const good = await login({ username: 'jdoe', password: 'jdoe-secret', account: 'jdoe' })
  assert.equal([good.status, good.headers['content-length']], [200, '0'])
  assert.is(good.headers['x-rucio-auth-account'], 'jdoe')
  const expires = String(good.headers['x-rucio-auth-token-expires'])
  assert.ok(expires.endsWith(' UTC'))
  const life = Date.parse(expires) - Date.now()
  assert.ok(life > 3_590_000 && life <= 3_600_000)
  const denied = 'Cannot authenticate to account'
  assert.equal(wrong(await login({ username: 'jdoe', password: 'wrong', account: 'jdoe' })), [
    401,
    'CannotAuthenticate',
    `${denied} jdoe with given credentials`,
  ])
  assert.equal(wrong(await login({ username: 'jdoe', password: 'jdoe-secret', account: 'nobody' })), [
    401,
    'CannotAuthenticate',
    `${denied} nobody with given credentials`,
  ])
  assert.equal(wrong(await login({})), [
    401,
    'CannotAuthenticate',
    'Cannot authenticate without passing all required arguments',
  ])
})

test('a certificate of the practice CA is jdoe (20-24)', async () => {
  const who = { ca: grid.caPem, cert: userPem, key: userKeyPem }
  for (const path of ['/auth/x509_proxy', '/auth/x509']) {
    const told = await ask(grid.url + path, { ...who, headers: { 'X-Rucio-Account': 'jdoe' } })
    assert.is(told.status, 200)
    const given = String(told.headers['x-rucio-auth-token'])
    assert.ok(given.startsWith('jdoe-/DC=org/DC=desktop-rucio/OU=Users/CN=jdoe/'), given)
    assert.is((await get('/scopes/', { headers: { 'X-Rucio-Auth-Token': given } })).status, 200)
  }
  const bareOne = await ask(`${grid.url}/auth/x509_proxy`, { ca: grid.caPem })
  assert.equal(wrong(bareOne), [401, 'CannotAuthenticate', 'Cannot get DN'])
  const other = await ask(`${grid.url}/auth/x509`, { ...who, headers: { 'X-Rucio-Account': 'root' } })
  assert.is(other.status, 401)
})

test('an expired certificate breaks the connection, whatever is asked for (s48)', async () => {
  const told = await ask(`${grid.url}/ping`, { ca: grid.caPem, cert: expiredUserPem, key: userKeyPem })
  assert.is(told.status, 0)
})

test('no token is 400, a bad or expired one 401 (30-33)', async () => {
  assert.equal(wrong(await ask(`${grid.url}/scopes/`, { ca: grid.caPem })), [
    400,
    'ValueError',
    'Token must be set.',
  ])
  const denied = [401, 'CannotAuthenticate', 'Cannot authenticate with given credentials']
  assert.equal(wrong(await get('/scopes/', { headers: { 'X-Rucio-Auth-Token': 'garbage' } })), denied)
  await grid.setCatalogue({ tokenLifeSeconds: 0 })
  const short = String(
    (await login({ username: 'jdoe', password: 'jdoe-secret' })).headers['x-rucio-auth-token'],
  )
  await grid.setCatalogue({ tokenLifeSeconds: 3600 })
  assert.equal(wrong(await get('/scopes/', { headers: { 'X-Rucio-Auth-Token': short } })), denied)
  assert.is((await get('/scopes/')).status, 200)
})

test('validate answers a Python dict, whoami a redirect (26, 27)', async () => {
  const valid = await get('/auth/validate')
  assert.match(valid.text, /^\{'account': 'jdoe', 'identity': 'jdoe', 'lifetime': datetime\.datetime\(/)
  const me = await get('/accounts/whoami')
  assert.equal([me.status, me.headers.location], [303, 'jdoe'])
  assert.is(object(await get('/accounts/jdoe'))['account'], 'jdoe')
})

test('scopes are one array (40, 41)', async () => {
  assert.equal(object(await get('/scopes/')), [scope, 'user.jdoe'])
  assert.equal(object(await get('/accounts/jdoe/scopes/')), ['user.jdoe'])
})

test('a closed dataset has length and bytes, an open one and a container have null (50-57, b8-bc)', async () => {
  const shared = { account: 'root', monotonic: false, expired_at: null }
  assert.equal(object(await get(`/dids/${scope}/closed_tid01`)), {
    scope,
    name: 'closed_tid01',
    type: 'DATASET',
    open: false,
    ...shared,
    length: 2,
    bytes: 68609,
  })
  const counts = async (name: string): Promise<unknown> => {
    const { type, open, length, bytes } = object(await get(`/dids/${scope}/${name}`))
    return [type, open, length, bytes]
  }
  assert.equal(await counts('open_tid02'), ['DATASET', true, null, null])
  assert.equal(await counts('open_tid02?dynamic_depth=FILE'), ['DATASET', true, 2, 3112])
  assert.equal(await counts('empty_tid03?dynamic_depth=FILE'), ['DATASET', true, 0, 0])
  assert.equal(await counts('container'), ['CONTAINER', true, null, null])
  // `first` lies in both datasets, and counts twice.
  assert.equal(await counts('container?dynamic_depth=FILE'), ['CONTAINER', true, 4, 71721])
  assert.equal(await counts('nested?dynamic_depth=FILE'), ['CONTAINER', true, 4, 71721])
  assert.equal(await counts('nested?dynamic=True'), ['CONTAINER', true, 4, 71721])
  assert.equal(await counts('nested?dynamic_depth=DATASET'), ['CONTAINER', true, 2, 68609])
  const one = object(await get(`/dids/${scope}/${first.name}`))
  assert.equal(Object.keys(one), ['scope', 'name', 'type', 'account', 'bytes', 'length', 'md5', 'adler32'])
  assert.is(one['adler32'], printAdler32(adler32(1, bytesOf(first, 0, first.bytes))))
})

test('an unknown DID is 404 (55, 56, 67, 70)', async () => {
  for (const [path, did] of [
    [`/dids/${scope}/no.such`, `${scope}:no.such`],
    ['/dids/no_such/no.such', 'no_such:no.such'],
    [`/dids/${scope}/no.such/files`, `${scope}:no.such`],
    [`/dids/${scope}/no.such/dids`, `${scope}:no.such`],
  ])
    assert.equal(wrong(await get(path ?? '')), [
      404,
      'DataIdentifierNotFound',
      `Data identifier '${did}' not found`,
    ])
})

test('files are listed a line each, by name within a dataset, doubles and all (60-66)', async () => {
  const lines = isList(await get(`/dids/${scope}/closed_tid01/files`))
  assert.equal(
    lines.map(line => line['name']),
    [first.name, second.name],
  )
  assert.equal(Object.keys(lines[0] ?? {}), ['scope', 'name', 'bytes', 'adler32', 'guid', 'events'])
  assert.match(String(lines[0]?.['guid']), /^[0-9A-F]{32}$/)
  assert.equal([lines[0]?.['events'], lines[1]?.['events']], [3, null])
  const long = isList(await get(`/dids/${scope}/closed_tid01/files?long`))
  assert.is(long[0]?.['lumiblocknr'], null)
  const nested = isList(await get(`/dids/${scope}/nested/files`))
  assert.equal(
    nested.map(line => line['name']),
    [first.name, second.name, first.name, third.name],
  )
  const odd = isList(await get('/dids/user.jdoe/user.jdoe.odd.v1/files'))
  assert.equal(
    odd.map(line => line['adler32'] === null),
    [false, true],
  )
  assert.equal(isList(await get(`/dids/${scope}/empty_tid03/files`)), [])
  assert.equal(isList(await get(`/dids/${scope}/${first.name}/files`)).length, 1)
})

test('children are listed, collections without numbers (68-71)', async () => {
  assert.equal(isList(await get(`/dids/${scope}/nested/dids`)), [
    { scope, name: 'container', type: 'CONTAINER', bytes: null, adler32: null, md5: null },
  ])
  const files = isList(await get(`/dids/${scope}/closed_tid01/dids`))
  assert.equal(Object.keys(files[0] ?? {}), ['scope', 'name', 'type', 'bytes', 'adler32', 'md5'])
  assert.equal(isList(await get(`/dids/${scope}/emptycontainer/dids`)), [])
})

test('names with slashes arrive, encoded or raw, in front as well (a0-a4)', async () => {
  for (const name of ['user.jdoe%2Fwith%2Fslashes.v1', 'user.jdoe/with/slashes.v1'])
    assert.is(object(await get(`/dids/user.jdoe/${name}`))['name'], 'user.jdoe/with/slashes.v1')
  for (const name of ['%2Fuser.jdoe%2Fsub%2Ftwo.root', '/user.jdoe/sub/two.root'])
    assert.is(object(await get(`/dids/user.jdoe/${name}`))['name'], '/user.jdoe/sub/two.root')
  assert.is(isList(await get('/dids/user.jdoe/user.jdoe%2Fwith%2Fslashes.v1/files')).length, 1)
})

test('search takes patterns, types, and the way of the official client (72-76)', async () => {
  const search = (query: string, where = scope): Promise<Told> => get(`/dids/${where}/dids/search?${query}`)
  const names = ['closed_tid01', 'open_tid02', 'empty_tid03', 'nested', 'container', 'emptycontainer']
  assert.equal(isList(await search('name=*')), names)
  assert.equal(isList(await search('type=dataset&name=%25_tid0*')), names.slice(0, 3))
  assert.equal(isList(await search('type=file&name=*')).length, 3)
  const long = isList(await search('type=all&long=True&name=closed*'))
  assert.equal(long, [{ scope, name: 'closed_tid01', did_type: 'DATASET', bytes: 68609, length: 2 }])
  const client = `type=all&long=True&recursive=False&filters=${encodeURIComponent("[{'name': 'empty*'}]")}`
  assert.equal(
    isList(await search(client)).map(line => line['name']),
    ['empty_tid03', 'emptycontainer'],
  )
  assert.equal(isList(await search('type=all&name=nothing*')), [])
  assert.equal(isList(await search('type=all&name=*', 'no_such_scope')), [])
  assert.is((await search('type=bogus&name=*')).headers['exceptionclass'], 'UnsupportedOperation')
})

test('bulkfiles names the DID asked for as parent, and leaves unknown ones out (b0-b6)', async () => {
  const told = await post('/dids/bulkfiles', {
    dids: [
      { scope, name: 'nested' },
      { scope, name: 'no.such' },
      { scope: 'user.jdoe', name: 'user.jdoe/with/slashes.v1' },
    ],
  })
  const lines = isList(told)
  assert.equal(
    lines.map(line => line['parent_name']),
    [...Array.from({ length: 4 }, () => 'nested'), 'user.jdoe/with/slashes.v1'],
  )
  assert.equal(isList(await post('/dids/bulkfiles', { dids: [] })), [])
  assert.equal(wrong(await post('/dids/bulkfiles', '{"dids":[')), [
    400,
    'ValueError',
    'cannot decode json parameter dictionary',
  ])
})

test('what is no path, no method and no acceptable type is said as Flask says it (97, 98, ck)', async () => {
  const nowhere = await get('/no/such/path')
  assert.equal([nowhere.status, nowhere.headers['content-type']], [404, 'text/html; charset=utf-8'])
  assert.equal(
    [nowhere.headers['content-length'], nowhere.text.includes('<h1>Not Found</h1>')],
    ['207', true],
  )
  const method = await get('/replicas/list', { method: 'PUT', body: '{}' })
  assert.equal([method.status, method.headers['content-length']], [405, '153'])
  const type = await get(`/dids/${scope}/nested`, { headers: { Accept: 'text/html' } })
  assert.equal(wrong(type), [
    406,
    'UnsupportedRequestedContentType',
    "The requested content type text/html is not supported. Use ['application/json'].",
  ])
})

test('a list may be cut: by the connection, or by a proxy that ends it properly', async () => {
  await grid.setCatalogue({ cutLists: true })
  const cut = await get(`/dids/${scope}/nested/files`)
  assert.equal([cut.status, cut.broken, cut.text.endsWith('\n')], [200, 'ECONNRESET', false])
  assert.is(cut.text.split('\n').length, 3)
  await grid.setCatalogue({ cutLists: 'clean' })
  assert.is(isList(await get(`/dids/${scope}/nested/files`)).length, 2)
  await grid.setCatalogue({ cutLists: false })
  assert.is(isList(await get(`/dids/${scope}/nested/files`)).length, 4)
})

test('the whole catalogue may answer one status, say nothing, or be down, and comes back', async () => {
  await grid.setCatalogue({ status: 503 })
  const proxy = await get('/scopes/')
  assert.equal([proxy.status, proxy.headers['content-type']], [503, 'text/html; charset=utf-8'])
  await grid.setCatalogue({ status: 500 })
  assert.is((await get('/scopes/')).headers['exceptionclass'], 'DatabaseException')
  await grid.setCatalogue({ status: 0, down: true })
  assert.is((await get('/scopes/')).broken, 'ECONNREFUSED')
  await grid.setCatalogue({ down: false })
  assert.is((await get('/scopes/')).status, 200)
  await grid.setCatalogue({ forgetTokens: true })
  assert.is((await get('/scopes/')).status, 401)
  assert.ok(grid.calls().includes('GET /scopes/'))
})

test.run()
