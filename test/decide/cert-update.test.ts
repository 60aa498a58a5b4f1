import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nextUpdate } from '../../src/decide/cert-update.ts'

const test = suite('cert update')
const hour = 3_600_000
const now = 1000 * hour

test('when authorities and lists are renewed', () => {
  for (const [because, last, newest, next] of [
    ['it never was', null, undefined, now],
    ['a day has passed', { at: now - 30 * hour, isGood: true }, undefined, now - 6 * hour],
    ['a day has not passed', { at: now - 5 * hour, isGood: true }, undefined, now + 19 * hour],
    ['a failure is an hour old', { at: now - hour, isGood: false }, undefined, now],
    ['a failure is fresh', { at: now - hour / 2, isGood: false }, undefined, now + hour / 2],
    ['another has renewed them', null, now - 3 * hour, now + 21 * hour],
    [
      'another has renewed them since',
      { at: now - 30 * hour, isGood: true },
      now - 3 * hour,
      now + 21 * hour,
    ],
    ['another did two days ago', null, now - 48 * hour, now - 24 * hour],
    ['the clock was set back', { at: now + 48 * hour, isGood: true }, now + hour, now],
  ] as const)
    assert.is(nextUpdate(last, newest, now), next, because)
})

test.run()
