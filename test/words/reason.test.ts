import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  clean,
  codeOf,
  readFailure,
  reasons,
  sentence,
  Trouble,
  toFailure,
  toTrouble,
} from '../../src/words/reason.ts'

const test = suite('reason')

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: text with /a/path`), { code, syscall: 'write' })
}

test('every reason has a sentence that says what to do', () => {
  for (const reason of reasons) {
    assert.match(sentence(reason, ''), /^[A-Z].{15,}\.$/)
    assert.is(sentence(reason, 'it broke'), `it broke. ${sentence(reason, '')}`)
    assert.is(sentence(reason, 'it broke!'), `it broke! ${sentence(reason, '')}`)
  }
})

test('what the disk says becomes its reason; what is nothing known is a bug', () => {
  for (const [code, reason] of [
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EROFS', 'read_only'],
    ['EACCES', 'read_only'],
    ['EIO', 'disk_error'],
    ['EMFILE', 'disk_error'],
    ['EFBIG', 'too_big'],
    ['EWHIM', 'bug'],
    ['constructor', 'bug'],
    ['__proto__', 'bug'],
  ] as const) {
    const trouble = toTrouble(diskError(code))
    assert.is(trouble.reason, reason)
    assert.ok(reason === 'bug' || !trouble.detail.includes('/a/path'))
  }
  // AbortSignal.timeout() has a reason of its own.
  assert.is(
    toTrouble(new DOMException('The operation was aborted due to timeout', 'TimeoutError')).reason,
    'stalled',
  )
  const known = new Trouble('stalled', 'x')
  assert.is(toTrouble(known), known)
  for (const odd of ['text', 7, null, undefined, { code: 'ENOSPC' }, { code: 7 }])
    assert.is(toTrouble(odd).reason, 'bug')
  assert.is(toTrouble(Object.assign(new Error('no call of the system'), { code: 'EACCES' })).reason, 'bug')
})

test('what libuv has no name for is known by its number', () => {
  for (const [number, code, reason] of [
    [-116, 'ESTALE', 'disk_error'],
    [-117, 'EUCLEAN', 'disk_error'],
    [-122, 'EDQUOT', 'disk_full'],
  ] as const) {
    const error = diskError(`Unknown system error ${number}`)
    assert.is(codeOf(error), code)
    assert.is(toTrouble(error).reason, reason)
    assert.is(toTrouble(error).detail, `write gave ${code}`)
  }
})

test('text from outside is shown without control characters, direction marks or half characters, cut at 300', () => {
  assert.is(clean(' a\u001b[31m\r\nb\u202e\u2028\u200b '), 'a\\x1b[31m\\x0d\\x0ab\\x202e\\x2028\\x200b')
  assert.is(clean('\ud800x'), '\\xd800x')
  assert.is(clean('x'.repeat(301)).length, 300)
  assert.is(clean('x'.repeat(300)), 'x'.repeat(300))
  const cut = clean(`${'x'.repeat(298)}😀😀`)
  assert.is(cut, `${'x'.repeat(298)}…`)
})

test('a failure that was written is read as it was, its hint too, however long its detail', () => {
  for (const detail of ['', 'it broke', 'y'.repeat(500), '\u001b'.repeat(400)]) {
    const failure = toFailure(new Trouble('corrupt', detail), 0)
    assert.equal(readFailure(JSON.parse(JSON.stringify(failure))), failure)
    assert.ok(failure.message.endsWith('another replica is tried next.'))
  }
})

test('what is no failure is none', () => {
  for (const bad of [
    null,
    'x',
    {},
    { reason: 'whim', message: 'x', at: 'y' },
    { reason: 'bug', message: 7, at: 'y' },
  ])
    assert.is(readFailure(bad), undefined)
})

test('any text is safe to show and stays as it is when cleaned again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
      const shown = clean(text)
      assert.ok(shown.length <= 300)
      assert.not(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(shown))
      assert.is(clean(shown), shown)
    }),
    { numRuns: 2000 },
  )
})

test.run()
