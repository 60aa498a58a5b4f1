import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gapsOf, nextSpan, splitClaim, suspectOf, wantsMore } from '../../src/decide/ranges.ts'
import type { Range } from '../../src/words/part.ts'
import { sumOf } from '../../src/words/ranges.ts'

const test = suite('ranges')
const MiB = 2 ** 20
const span = (from: number, to: number) => ({ from, to })
const range = (from: number, to: number, rse = 'A'): Range => ({ from, to, adler32: '00000001', rse })

test('one connection takes a whole gap, several take pieces from the front and not too far ahead', () => {
  const bytes = 1024 * MiB
  const seen = { have: [span(10, 20)], claimed: [], bytes, inPieces: false }
  assert.equal(nextSpan(seen), span(0, 10))
  assert.equal(nextSpan({ ...seen, have: [span(0, 20)] }), span(20, bytes))
  const pieces = { ...seen, have: [span(0, MiB)], inPieces: true }
  assert.equal(nextSpan(pieces), span(MiB, 64 * MiB))
  assert.equal(nextSpan({ ...pieces, claimed: [span(MiB, 64 * MiB)] }), span(64 * MiB, 128 * MiB))
  const ahead = [span(MiB, 64 * MiB), span(64 * MiB, 513 * MiB)]
  assert.is(nextSpan({ ...pieces, claimed: ahead }), undefined)
  assert.is(nextSpan({ ...pieces, have: [span(0, bytes)] }), undefined)
})

test('an idle connection gets half of what the slowest has before it, when that is worth a request', () => {
  assert.equal(splitClaim([span(0, 4 * MiB), span(64 * MiB, 128 * MiB)]), { index: 1, at: 96 * MiB })
  assert.is(splitClaim([span(0, 31 * MiB)]), undefined)
  assert.is(splitClaim([]), undefined)
})

test('connections are added while each makes the sum grow by a tenth', () => {
  assert.ok(wantsMore({ connections: 1, most: 4, rate: 100, before: undefined }))
  assert.ok(wantsMore({ connections: 2, most: 4, rate: 120, before: 100 }))
  assert.not.ok(wantsMore({ connections: 2, most: 4, rate: 105, before: 100 }))
  assert.not.ok(wantsMore({ connections: 4, most: 4, rate: 500, before: 100 }))
  assert.not.ok(wantsMore({ connections: 1, most: 4, rate: 0, before: undefined }))
})

test('the one that gave all is proven; of several the struck, then the biggest giver is suspected', () => {
  const none = () => 0
  assert.equal(suspectOf([range(0, 5), range(5, 9)], none), { rse: 'A', proven: true })
  const mixed = [range(0, 5), range(5, 15, 'B')]
  assert.equal(suspectOf(mixed, none), { rse: 'B', proven: false })
  assert.equal(
    suspectOf(mixed, rse => (rse === 'A' ? 1 : 0)),
    { rse: 'A', proven: false },
  )
})

test('gaps and ranges make the whole', () => {
  const spans = [span(5, 8), span(0, 3), span(8, 9)]
  assert.equal(gapsOf(spans, 12), [span(3, 5), span(9, 12)])
  assert.is(sumOf(spans) + sumOf(gapsOf(spans, 12)), 12)
})

test.run()
