import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readComplete, readVerifiedHead, readVerifiedLine, sameMtime } from '../../src/words/verified.ts'

const test = suite('verified')

const line = {
  path: 'a.root',
  bytes: 5,
  adler32: '00000001',
  mtime: '2026-01-01T00:00:00.000Z',
  at: '2026-01-01T00:00:01.000Z',
}

test('what was written is read, without keys that are not known', () => {
  assert.equal(readVerifiedLine({ ...line, more: 1 }), line)
  const more = { ...line, md5: 'd41d8cd98f00b204e9800998ecf8427e', unchecked: true }
  assert.equal(readVerifiedLine(more), more)
  assert.equal(readVerifiedLine({ ...line, md5: 'x', unchecked: 'yes' }), line)
  assert.equal(readVerifiedHead({ format: 1, id: 'x', more: 1 }), { format: 1, id: 'x' })
  const complete = { format: 1, files: 3, bytes: 2 ** 50, at: 'x' }
  assert.equal(readComplete(complete), complete)
})

test('what makes no sense is none', () => {
  for (const bad of [
    { path: '../a' },
    { path: '.rucio' },
    { bytes: -1 },
    { adler32: '1' },
    { adler32: undefined },
    { mtime: 'yesterday' },
    { mtime: 7 },
    { at: 7 },
  ])
    assert.is(readVerifiedLine({ ...line, ...bad }), undefined, JSON.stringify(bad))
  for (const bad of [{ format: 2, id: 'x' }, { format: 1, id: 7 }, { id: 'x' }, null, 'x'])
    assert.is(readVerifiedHead(bad), undefined)
  for (const bad of [
    { files: -1 },
    { bytes: -1 },
    { bytes: Number.POSITIVE_INFINITY },
    { at: 7 },
    { format: 2 },
  ])
    assert.is(
      readComplete({ format: 1, files: 1, bytes: 1, at: 'x', ...bad }),
      undefined,
      JSON.stringify(bad),
    )
})

test('mtimes agree within 2 s, either way, and one that is none agrees with nothing', () => {
  assert.ok(sameMtime(10_000, 12_000))
  assert.ok(sameMtime(12_000, 10_000))
  assert.not(sameMtime(10_000, 12_001))
  assert.not(sameMtime(Number.NaN, 10_000))
})

test('any JSON is a sane value or none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), json => {
      readVerifiedHead(json)
      readVerifiedLine(json)
      readComplete(json)
    }),
    { numRuns: 500 },
  )
})

test.run()
