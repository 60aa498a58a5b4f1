import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  afterHostFailure,
  afterHostSuccess,
  dueAt,
  freshHost,
  longestRestMs,
  nextTryAt,
  readRetryAfter,
  restsUntil,
} from '../../src/decide/backoff.ts'

const test = suite('backoff')
const now = Date.parse('2026-03-01T10:00:00Z')

test('waits double from 5 seconds to 5 minutes, half to all of it by chance', () => {
  for (const [failures, wholeMs] of [
    [1, 5_000],
    [2, 10_000],
    [4, 40_000],
    [7, 300_000],
    [5000, 300_000],
  ] as const) {
    assert.is(nextTryAt(now, failures, 0) - now, wholeMs / 2)
    assert.ok(nextTryAt(now, failures, 0.999999) - now <= wholeMs)
  }
})

test('a host rests longer with each failure, and not at all after a success', () => {
  const once = afterHostFailure(freshHost('se:443'), { now, chance: 0 })
  assert.is(restsUntil(once, now), now + 2_500)
  const twice = afterHostFailure(once, { now: now + 3_000, chance: 0 })
  assert.is(restsUntil(twice, now + 3_000), now + 8_000)
  assert.is(restsUntil(afterHostSuccess(twice, undefined), now), 0)
})

test('failures of requests that ran side by side are one failure', () => {
  let host = afterHostFailure(freshHost('se:443'), { now, chance: 0 })
  for (let i = 0; i < 8; i++) host = afterHostFailure(host, { now: now + i, chance: 0 })
  assert.is(host.failures, 1)
  assert.is(restsUntil(host, now), now + 2_500)
})

test('a Retry-After is obeyed up to 5 minutes', () => {
  const asked = (askedMs: number) =>
    restsUntil(afterHostFailure(freshHost('se:443'), { now, chance: 0, askedMs }), now) - now
  assert.is(asked(60_000), 60_000)
  assert.is(asked(86_400_000), longestRestMs)
  assert.is(asked(0), 2_500)
  assert.is(readRetryAfter('120', now), 120_000)
  assert.is(readRetryAfter('Sun, 01 Mar 2026 10:00:30 GMT', now), 30_000)
  assert.is(readRetryAfter('soon', now), undefined)
  assert.is(readRetryAfter(undefined, now), undefined)
})

test('a rest that ends further away than any rest lasts is that of a clock that jumped', () => {
  assert.is(restsUntil({ ...freshHost('se:443'), rest_until: '2036-03-01T10:00:00Z' }, now), 0)
  assert.is(restsUntil({ ...freshHost('se:443'), rest_until: 'never' }, now), 0)
})

test('what counts as now is due for whoever has looked at the clock a while before, too', () => {
  assert.is(dueAt(now + longestRestMs, now), now + longestRestMs)
  const due = dueAt(now + 86_400_000, now)
  assert.ok(
    due < now - 60_000,
    'a pass asks at its beginning what the time is, and reads the disk after that',
  )
  assert.is.not(due, 0, 'which means that nothing waits')
})

test('one lucky file does not make a rate', () => {
  const slow = afterHostSuccess(freshHost('se:443'), 1_000)
  assert.is(slow.rate, 1_000)
  assert.is(afterHostSuccess(slow, 101_000).rate, 26_000)
})

test.run()
