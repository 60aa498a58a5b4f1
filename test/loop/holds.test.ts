import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHolds } from '../../src/loop/holds.ts'
import { stoppedWorld } from '../help/dataset.ts'

const test = suite('holds')
const adopt = { kind: 'adopt', name: 'a' } as const
const failure = { reason: 'disk_error', message: 'The disk gave an error.' } as const

test('an action that failed is held for a minute, and says why; another kind of action is not', () => {
  const world = stoppedWorld()
  const holds = openHolds(world)
  assert.is(holds.nextEndsAt(), Number.POSITIVE_INFINITY)
  holds.failed(adopt, 'a', failure)
  assert.equal([...holds.keys()], ['adopt a'])
  assert.is(holds.nextEndsAt(), world.now() + 60_000)
  assert.equal(holds.failureOf('a'), failure)
  assert.is(holds.failureOf('b'), undefined)
  world.move(60_000)
  assert.equal([...holds.keys()], [])
  assert.is(holds.failureOf('a'), undefined)
})

test('one whose request has just been changed is held until that has settled, without a failure', () => {
  const world = stoppedWorld()
  const holds = openHolds(world)
  holds.changed(adopt, 'a')
  assert.is(holds.nextEndsAt(), world.now() + 2000)
  assert.is(holds.failureOf('a'), undefined)
  world.move(2000)
  assert.equal([...holds.keys()], [])
})

test('a clock that is set back ends a hold', () => {
  const world = stoppedWorld()
  const holds = openHolds(world)
  holds.failed(adopt, 'a', failure)
  world.move(-3_600_000)
  assert.equal([...holds.keys()], [])
})

test.run()
