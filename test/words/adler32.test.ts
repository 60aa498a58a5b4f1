import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AdlerMemory, adler32, joinAdler32, parseAdler32, printAdler32 } from '../../src/words/adler32.ts'

const test = suite('adler32')

function plain(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of bytes) {
    low = (low + byte) % 65521
    high = (high + low) % 65521
  }
  return high * 65536 + low
}

function noise(length: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state >> 16
  })
}

test('the sum of a known text is the known one', () => {
  assert.is(printAdler32(adler32(1, new TextEncoder().encode('Wikipedia'))), '11e60398')
  assert.is(printAdler32(adler32(1, new Uint8Array())), '00000001')
})

test('every length and the worst bytes give what a plain loop gives', () => {
  for (const length of [0, 1, 15, 16, 17, 5551, 5552, 5553, 70000])
    for (const bytes of [noise(length, length + 1), new Uint8Array(length).fill(0xff)])
      assert.is(adler32(1, bytes), plain(bytes))
  const big = new Uint8Array(3 * 2 ** 20 + 5).fill(0xff)
  assert.is(adler32(1, big), plain(big))
})

test('sums of neighbouring ranges join to the sum of the whole', () => {
  const bytes = noise(100000, 7)
  for (let i = 0; i < 500; i++) {
    const cut = (i * 7919) % bytes.length
    const joined = joinAdler32(
      adler32(1, bytes.subarray(0, cut)),
      adler32(1, bytes.subarray(cut)),
      bytes.length - cut,
    )
    assert.is(joined, plain(bytes))
  }
})

test('bytes are summed where they lie', () => {
  const memory = new AdlerMemory(200000)
  const bytes = noise(150000, 3)
  memory.bytes.set(bytes, 1000)
  assert.is(memory.sum(1, 1000, bytes.length), plain(bytes))
  assert.is(parseAdler32(printAdler32(plain(bytes))), plain(bytes))
})

test.run()
