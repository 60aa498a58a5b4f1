// config.json by hand, a full disk, and whose turn it is.

import { readFile, unlink, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Clock, openClock } from '../help/clock.ts'
import {
  type Dataset,
  dataset,
  endAll,
  type Home,
  isThere,
  openHome,
  slowDataset,
  until,
} from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'
import { sideBySide } from '../help/side-by-side.ts'

const test = suite('limits')
const all: Dataset[] = []
const one = <T extends Dataset>(made: T): T => {
  all.push(made)
  return made
}
const speed = 8
/** real ms in which a text settles, twice over */
const whileMs = 600

let clock: Clock
let grid: PracticeChild

const did = (of: Dataset): string => `${of.scope}:${of.name}`
const request = (home: Home, of: Dataset): string => home.path('requests', `${of.name}.json`)

async function troubles(home: Home): Promise<string[]> {
  return (await home.get('/status')).json['troubles'] as string[]
}

async function sent(of: Dataset): Promise<number> {
  const dids = new Set(of.files.map(file => `${file.scope}:${file.name}`))
  return (await grid.sent())
    .filter(each => dids.has(each.did))
    .reduce((sum, { from, to }) => sum + to - from, 0)
}

const brokenAtStart = one(dataset('hands.broken.at.start'))
const before = one(dataset('hands.before'))
const brokenLater = one(dataset('hands.broken.later'))
const full = one(dataset('hands.full'))
const first = one(dataset('hands.first'))
const second = one(dataset('hands.second'))
const urgent = one(dataset('hands.urgent'))
const busy = one(slowDataset('hands.busy'))
const many = one(dataset('hands.many', { files: 6, bytes: 400_000, rse: 'MANY' }))
const hasty = one(dataset('hands.hasty'))
const unread = one(dataset('hands.unread'))

test.before(async () => {
  const rses = ['FAST', 'MANY', busy.rse]
  grid = await startPracticeChild({ seed: { datasets: all, containers: [] }, rses })
  await grid.setFaults(busy.rse, { rate: 200_000 })
  await grid.setFaults('MANY', { rate: 400_000 })
  clock = openClock(speed)
})

sideBySide(test, {
  async 'with a config.json that is broken at the start nothing is fetched, and /status says why'() {
    const home = await openHome({ grid, world: clock.world, config: '{"files_at_once": ' })
    assert.is(await home.ds('POST', did(brokenAtStart)), 'downloading')
    await sleep(whileMs)
    assert.match((await troubles(home)).join(), /config\.json/)
    assert.match(String((await home.get(`/datasets/${brokenAtStart.name}`)).json['message']), /config\.json/)
    assert.not.ok(await isThere(home.path(brokenAtStart.name)))
    await writeFile(home.path('config.json'), '{"reserve_bytes": 0}')
    await home.says(did(brokenAtStart), 'local')
    assert.equal(await troubles(home), [])
    await home.end()
  },

  async 'a config.json that breaks while it runs leaves the limits as they were, and /status says why'() {
    const home = await openHome({ grid, world: clock.world })
    await home.ds('POST', did(before))
    await home.says(did(before), 'local')
    await writeFile(home.path('config.json'), '{"files_at_once": 0}')
    await until(async () => /files_at_once/.test((await troubles(home)).join()) || 'no trouble is told')
    await home.ds('POST', did(brokenLater))
    await home.says(did(brokenLater), 'local')
    await unlink(home.path('config.json'))
    await until(async () => (await troubles(home)).length === 0 || 'a trouble is told')
    await home.end()
  },

  async 'what the reserve leaves no room for waits and says why, and goes on when config.json is edited'() {
    const home = await openHome({ grid, world: clock.world, config: `{"reserve_bytes": ${2 ** 50}}` })
    await home.ds('POST', did(full))
    await until(async () => {
      const { reason, message } = (await home.get(`/datasets/${full.name}`)).json
      if (reason !== 'disk_full') return `the reason is ${reason}`
      assert.match(String(message), /20000 bytes/)
      return true
    })
    assert.is(await sent(full), 0)
    await writeFile(home.path('config.json'), '{"reserve_bytes": 0}')
    const from = clock.world.now()
    await home.says(did(full), 'local')
    assert.ok(clock.world.now() - from < 30_000, `it took ${clock.world.now() - from} ms`)
    await home.end()
  },

  async 'one at a time they come by priority, then by age'() {
    const home = await openHome({ grid, world: clock.world, config: '{' })
    const created = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()
    await writeFile(request(home, second), JSON.stringify({ created: created(100) }))
    await writeFile(request(home, first), JSON.stringify({ created: created(200) }))
    await writeFile(request(home, urgent), JSON.stringify({ priority: 5, created: created(50) }))
    await sleep(whileMs)
    await writeFile(
      home.path('config.json'),
      '{"reserve_bytes": 0, "files_at_once": 1, "datasets_at_once": 1}',
    )
    for (const each of [urgent, first, second]) await home.says(did(each), 'local')
    const bodies = (await grid.sent()).map(each => each.did)
    const begins = [urgent, first, second].map(of => bodies.indexOf(`hands:${of.files[0]?.name}`))
    assert.equal(
      begins,
      [...begins].sort((a, b) => a - b),
    )
    await home.end()
  },

  async 'two at once; what becomes urgent takes the place of the least urgent after a file, and takes nothing from it'() {
    const home = await openHome({
      grid,
      world: clock.world,
      config: '{"reserve_bytes": 0, "files_at_once": 2, "datasets_at_once": 2}',
    })
    await writeFile(request(home, busy), '{"priority": 2}')
    await until(async () => (await sent(busy)) > 0 || 'it does not come')
    await writeFile(request(home, many), '{"priority": 1}')
    await until(async () => (await sent(many)) > 0 || 'it does not come')
    await writeFile(request(home, hasty), '')
    await sleep(whileMs)
    assert.is(await sent(hasty), 0)
    await writeFile(request(home, hasty), '{"priority": 9}')
    await home.says(did(hasty), 'local')
    assert.is(await home.ds('GET', did(many)), 'downloading')
    await grid.setFaults('MANY', { rate: 0 })
    await grid.setFaults(busy.rse, { rate: 0 })
    await home.says(did(many), 'local')
    await home.says(did(busy), 'local')
    assert.is(
      await sent(many),
      many.files.reduce((sum, file) => sum + file.bytes, 0),
    )
    await home.end()
  },

  async 'a requests/ that is no folder is told once, and work goes on when it is one again'() {
    const home = await openHome({ grid, world: clock.world })
    const { rename } = await import('node:fs/promises')
    await rename(home.path('requests'), home.path('requests.away'))
    await writeFile(home.path('requests'), 'no folder')
    await until(async () => (await troubles(home)).length > 0 || 'no trouble is told')
    await sleep(whileMs)
    await unlink(home.path('requests'))
    await rename(home.path('requests.away'), home.path('requests'))
    await writeFile(request(home, unread), '')
    await home.says(did(unread), 'local')
    assert.equal(await troubles(home), [])
    const told = (await readFile(home.path('.rucio', 'logs', 'rucio_downloader.log'), 'utf8')).match(
      /looking at the data directory/g,
    )
    assert.is(told?.length, 1)
    await home.end()
  },
})

test.after(() => endAll(grid, clock))

test.run()
