import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { emptySidecar, pieceBytes, readSidecar } from '../../src/words/part.ts'

const test = suite('part')

const range = (from: number, to: number) => ({ from, to, adler32: '00000001' })
const bytes = 3 * pieceBytes
const sidecar = {
  ...emptySidecar('s:a', bytes),
  ranges: [range(0, 5), { ...range(5, pieceBytes), rse: 'SITE' }, range(pieceBytes, pieceBytes + 1)],
  source: { rse: 'SITE', host: 'se.example.org:443' },
  tries: 3,
  next_try: '2026-03-01T10:05:12.000Z',
  error: { reason: 'stalled', message: 'It stalled.', at: '2026-03-01T10:00:00.000Z' },
  strikes: [{ rse: 'SITE', count: 1, at: '2026-03-01T10:00:00.000Z' }],
}

test('what was written is read, without keys that are not known', () => {
  assert.equal(readSidecar(JSON.parse(JSON.stringify(sidecar))), sidecar)
  assert.equal(readSidecar({ ...emptySidecar('s:a', 0), more: 1 }), emptySidecar('s:a', 0))
})

test('ranges that overlap, are out of order, empty, beyond the end or across a border make the whole of no use', () => {
  for (const ranges of [
    [range(0, 5), range(4, 6)],
    [range(5, 6), range(0, 5)],
    [range(5, 5)],
    [range(6, 5)],
    [range(-1, 5)],
    [range(0.5, 5)],
    [range(bytes - 1, bytes + 1)],
    [range(pieceBytes - 1, pieceBytes + 1)],
    [{ from: 0, to: 5 }],
    [{ from: 0, to: 5, adler32: '1' }],
    [null],
    {},
    'x',
  ])
    assert.is(readSidecar({ ...sidecar, ranges }), undefined, JSON.stringify(ranges))
})

test('without a DID, a size or a format it is of no use', () => {
  for (const bad of [
    { did: 'a' },
    { did: 's:../a' },
    { did: 7 },
    { bytes: -1 },
    { bytes: '5' },
    { format: 2 },
  ])
    assert.is(readSidecar({ ...sidecar, ...bad }), undefined, JSON.stringify(bad))
  for (const bad of [null, [], 7, undefined]) assert.is(readSidecar(bad), undefined)
})

test('what else is wrong is forgotten, and the bytes that have come still count', () => {
  const read = readSidecar({
    ...sidecar,
    source: { rse: 1 },
    tries: -1,
    next_try: 'soon',
    error: { reason: 'whim', message: 'x', at: 'y' },
    strikes: [null, { rse: 'A', count: 1.5, at: 'x' }, sidecar.strikes[0]],
  })
  assert.equal(read, { ...sidecar, source: null, tries: 0, next_try: null, error: null })
})

test('any JSON in any key: no throw, and ranges are sorted, apart and inside the file', () => {
  const wild = fc.record(
    {
      format: fc.constant(1),
      did: fc.oneof(fc.constant('s:a'), fc.jsonValue()),
      bytes: fc.oneof(fc.nat(1000), fc.jsonValue()),
      ranges: fc.oneof(
        fc.array(fc.record({ from: fc.nat(20), to: fc.nat(30), adler32: fc.constant('00000001') }), {
          maxLength: 3,
        }),
        fc.jsonValue(),
      ),
      source: fc.jsonValue(),
      tries: fc.jsonValue(),
      next_try: fc.jsonValue(),
      error: fc.jsonValue(),
      strikes: fc.jsonValue(),
    },
    { requiredKeys: ['format', 'did', 'bytes', 'ranges'] },
  )
  let read = 0
  fc.assert(
    fc.property(wild, json => {
      const found = readSidecar(json)
      if (found === undefined) return
      read++
      let end = 0
      for (const { from, to } of found.ranges) {
        assert.ok(from >= end && to > from && to <= found.bytes)
        end = to
      }
    }),
    { numRuns: 3000 },
  )
  assert.ok(read > 100, `only ${read} could be read`)
})

test.run()
