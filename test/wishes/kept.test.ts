import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { keep } from '../../src/wishes/kept.ts'
import { rejects } from '../help/data.ts'
import { stoppedWorld } from '../help/dataset.ts'

const test = suite('kept')

/** Looks that take `tookMs` on a clock that stands still otherwise. */
function open(tookMs: number, most = 1000) {
  const world = stoppedWorld(0)
  const seen = { looks: 0, stamp: 'a', during: async () => undefined as unknown }
  const kept = keep<number>({
    look: async () => {
      seen.looks++
      const value = seen.looks
      await seen.during()
      world.move(tookMs)
      return value
    },
    stamp: async () => seen.stamp,
    world,
    weight: () => 10,
    most,
  })
  return { world, seen, kept }
}

test('an answer is kept 20 times as long as it took, within 2 and 60 s', async () => {
  for (const [tookMs, keptMs] of [
    [0, 2000],
    [1, 2000],
    [500, 10_000],
    [9000, 60_000],
  ] as const) {
    const { world, kept } = open(tookMs)
    assert.is(await kept.get('x'), 1)
    world.move(keptMs - 1)
    assert.is(await kept.get('x'), 1)
    world.move(1)
    assert.is(await kept.get('x'), 2)
  }
})

test('a new stamp, an event of the name or of all, and a clock that goes back end it', async () => {
  const { world, seen, kept } = open(0)
  assert.is(await kept.get('x'), 1)
  seen.stamp = 'b'
  assert.is(await kept.get('x'), 2)
  kept.drop('y')
  assert.is(await kept.get('x'), 2)
  kept.drop('x')
  assert.is(await kept.get('x'), 3)
  kept.drop()
  assert.is(await kept.get('x'), 4)
  world.move(-1)
  assert.is(await kept.get('x'), 5)
})

test('who asks at the same time shares one look, and after an event one that began before it is not shared or kept', async () => {
  const { seen, kept } = open(0)
  let go: () => void = () => undefined
  seen.during = () =>
    new Promise<void>(resolve => {
      go = resolve
    })
  const first = kept.get('x')
  const second = kept.get('x')
  while (seen.looks < 1) await new Promise(setImmediate)
  await new Promise(setImmediate)
  const endFirst = go
  kept.drop('x')
  const third = kept.get('x')
  while (seen.looks < 2) await new Promise(setImmediate)
  endFirst()
  assert.equal(await Promise.all([first, second]), [1, 1])
  go()
  assert.is(await third, 2)
  seen.during = async () => undefined
  assert.is(await kept.get('x'), 2)
})

test('a change that comes during a look is not hidden by it', async () => {
  const { seen, kept } = open(0)
  seen.during = async () => {
    seen.stamp = 'b'
  }
  assert.is(await kept.get('x'), 1)
  assert.is(await kept.get('x'), 2)
})

test('an error is given to whoever asked, and not kept', async () => {
  const { seen, kept } = open(0)
  seen.during = async () => {
    throw new Error('EIO')
  }
  assert.match(String(await rejects(kept.get('x'))), /EIO/)
  seen.during = async () => undefined
  assert.is(await kept.get('x'), 2)
})

test('the oldest go when all are too much', async () => {
  const { seen, kept } = open(0, 25)
  for (const name of ['a', 'b', 'c']) await kept.get(name)
  assert.is(seen.looks, 3)
  await kept.get('c')
  await kept.get('b')
  assert.is(seen.looks, 3)
  await kept.get('a')
  assert.is(seen.looks, 4)
})

test.run()
