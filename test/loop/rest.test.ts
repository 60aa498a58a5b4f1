import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCatalogueRest } from '../../src/loop/rest.ts'
import { Trouble } from '../../src/words/reason.ts'
import { stoppedWorld } from '../help/dataset.ts'

const test = suite('catalogue at rest')

test('a failure of the whole begins a rest, which doubles; one file of many says nothing of the whole', () => {
  const world = stoppedWorld()
  const rest = openCatalogueRest(world)
  assert.is(rest.failed(new Trouble('bad_listing', 'x')), false)
  assert.is(rest.seen().until, 0)
  assert.is(rest.failed(new Trouble('host_down', 'x')), true)
  const first = rest.seen().until - world.now()
  assert.ok(first > 0 && first <= 5000, String(first))
  world.move(first)
  rest.failed(new Trouble('host_down', 'x'))
  assert.ok(rest.seen().until - world.now() > 5000)
  rest.worked()
  assert.is(rest.seen().until, 0)
})

test('a clock that was set back does not make the rest longer', () => {
  const world = stoppedWorld()
  const rest = openCatalogueRest(world)
  rest.failed(new Trouble('offline', 'x'))
  world.move(-86_400_000)
  assert.ok(rest.seen().until <= world.now(), 'a probe is due')
  assert.is(rest.seen().reason, 'offline')
})

test.run()
