import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Trouble } from '../../src/words/reason.ts'
import { asObject, decodeText, isAdler32, isBytes, isMd5, isTotal, parseJson } from '../../src/words/text.ts'

const test = suite('text')

const utf16 = (text: string, little: boolean): Uint8Array => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return little ? bytes : bytes.swap16()
}

test('what the editors of three systems write is read', () => {
  for (const bytes of [
    Buffer.from('{"a":1}\n'),
    Buffer.from('\ufeff{"a":1}\n'),
    Buffer.from('{"a":1}\r\n'),
    Buffer.from('{"a":1}\r'),
    utf16('{"a":1}\r\n', true),
    utf16('{"a":1}\r\n', false),
  ])
    assert.is(decodeText(bytes), '{"a":1}\n')
  assert.is(decodeText(new Uint8Array()), '')
})

test('bytes that are no text are a Trouble, never replaced in silence', () => {
  assert.instance(decodeText(Uint8Array.of(0xff, 0xff, 0xff)), Trouble)
  assert.instance(decodeText(Uint8Array.of(0x61, 0xe9)), Trouble)
  assert.instance(decodeText(Uint8Array.of(0xff, 0xfe, 0x00, 0xd8)), Trouble)
})

test('any bytes are a text or a Trouble', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      const text = decodeText(bytes)
      if (!(text instanceof Trouble)) parseJson(text)
    }),
    { numRuns: 2000 },
  )
})

test('JSON that does not parse is a Trouble, and only plain objects are objects', () => {
  assert.instance(parseJson('{"a":'), Trouble)
  assert.instance(parseJson('\0\0\0'), Trouble)
  for (const json of [null, 1, 'x', [], undefined]) assert.is(asObject(json), undefined)
  assert.equal(asObject(JSON.parse('{"__proto__":{"x":1},"a":2}'))?.['a'], 2)
})

test('numbers and checksums are taken in their one form only', () => {
  for (const good of [0, 1, 2 ** 44]) assert.ok(isBytes(good))
  for (const bad of [-1, 0.5, 2 ** 44 + 1, Number.NaN, Number.POSITIVE_INFINITY, '1', null])
    assert.not(isBytes(bad))
  assert.ok(isTotal(2 ** 53 - 1))
  for (const bad of [-1, 2 ** 53, Number.POSITIVE_INFINITY, '1']) assert.not(isTotal(bad))
  assert.ok(isAdler32('00000001'))
  for (const bad of ['1', '0000000A', '00000001 ', '00000001\n', 1]) assert.not(isAdler32(bad))
  assert.ok(isMd5('d41d8cd98f00b204e9800998ecf8427e'))
  for (const bad of ['d41d', 'D41D8CD98F00B204E9800998ECF8427E', null]) assert.not(isMd5(bad))
})

test.run()
