import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { emptySidecar, pieceBytes, type Range, readSidecar } from '../../src/words/part.ts'
import { addRange, wholeAdler32 } from '../../src/words/ranges.ts'

const test = suite('ranges of a part')
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

test.run()
