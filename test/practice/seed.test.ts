import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, checksumOf, fill, pathOf, type SeedFile, sizeOf } from '../../src/practice/seed.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'

const test = suite('practice seed')

function file(name: string, bytes: number): SeedFile {
  return { scope: 'mc16_13TeV', name, bytes, checksums: ['adler32', 'md5'], replicas: {} }
}

test('any range of a file is that range of its whole', async () => {
  const some = file('some.root', 3 * 2 ** 20 + 17)
  const whole = bytesOf(some, 0, some.bytes)
  assert.is(whole.length, some.bytes)
  await fc.assert(
    fc.property(fc.nat(some.bytes), fc.nat(some.bytes), (a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a]
      return Buffer.compare(bytesOf(some, from, to), whole.subarray(from, to)) === 0
    }),
    { numRuns: 60 },
  )
  // Around the borders of blocks, where a mistake would lie.
  for (const from of [0, 1, 15, 16, 17, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 8, 2 ** 21 - 3])
    assert.equal(bytesOf(some, from, from + 40), whole.slice(from, from + 40))
  assert.is(bytesOf(some, some.bytes - 5, some.bytes + 5).length, 5)
})

test('no two files and no two blocks hold the same bytes', () => {
  const seen = new Set<string>()
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  for (let i = 0; i < 2000; i++) seen.add(digest(bytesOf(file(`small.${i}`, 64), 0, 64)))
  const big = file('big.root', 2 ** 40)
  for (let i = 0; i < 200; i++) seen.add(digest(bytesOf(big, i * 2 ** 20, i * 2 ** 20 + 64)))
  for (let i = 0; i < 200; i++)
    seen.add(digest(bytesOf(big, 2 ** 40 - (i + 1) * 2 ** 20, 2 ** 40 - i * 2 ** 20 - 100)))
  assert.is(seen.size, 2400)
})

test('checksums are those of the bytes that lie there', async () => {
  const some = file('summed.root', 5 * 2 ** 20 + 3)
  const good = bytesOf(some, 0, some.bytes)
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
  assert.is(await checksumOf(some, 'good', 'adler32'), printAdler32(adler32(1, good)))
  assert.is(await checksumOf(some, 'good', 'md5'), md5(good))
  const half = good.subarray(0, sizeOf(some, 'truncated'))
  assert.is(half.length, Math.floor(some.bytes / 2))
  assert.is(await checksumOf(some, 'truncated', 'md5'), md5(half))
  assert.is.not(await checksumOf(some, 'corrupt', 'adler32'), await checksumOf(some, 'good', 'adler32'))
})

test('a corrupt replica has one other byte, in the middle, however it is read', () => {
  const some = file('flipped.root', 100_001)
  const good = bytesOf(some, 0, some.bytes)
  const bad = new Uint8Array(some.bytes)
  for (let at = 0; at < bad.length; at += 777) fill(some, 'corrupt', at, bad.subarray(at, at + 777))
  const other = [...good.keys()].filter(i => good[i] !== bad[i])
  assert.equal(other, [50_000])
})

test('a path is the one that Rucio gives', () => {
  assert.is(
    pathOf('mc16_13TeV', 'DAOD_PHYS.01._000001.pool.root.1'),
    'mc16_13TeV/52/0e/DAOD_PHYS.01._000001.pool.root.1',
  )
  assert.is(pathOf('user.jdoe', 'same.name.root'), 'user/jdoe/9b/41/same.name.root')
  assert.is(pathOf('user.jdoe', '/user.jdoe/sub/two.root'), 'user/jdoe/76/7d//user.jdoe/sub/two.root')
})

test.run()
