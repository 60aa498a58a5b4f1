// What the recorded XRootD 5.5.3 answers (the numbers of its exchanges are in the names), asked of the practice storage.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { userKeyPem, userPem } from '../../src/practice/certificates.ts'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { checksumOf, pathOf } from '../../src/practice/seed.ts'
import { ask, type Told } from '../help/ask.ts'

const test = suite('practice storage')

const file: SeedFile = {
  scope: 'mc16_13TeV',
  name: 'DAOD_PHYS.01._000002.pool.root.1',
  bytes: 65537,
  checksums: ['adler32', 'md5'],
  replicas: { A: 'good', B: 'corrupt', C: 'truncated', D: 'absent', PLAIN: 'good' },
}
const other = { ...file, name: 'other.root', bytes: 300 }
const zero = { ...file, name: 'zero.txt', bytes: 0 }
const odd = { ...file, scope: 'user.jdoe', name: '/user.jdoe/sub/two.root' }
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['A', 'B', 'C', 'D', 'PLAIN'],
    schemes: { PLAIN: ['http'] },
    seed: {
      datasets: [{ scope: 'mc16_13TeV', name: 'one', open: false, files: [file, other, zero, odd] }],
      containers: [],
    },
  })
})
test.after(() => grid.stop())

type Options = Parameters<typeof ask>[1]

function at(rse: string, path: string, options: Options = {}): Promise<Told> {
  return ask(`https://${grid.rse(rse)}${path}`, { ca: grid.caPem, ...options })
}
function get(rse: string, range?: string, options: Options = {}, which = file): Promise<Told> {
  const headers = { ...(range === undefined ? {} : { Range: range }), ...options?.headers }
  return at(rse, `/rucio/${pathOf(which.scope, which.name)}`, { ...options, headers })
}
function isBytes(told: Told, from: number, to: number, which = file): void {
  assert.ok(told.bytes.equals(bytesOf(which, from, to)), `bytes ${from} to ${to}`)
}

test('GET gives the whole file, without validator, date or type (s00)', async () => {
  const told = await get('A')
  assert.equal(
    [told.status, told.broken, told.headers['content-length'], told.headers['connection']],
    [200, undefined, '65537', 'Keep-Alive'],
  )
  assert.is(told.headers['server'], 'XrootD/v5.5.3')
  for (const name of ['etag', 'last-modified', 'accept-ranges', 'date', 'content-type', 'keep-alive'])
    assert.is(told.headers[name], undefined, name)
  isBytes(told, 0, 65537)
})

test('HEAD gives the size and passes a Range over (s01, s12)', async () => {
  for (const range of [undefined, 'bytes=1000-1999']) {
    const told = await get('A', range, { method: 'HEAD' })
    assert.equal([told.status, told.headers['content-length'], told.text], [200, '65537', ''])
  }
})

test('a closed range is exact (s02, s10)', async () => {
  for (const headers of [{}, { 'If-Range': '"other"' }]) {
    const told = await get('A', 'bytes=1000-1999', { headers })
    assert.is(told.status, 206)
    assert.is(told.headers['content-range'], 'bytes 1000-1999/65537')
    assert.is(told.headers['content-length'], '1000')
    isBytes(told, 1000, 2000)
  }
  isBytes(await get('A', 'bytes=65536-65536'), 65536, 65537)
})

test('an open range is got wrong (s03, s05, s08, s30)', async () => {
  for (const [range, said] of [
    ['bytes=60000-', 'bytes 60000--1/65537'],
    ['bytes=65537-', 'bytes 65537--1/65537'],
    ['bytes=0-', 'bytes 0--1/65537'],
  ]) {
    const told = await get('A', range)
    assert.equal(
      [told.status, told.headers['content-length'], told.headers['content-range']],
      [206, '0', said],
    )
  }
  assert.is((await get('A', 'bytes=0-', {}, zero)).headers['content-range'], 'bytes 0--1/0')
})

test('a suffix and nonsense give the whole file (s04, s09)', async () => {
  for (const range of ['bytes=-100', 'bytes=abc']) {
    const told = await get('A', range)
    assert.equal([told.status, told.bytes.length], [200, 65537])
  }
})

test('a range over the end promises bytes that never come (s06)', async () => {
  const told = await get('A', 'bytes=65000-99999')
  assert.is(told.status, 206)
  assert.is(told.headers['content-range'], 'bytes 65000-99999/65537')
  assert.is(told.headers['content-length'], '35000')
  assert.is(told.broken, 'ECONNRESET')
  assert.is(told.bytes.length, 0)
})

test('two ranges come as multipart (s07)', async () => {
  const told = await get('A', 'bytes=0-9,100-109')
  assert.is(told.status, 206)
  assert.is(told.headers['content-type'], 'multipart/byteranges; boundary=123456')
  assert.is(told.headers['content-length'], '212')
})

test('open ranges are right where they are told to be', async () => {
  await grid.setFaults('A', { openRangesWrong: false })
  const open = await get('A', 'bytes=65000-')
  assert.is(open.headers['content-range'], 'bytes 65000-65536/65537')
  isBytes(open, 65000, 65537)
  isBytes(await get('A', 'bytes=-100'), 65437, 65537)
  isBytes(await get('A', 'bytes=65000-99999'), 65000, 65537)
  const beyond = await get('A', 'bytes=65537-')
  assert.equal([beyond.status, beyond.headers['content-range']], [416, 'bytes */65537'])
  await grid.setFaults('A', { openRangesWrong: true })
})

test('HEAD with Want-Digest tells what lies there; a GET that did not ask tells of another file (s13-s18, s26)', async () => {
  const digest = async (rse: string, want: string): Promise<unknown> =>
    (await get(rse, undefined, { method: 'HEAD', headers: { 'Want-Digest': want } })).headers['digest']
  const adler = `adler32=${await checksumOf(file, 'good', 'adler32')}`
  assert.is((await get('A')).headers['digest'], undefined)
  assert.is(await digest('A', 'adler32'), adler)
  assert.is(await digest('A', 'sha-256'), adler)
  assert.is(await digest('B', 'adler32'), `adler32=${await checksumOf(file, 'corrupt', 'adler32')}`)
  const md5 = Buffer.from(await checksumOf(file, 'good', 'md5'), 'hex').toString('base64')
  assert.is(await digest('A', 'md5'), `md5=${md5}`)
  await digest('A', 'adler32')
  assert.is((await get('A', 'bytes=0-9', {}, other)).headers['digest'], adler)
  await grid.setFaults('A', { wrongDigest: false })
  assert.is((await get('A', 'bytes=0-9', {}, other)).headers['digest'], undefined)
  await grid.setFaults('A', { wrongDigest: true })
})

test('what is not there, or not to be had, is refused and the connection ends (s20, s21, s24, s25)', async () => {
  const missing = await at('A', '/rucio/no/such/file')
  assert.equal(
    [missing.status, missing.headers['connection'], missing.headers['content-length'], missing.text],
    [404, 'Close', '62', 'Unable to open /rucio/no/such/file; no such file or directory\n'],
  )
  const head = await at('A', '/rucio/no/such/file', { method: 'HEAD' })
  assert.equal([head.status, head.headers['content-length']], [404, '0'])
  assert.is((await get('D')).status, 404, 'a replica that is absent')
  assert.is((await at('A', '/etc/passwd')).status, 403)
  const climbing = '/rucio/mc16_13TeV/../mc16_13TeV/3f/f9/DAOD_PHYS.01._000002.pool.root.1'
  const climbed = await at('A', '/', { path: climbing })
  assert.equal([climbed.status, climbed.headers['connection']], [403, 'Close'])
})

test('a directory is 200 and HTML (s22, s23)', async () => {
  for (const path of ['/rucio/mc16_13TeV/3f', '/rucio/mc16_13TeV/3f/', '/rucio']) {
    const told = await at('A', path)
    assert.equal([told.status, told.headers['content-type']], [200, undefined])
    assert.ok(told.text.includes('<h1>Listing of: '), path)
  }
  assert.is((await at('D', '/rucio/mc16_13TeV/3f')).status, 404)
})

test('double slashes, escapes and queries find the file (s26-s28, a5)', async () => {
  for (const path of [
    '//rucio//mc16_13TeV/3f/f9/DAOD_PHYS.01._000002.pool.root.1',
    '/rucio/mc16_13TeV/3f/f9/DAOD%5FPHYS.01._000002.pool.root.1',
    '/rucio/mc16_13TeV/3f/f9/DAOD_PHYS.01._000002.pool.root.1?authz=x',
  ])
    isBytes(await at('A', path), 0, 65537)
  isBytes(await get('A', undefined, {}, odd), 0, 65537, odd)
})

test('other methods are answered as the real one does (s31-s36)', async () => {
  const path = `/rucio/${pathOf(file.scope, file.name)}`
  const found = await at('A', path, { method: 'PROPFIND', headers: { Depth: '0' } })
  assert.is(found.status, 207)
  assert.ok(found.text.includes('getcontentlength>65537<'))
  assert.is((await at('A', path, { method: 'OPTIONS' })).status, 200)
  assert.is((await at('A', '/rucio/new.txt', { method: 'PUT', body: 'hello' })).status, 403)
  assert.is((await at('A', '/rucio/new.txt', { method: 'DELETE' })).status, 404)
  assert.is((await at('A', path, { method: 'POST', body: 'x' })).status, 501)
})

test('without a certificate it may be 403, there or not (s41, s44, s43, s45)', async () => {
  await grid.setFaults('A', { needsCertificate: true })
  const who = { cert: userPem, key: userKeyPem }
  assert.is((await get('A')).status, 403)
  assert.is((await at('A', '/rucio/no/such/file')).status, 403)
  isBytes(await get('A', undefined, who), 0, 65537)
  assert.is((await at('A', '/rucio/no/such/file', who)).status, 404)
  await grid.setFaults('A', { needsCertificate: false })
})

test('replicas are as good as the seed says', async () => {
  const corrupt = await get('B')
  assert.is(corrupt.bytes.length, 65537)
  assert.ok(!corrupt.bytes.equals(bytesOf(file, 0, 65537)))
  const truncated = await get('C', 'bytes=0-99')
  assert.is(truncated.headers['content-range'], 'bytes 0-99/32768')
  const plain = await ask(`http://${grid.rse('PLAIN')}/rucio/${pathOf(file.scope, file.name)}`)
  isBytes(plain, 0, 65537)
})

test('both families of localhost are served', async () => {
  const port = grid.rse('PLAIN').split(':')[1]
  const path = `/rucio/${pathOf(file.scope, file.name)}`
  isBytes(await ask(`http://127.0.0.1:${port}${path}`), 0, 65537)
  const six = await ask(`http://[::1]:${port}${path}`)
  // A machine without IPv6 is no fault of ours.
  if (six.broken !== 'EADDRNOTAVAIL') isBytes(six, 0, 65537)
})

test('what was sent is told by range, pieces of one answer joined', async () => {
  grid.forgetSent()
  await get('A')
  await get('C', 'bytes=10-19')
  const did = `${file.scope}:${file.name}`
  assert.equal(grid.sent(), [
    { rse: 'A', did, from: 0, to: 65537 },
    { rse: 'C', did, from: 10, to: 20 },
  ])
  grid.forgetSent()
  assert.equal(grid.sent(), [])
})

test.run()
