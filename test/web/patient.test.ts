// Views that take long to find: who polls has the last one, and a wish counts at once.

import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { patient } from '../../src/web/patient.ts'
import { rejects } from '../help/data.ts'

const test = suite('patient')
const trueNow = performance.now.bind(performance)
let ahead = 0
test.before.each(() => {
  ahead = 0
  performance.now = () => trueNow() + ahead
})
test.after(() => {
  performance.now = trueNow
})

/** Looks that take `ms` of the clock each, and give 1, 2, 3, …; `held` ends them. */
function looks(ms: number) {
  let count = 0
  const drops: (string | undefined)[] = []
  const waits: (() => void)[] = []
  const views = patient<number>({
    async get() {
      const mine = ++count
      await new Promise<void>(resolve => waits.push(resolve))
      ahead += ms
      return mine
    },
    drop: name => void drops.push(name),
  })
  const end = async (): Promise<void> => {
    for (const each of waits.splice(0)) each()
    await sleep(0)
  }
  return { views, drops, end, count: () => count }
}

test('a view that took long is given again past a change, then while the next one is found', async () => {
  const { views, drops, end, count } = looks(1000)
  const first = views.get('a')
  await end()
  assert.is(await first, 1)
  views.changed('a')
  assert.equal(drops, ['a'])
  ahead += 4900
  assert.is(await views.get('a'), 1)
  assert.is(count(), 1)
  ahead += 200
  assert.is(await views.get('a'), 1)
  assert.is(count(), 2)
  await end()
  assert.is(await views.get('a'), 2)
})

test('one that nobody has asked for in long is waited for', async () => {
  const { views, end } = looks(1000)
  const first = views.get('a')
  await end()
  await first
  ahead += 10_100
  const second = views.get('a')
  await end()
  assert.is(await second, 2)
})

test('a wish drops it, the look under way too', async () => {
  const { views, end } = looks(1000)
  const first = views.get('a')
  await end()
  await first
  views.drop('a')
  const second = views.get('a')
  views.drop()
  await end()
  assert.is(await second, 2)
  const third = views.get('a')
  await end()
  assert.is(await third, 3)
})

test('a view that is found quickly is never kept here', async () => {
  const { views, end, count } = looks(10)
  for (const nth of [1, 2]) {
    const view = views.get('a')
    await end()
    assert.is(await view, nth)
  }
  void views.get('a')
  void views.get('a')
  assert.is(count(), 4)
  await end()
})

test('a look that failed is told to whoever waits, and made anew', async () => {
  let fails = true
  const views = patient<number>({
    async get() {
      ahead += 1000
      if (fails) throw new Error('no disk')
      return 1
    },
    drop() {},
  })
  assert.match(String(await rejects(views.get('a'))), 'no disk')
  fails = false
  assert.is(await views.get('a'), 1)
})

test.run()
