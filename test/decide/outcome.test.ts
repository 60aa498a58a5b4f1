import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { afterFailure, afterStrike } from '../../src/decide/outcome.ts'
import { emptySidecar, readSidecar } from '../../src/words/part.ts'
import { type Reason, Trouble } from '../../src/words/reason.ts'

const test = suite('outcome')
const now = Date.parse('2026-03-01T10:00:00Z')
const sidecar = { ...emptySidecar('s:f', 10), tries: 2 }

function after(
  reasons: readonly [Reason, ...Reason[]],
  more: { progressed?: boolean; restUntil?: number } = {},
) {
  const [first, ...rest] = reasons
  return afterFailure(sidecar, {
    troubles: [new Trouble(first, 'x'), ...rest.map(each => new Trouble(each, 'x'))],
    progressed: more.progressed ?? false,
    restUntil: more.restUntil,
    now,
    chance: 0,
  })
}

test('a try without progress counts, and the next one is further away', () => {
  const { sidecar: next, costs, nextTryAt } = after(['no_replica'])
  assert.ok(costs)
  assert.is(next.tries, 3)
  assert.is(nextTryAt - now, 10_000)
  assert.is(next.next_try, '2026-03-01T10:00:10.000Z')
  assert.is(next.error?.reason, 'no_replica')
  assert.equal(readSidecar(next), next)
})

test('a try that brought bytes begins the count anew', () => {
  const { sidecar: next, costs, nextTryAt } = after(['stalled'], { progressed: true })
  assert.not.ok(costs)
  assert.is(next.tries, 0)
  assert.is(nextTryAt - now, 2_500)
})

test('hosts at rest use up no try of the file, which waits for the end of the rest', () => {
  const { sidecar: next, costs, nextTryAt } = after(['host_down'], { restUntil: now + 7 })
  assert.not.ok(costs)
  assert.is(next.tries, 2)
  assert.is(nextTryAt, now + 7)
})

test('what is not the fault of the file uses up no try', () => {
  for (const reason of ['auth', 'offline', 'disk_full', 'read_only'] as const) {
    const { costs, sidecar: next } = after([reason])
    assert.not.ok(costs)
    assert.is(next.tries, 2)
  }
})

test('of several failures the one that a person can mend is told', () => {
  assert.is(after(['no_replica', 'disk_full']).failure.reason, 'disk_full')
  assert.is(after(['host_down', 'corrupt', 'no_replica']).failure.reason, 'corrupt')
  assert.is(after(['unsupported']).failure.reason, 'unsupported')
})

test('strikes are counted by RSE', () => {
  const twice = afterStrike(afterStrike(afterStrike(sidecar, 'A', now), 'B', now), 'A', now + 1000)
  assert.equal(twice.strikes, [
    { rse: 'B', count: 1, at: '2026-03-01T10:00:00.000Z' },
    { rse: 'A', count: 2, at: '2026-03-01T10:00:01.000Z' },
  ])
  assert.equal(readSidecar(twice), twice)
})

test.run()
