import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Claim, Filler } from '../../src/transfer/filler.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { pieceBytes, type Range } from '../../src/words/part.ts'
import { rejects } from '../help/data.ts'

const test = suite('filler')
const MiB = 2 ** 20

function target() {
  const written: { ranges: readonly Range[]; bytes: Uint8Array }[] = []
  return {
    written,
    async write(bytes: Uint8Array, ranges: readonly Range[]) {
      // The slab is used again: what a disk would have by now is a copy.
      written.push({ ranges, bytes: bytes.slice() })
    },
  }
}
const claimOf = (from: number, to: number): Claim => ({ from, at: from, to })
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 24)

test('bytes in chunks of any size are written in order, each range with its own sum', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 700_000 }), { minLength: 1, maxLength: 8 }),
      async sizes => {
        const bytes = noise(sizes.reduce((sum, each) => sum + each, 0))
        const to = target()
        const filler = new Filler(claimOf(5, 5 + bytes.length), 'A', to, () => {})
        let at = 0
        for (const size of sizes) {
          const go = filler.push(bytes.subarray(at, at + size))
          at += size
          if (!go) await new Promise<void>(resolve => (filler.onRoom = resolve))
        }
        assert.ok(filler.isFull)
        await filler.end()
        assert.is(Buffer.compare(Buffer.concat(to.written.map(each => each.bytes)), bytes), 0)
        let end = 5
        for (const { ranges, bytes: slab } of to.written) {
          assert.is(ranges[0]?.from, end)
          assert.is(ranges[0]?.adler32, printAdler32(adler32(1, slab)))
          end += slab.length
        }
      },
    ),
    { numRuns: 20 },
  )
})

test('a slab that lies over the border of a piece has a range for each side', async () => {
  const to = target()
  const filler = new Filler(claimOf(pieceBytes - 10, pieceBytes + 20), 'A', to, () => {})
  filler.push(noise(30))
  await filler.end()
  assert.equal(
    to.written[0]?.ranges.map(({ from, to }) => [from, to]),
    [
      [pieceBytes - 10, pieceBytes],
      [pieceBytes, pieceBytes + 20],
    ],
  )
})

test('what lies beyond the claim is left out, also when it was cut while bytes came', async () => {
  const to = target()
  const claim = claimOf(0, MiB)
  const filler = new Filler(claim, 'A', to, () => {})
  filler.push(noise(100))
  claim.to = 150
  filler.push(noise(100))
  assert.ok(filler.isFull)
  await filler.end()
  assert.is(claim.at, 150)
  assert.is(to.written[0]?.bytes.length, 150)
})

test('a disk that is behind pauses the line before the last slab is used', async () => {
  let release = () => {}
  const gate = new Promise<void>(resolve => (release = resolve))
  const filler = new Filler(claimOf(0, 8 * MiB), 'A', { write: () => gate }, () => {})
  assert.ok(filler.push(noise(MiB)))
  assert.not.ok(filler.push(noise(MiB)))
  // What TLS had read already still finds room.
  filler.push(noise(100_000))
  release()
  await new Promise<void>(resolve => (filler.onRoom = resolve))
  assert.not.ok(filler.isPaused)
  await filler.end()
})

test('after a write that failed nothing behind it is written, and end() throws it', async () => {
  const fault = new Error('no space')
  let calls = 0
  const failing = {
    async write() {
      calls++
      throw fault
    },
  }
  const filler = new Filler(claimOf(0, 4 * MiB), 'A', failing, () => {})
  const told = new Promise(resolve => (filler.onError = resolve))
  filler.push(noise(MiB))
  filler.push(noise(MiB))
  assert.is(await told, fault)
  assert.is(await rejects(filler.end()), fault)
  assert.is(calls, 1)
})

test.run()
