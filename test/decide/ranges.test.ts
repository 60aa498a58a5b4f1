import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addRange,
  gapsOf,
  nextSpan,
  splitClaim,
  sumOf,
  suspectOf,
  wantsMore,
  wholeAdler32,
} from '../../src/decide/ranges.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { emptySidecar, pieceBytes, type Range, readSidecar } from '../../src/words/part.ts'

const test = suite('ranges')
const MiB = 2 ** 20
const span = (from: number, to: number) => ({ from, to })
const range = (from: number, to: number, rse = 'A'): Range => ({ from, to, adler32: '00000001', rse })

test('bytes that come in any order and any cuts end as one range with the sum of all', () => {
  const chunk = fc.uint8Array({ minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(fc.array(fc.tuple(chunk, fc.nat()), { minLength: 1, maxLength: 20 }), chunks => {
      const whole = Uint8Array.from(chunks.flatMap(([bytes]) => [...bytes]))
      let from = 0
      const pieces = chunks.map(([bytes, order]) => {
        const sum = printAdler32(adler32(1, bytes))
        const piece = { from, to: from + bytes.length, adler32: sum, order }
        from += bytes.length
        return piece
      })
      let ranges: Range[] = []
      for (const { order: _, ...each } of pieces.sort((a, b) => a.order - b.order))
        ranges = addRange(ranges, each)
      assert.is(ranges.length, 1)
      assert.is(wholeAdler32(ranges, whole.length), printAdler32(adler32(1, whole)))
    }),
    { numRuns: 100 },
  )
})

test('any ranges that were added are ranges that a sidecar may hold', () => {
  const size = 3 * pieceBytes
  const one = fc.tuple(fc.nat(size - 1), fc.integer({ min: 1, max: pieceBytes }), fc.constantFrom('A', 'B'))
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), list => {
      let ranges: Range[] = []
      for (const [from, length, rse] of list) {
        const border = (Math.floor(from / pieceBytes) + 1) * pieceBytes
        ranges = addRange(ranges, range(from, Math.min(from + length, border), rse))
      }
      assert.equal(readSidecar({ ...emptySidecar('s:f', size), ranges })?.ranges, ranges)
    }),
  )
})

test('neighbours are joined within a piece and for one RSE only', () => {
  const p = pieceBytes
  assert.is(addRange([range(0, p)], range(p, p + 1)).length, 2)
  assert.is(addRange([range(0, 5)], range(5, 9, 'B')).length, 2)
  assert.is(addRange([range(0, 5), range(7, 9)], range(5, 7)).length, 1)
  assert.throws(() => addRange([], range(p - 1, p + 1)), RangeError)
})

test('a range that was written over no longer counts', () => {
  assert.equal(addRange([range(0, 10), range(20, 30)], range(5, 12, 'B')), [range(5, 12, 'B'), range(20, 30)])
})

test('a file with a gap has no sum of the whole', () => {
  assert.is(wholeAdler32([range(0, 5), range(6, 9)], 9), undefined)
  assert.is(wholeAdler32([range(0, 5)], 9), undefined)
  assert.is(wholeAdler32([], 0), '00000001')
})

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

test('gaps and ranges make the whole', () => {
  const spans = [span(5, 8), span(0, 3), span(8, 9)]
  assert.equal(gapsOf(spans, 12), [span(3, 5), span(9, 12)])
  assert.is(sumOf(spans) + sumOf(gapsOf(spans, 12)), 12)
})

test('an idle connection gets half of what the slowest has before it, when that is worth a request', () => {
  assert.equal(splitClaim([span(0, 4 * MiB), span(64 * MiB, 128 * MiB)]), { index: 1, at: 96 * MiB })
  assert.is(splitClaim([span(0, 15 * MiB)]), undefined)
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

test.run()
