// Each nonsense answer to a Range, byte by byte: a client's suite can rest on it.

import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Nonsense } from '../../src/practice/faults.ts'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { pathOf } from '../../src/practice/seed.ts'
import { ask, type Told } from '../help/ask.ts'

const test = suite('practice nonsense')

const file: SeedFile = {
  scope: 'mc16_13TeV',
  name: 'some.root',
  bytes: 200_000,
  checksums: ['adler32'],
  replicas: { A: 'good' },
}
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['A'],
    seed: { datasets: [{ scope: 'mc16_13TeV', name: 'one', open: false, files: [file] }], containers: [] },
  })
})
test.after(() => grid.stop())

async function get(nonsense: Nonsense, range = 'bytes=1000-1999'): Promise<Told> {
  await grid.setFaults('A', { nonsense })
  const path = `/rucio/${pathOf(file.scope, file.name)}`
  const headers: Record<string, string> = range === '' ? {} : { Range: range }
  return ask(`https://${grid.rse('A')}${path}`, { ca: grid.caPem, headers })
}

function shape(told: Told): unknown {
  return [
    told.status,
    told.headers['content-range'],
    told.headers['content-length'],
    told.bytes.length,
    told.broken,
  ]
}
const range = 'bytes 1000-1999/200000'

test('200: the whole file', async () => {
  const told = await get('200')
  assert.equal(shape(told), [200, undefined, '200000', 200_000, undefined])
  assert.ok(told.bytes.equals(bytesOf(file, 0, 200_000)))
})

test('wrong-range: a byte beside, and honest about it', async () => {
  const told = await get('wrong-range')
  assert.equal(shape(told), [206, 'bytes 999-1998/200000', '1000', 1000, undefined])
  assert.ok(told.bytes.equals(bytesOf(file, 999, 1999)))
  assert.is((await get('wrong-range', 'bytes=0-199999')).headers['content-range'], 'bytes 1-199999/200000')
})

test('wrong-total: the right bytes of a longer file', async () => {
  const told = await get('wrong-total')
  assert.equal(shape(told), [206, 'bytes 1000-1999/200001', '1000', 1000, undefined])
  assert.ok(told.bytes.equals(bytesOf(file, 1000, 2000)))
})

test('short: half of what was promised', async () => {
  const told = await get('short')
  assert.equal(shape(told), [206, range, '1000', 500, 'ECONNRESET'])
  assert.ok(told.bytes.equals(bytesOf(file, 1000, 1500)))
  assert.equal(shape(await get('short', 'bytes=0-0')), [206, 'bytes 0-0/200000', '1', 0, 'ECONNRESET'])
})

test('long: no length, and more than was asked for', async () => {
  const told = await get('long')
  assert.equal(shape(told), [206, range, undefined, 1000 + 65_536, undefined])
  assert.is(told.headers['transfer-encoding'], undefined)
  assert.ok(told.bytes.subarray(0, 1000).equals(bytesOf(file, 1000, 2000)))
})

test('html: a page with 200', async () => {
  const told = await get('html')
  assert.equal([told.status, told.headers['content-type']], [200, 'text/html'])
  assert.ok(told.text.includes('maintenance'))
})

test('login: a redirect to a page with 200', async () => {
  const told = await get('login')
  assert.equal([told.status, told.headers.location], [302, '/sso/login'])
  const page = await ask(`https://${grid.rse('A')}/sso/login`, { ca: grid.caPem })
  assert.is(page.status, 200)
  assert.ok(page.text.includes('sign in'))
})

test('encoded: packed, and said so', async () => {
  const told = await get('encoded')
  assert.equal(
    [told.status, told.headers['content-encoding'], told.headers['content-range']],
    [206, 'gzip', range],
  )
  assert.ok(gunzipSync(told.bytes).equals(bytesOf(file, 1000, 2000)))
})

test('multipart: one part for one range', async () => {
  const told = await get('multipart')
  assert.equal([told.status, told.headers['content-range']], [206, undefined])
  assert.is(told.headers['content-type'], 'multipart/byteranges; boundary=123456')
  assert.ok(told.bytes.includes(Buffer.from(bytesOf(file, 1000, 2000))))
})

test('416: no such range, the right size', async () => {
  assert.equal(shape(await get('416')), [416, 'bytes */200000', '0', 0, undefined])
})

test('nonsense about ranges is kept for those who ask for one', async () => {
  for (const kind of ['wrong-range', 'wrong-total', 'multipart', '416'] as const)
    assert.equal(shape(await get(kind, '')), [200, undefined, '200000', 200_000, undefined], kind)
})

test.run()
