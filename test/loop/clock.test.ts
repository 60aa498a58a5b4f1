// Records that bear times of a clock which was wrong: nothing waits for them.

import { mkdir, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openRoot } from '../../src/disk/root.ts'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { temporary, world } from '../help/data.ts'
import { didOf, missingText } from '../help/dataset.ts'
import { appears, dataset, endAll, isRight, openHome, until } from '../help/home.ts'

const test = suite('a clock that was wrong')

const far = '2099-01-01T00:00:00.000Z'
const lost = dataset('hands.lost', { files: 1 })
const late = dataset('hands.late', { files: 1 })
const back = dataset('hands.back', { files: 1 })
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({ seed: { datasets: [lost, late, back], containers: [] }, rses: ['FAST'] })
})
test.after(() => endAll(grid))

test('a `does not exist` until 2099, and a host at rest until then, hold nothing up', async () => {
  const dir = await temporary()
  await openRoot({ dir, fenced: false, world })
  for (const folder of ['catalogue', 'hosts']) await mkdir(`${dir}/.rucio/${folder}`)
  await writeFile(
    `${dir}/.rucio/catalogue/${lost.name}.jsonl`,
    missingText(didOf(`hands:${lost.name}`), Date.parse(far)),
  )
  const host = { format: 1, host: grid.rse('FAST'), failures: 3, rest_until: far, rate: null }
  await writeFile(`${dir}/.rucio/hosts/${host.host.replace(':', '=')}.json`, JSON.stringify(host))
  const home = await openHome({ grid, world, dir })
  try {
    for (const each of [lost, late]) {
      await home.ds('POST', `hands:${each.name}`)
      await home.says(`hands:${each.name}`, 'local')
      assert.is(await isRight(home.path(each.name), each), true)
    }
  } finally {
    await home.end()
  }
})

test('a clock that is set back by a day while a storage and the catalogue rest makes no rest longer', async () => {
  let offset = 0
  const home = await openHome({ grid, world: { now: () => Date.now() + offset, chance: () => 0.5 } })
  try {
    await grid.setFaults('FAST', { dead: true })
    await home.ds('POST', `hands:${back.name}`)
    await appears(home.path(back.name, '.rucio', 'parts', `${back.files[0]?.name}.json`))
    await grid.setCatalogue({ down: true })
    await home.ds('POST', `hands:${late.name}`)
    await until(
      async () =>
        JSON.stringify((await home.get('/status')).json['troubles']).includes('refuses') || 'no trouble',
    )
    offset = -86_400_000
    await grid.setFaults('FAST', { dead: false })
    await grid.setCatalogue({ down: false })
    for (const each of [back, late]) await home.says(`hands:${each.name}`, 'local')
  } finally {
    await home.end()
  }
})

test.run()
