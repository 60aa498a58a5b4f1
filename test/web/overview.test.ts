import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openOverview } from '../../src/web/overview.ts'
import type { View } from '../../src/web/view.ts'

const test = suite('overview')

function bench(ms: number) {
  const names = new Set(['b', 'a'])
  let looks = 0
  const overview = openOverview(
    async () => {
      looks++
      return names
    },
    async name => {
      await sleep(ms)
      return { name, state: 'waiting', unfinished: [{}] } as unknown as View
    },
  )
  return { names, overview, looks: () => looks }
}

test('fifty who ask at once are one look or two, and it is believed for a moment', async () => {
  const { overview, looks } = bench(60)
  const all = await Promise.all(Array.from({ length: 50 }, () => overview.get()))
  assert.ok(looks() <= 2, `${looks()} looks`)
  assert.equal(
    all[49]?.map(each => each.name),
    ['a', 'b'],
  )
  assert.not.ok('unfinished' in (all[0]?.[0] ?? {}))
  const before = looks()
  await overview.get()
  assert.is(looks(), before)
  await sleep(500)
  await overview.get()
  assert.is(looks(), before + 1)
})

test('after a wish the next answer shows it, also when a look was under way', async () => {
  const { overview, names } = bench(60)
  const early = overview.get()
  await sleep(20)
  names.add('c')
  overview.drop()
  const [, later] = await Promise.all([early, overview.get()])
  assert.is(later.length, 3)
  assert.is((await overview.get()).length, 3)
})

test.run()
