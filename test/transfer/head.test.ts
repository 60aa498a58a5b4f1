import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judgeHead } from '../../src/transfer/head.ts'
import { Miss } from '../../src/transfer/miss.ts'
import { readRawHead } from '../../src/transfer/raw-head.ts'

const test = suite('head of an answer')
const wanted = { from: 10, to: 20, bytes: 100 }

function judge(status: number, headers: Record<string, string> = {}): string {
  try {
    return judgeHead(status, headers, wanted, { place: 'A (a.org:443)', now: 0 }).kind
  } catch (error) {
    if (!(error instanceof Miss)) throw error
    return `${error.blame} ${error.trouble.reason}${error.askedMs === undefined ? '' : ` ${error.askedMs}`}`
  }
}
const range = (said: string, length = '10') => ({ 'content-range': said, 'content-length': length })

test('only the exact range of a file of the right size counts', () => {
  for (const [because, status, headers, verdict] of [
    ['exact', 206, range('bytes 10-19/100'), 'range'],
    ['chunked, but its range is exact', 206, { 'content-range': 'bytes 10-19/100' }, 'range'],
    ['the whole file, by its length', 200, { 'content-length': '100' }, 'whole'],
    ['a byte off', 206, range('bytes 11-20/100'), 'strike corrupt'],
    ['shorter', 206, range('bytes 10-18/100', '9'), 'strike corrupt'],
    ['another total', 206, range('bytes 10-19/101'), 'strike corrupt'],
    ['no total', 206, range('bytes 10-19/*'), 'strike corrupt'],
    ['length and range differ', 206, range('bytes 10-19/100', '11'), 'strike corrupt'],
    ['XRootD and an open range', 206, range('bytes 10--1/100', '0'), 'strike corrupt'],
    ['no range said', 206, { 'content-length': '10' }, 'strike corrupt'],
    ['encoded', 206, { ...range('bytes 10-19/100'), 'content-encoding': 'gzip' }, 'strike corrupt'],
    [
      'identity is no encoding',
      206,
      { ...range('bytes 10-19/100'), 'content-encoding': 'identity' },
      'range',
    ],
    ['a page', 200, { 'content-length': '4711' }, 'strike corrupt'],
    ['something without a length', 200, {}, 'strike corrupt'],
    ['beyond the end', 416, {}, 'strike corrupt'],
    ['nothing', 204, {}, 'strike corrupt'],
    ['who are you', 401, {}, 'replica auth'],
    ['not for you', 403, {}, 'replica refused'],
    ['absent', 404, {}, 'replica no_replica'],
    ['gone', 410, {}, 'replica no_replica'],
    ['a teapot', 418, {}, 'replica refused'],
    ['down', 500, {}, 'host host_down'],
    ['busy', 503, { 'retry-after': '7' }, 'host host_down 7000'],
    ['too many', 429, { 'retry-after': '1' }, 'host host_down 1000'],
  ] as const)
    assert.is(judge(status, headers), verdict, because)
})

test('a header that repeats our token is not repeated', () => {
  const token = 'Bearer eyJhbGciOi.JIUzI1NiJ9'
  for (const headers of [
    { 'content-range': token },
    { ...range('bytes 10-19/100'), 'content-encoding': token },
  ])
    try {
      judgeHead(206, headers, wanted, { place: 'A (a.org:443)', now: 0 })
      assert.unreachable()
    } catch (error) {
      if (!(error instanceof Miss)) throw error
      assert.not.ok(error.trouble.message.includes('eyJ'), error.trouble.message)
    }
})

test('no Content-Range but the exact one is ever taken', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.nat(200), (first, last, total) => {
      const exact = first === 10 && last === 19 && total === 100
      assert.is(judge(206, range(`bytes ${first}-${last}/${total}`)) === 'range', exact)
    }),
  )
})

const plain = 'HTTP/1.1 206 Partial\r\nContent-Length: 3\r\nConnection: Keep-Alive\r\nX-A:  b \r\n\r\nabc'
const raw = (text: string) => readRawHead(Buffer.from(text, 'latin1'))

test('a plain head is read, wherever it is cut', () => {
  const end = plain.indexOf('abc')
  for (let at = 0; at < end; at++) assert.is(raw(plain.slice(0, at)), undefined)
  assert.equal(raw(plain), {
    status: 206,
    headers: { 'content-length': '3', connection: 'Keep-Alive', 'x-a': 'b' },
    length: end,
    keepsAlive: true,
  })
})

test('what is not quite plain is left to the parser of Node', () => {
  for (const text of [
    'HTTP/1.1 206 x\r\n\r\n',
    'HTTP/1.0 206 x\r\nContent-Length: 3\r\n\r\n',
    'HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n',
    'HTTP/1.1 206 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n',
    'HTTP/1.1 206 x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
    'HTTP/1.1 206 x\r\nContent-Length: 3\r\nContent-Range: a\r\ncontent-range: b\r\n\r\n',
    'HTTP/1.1 206 x\r\nContent-Length: 3\r\n folded\r\n\r\n',
    'HTTP/1.1 206 x\r\nContent-Length : 3\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n\r\n',
    `HTTP/1.1 206 x\r\n${'a'.repeat(40_000)}`,
  ])
    assert.is(raw(text), 'strange', text.slice(0, 80))
  const closes = raw('HTTP/1.1 206 x\r\nContent-Length: 3\r\nConnection: close\r\n\r\n')
  assert.is(typeof closes === 'object' && closes.keepsAlive, false)
})

test('any bytes are read without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const read = readRawHead(
        Buffer.concat([Buffer.from('HTTP/1.1 206 x\r\n'), bytes, Buffer.from('\r\n\r\n')]),
      )
      assert.ok(read === 'strange' || read === undefined || read.status === 206)
    }),
  )
})

test.run()
