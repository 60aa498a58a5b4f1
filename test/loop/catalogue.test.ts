// A catalogue that is down, DIDs that come to be known, and datasets that grow. On a clock that is pushed over the hours.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Seed } from '../../src/practice/grid.ts'
import { type Clock, openClock } from '../help/clock.ts'
import {
  type Dataset,
  dataset,
  endAll,
  goes,
  type Home,
  isRight,
  openHome,
  slowDataset,
  until,
} from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'

const test = suite('the catalogue and time')
const hourMs = 3_600_000
const six = Array.from({ length: 6 }, (_, i) => dataset(`hands.six.${i}`, { files: 2 }))
const late = dataset('hands.late')
const open = dataset('hands.open', { files: 4, open: true })
const children = [dataset('hands.child.a'), dataset('hands.child.b'), dataset('hands.child.c')] as const
const container = { scope: 'hands', name: 'hands.container' }
const inWork = { ...slowDataset('hands.in.work'), open: true }
const more = dataset('hands.more', { files: 1 })
const slow = slowDataset('hands.slow')
const closed = dataset('hands.closed')

let clock: Clock
let grid: PracticeChild
let home: Home

const did = (of: { readonly scope: string; readonly name: string }): string => `${of.scope}:${of.name}`

function seed(datasets: readonly Dataset[], inContainer: number): Seed {
  const parts = children.slice(0, inContainer)
  return {
    datasets: [...datasets, ...parts],
    containers: [{ ...container, children: parts.map(({ scope, name }) => ({ scope, name })) }],
  }
}

const cut = (of: Dataset, files: number): Dataset => ({ ...of, files: of.files.slice(0, files) })
const always = [...six, slow, closed]

async function sent(of: Dataset): Promise<number> {
  const dids = new Set(of.files.map(file => `${file.scope}:${file.name}`))
  return (await grid.sent())
    .filter(each => dids.has(each.did))
    .reduce((sum, { from, to }) => sum + to - from, 0)
}

const size = (of: Dataset): number => of.files.reduce((sum, file) => sum + file.bytes, 0)

async function isWhole(of: { readonly scope: string; readonly name: string }): Promise<void> {
  await home.says(did(of), 'local')
  await goes(home.path('requests', `${of.name}.json`))
}

/** Nothing is under way, so that no network call is cut short when the clock is pushed. */
async function later(ms: number): Promise<void> {
  await until(async () => {
    const calls = (await grid.calls()).length
    await sleep(150)
    return (await grid.calls()).length === calls || 'the catalogue is asked all the time'
  })
  clock.push(ms)
}

test.before(async () => {
  grid = await startPracticeChild({
    seed: seed([...always, cut(open, 2), inWork], 2),
    rses: ['FAST', inWork.rse, slow.rse],
  })
  await grid.setFaults(inWork.rse, { rate: 200_000 })
  clock = openClock(8)
})

test('while the catalogue is down one probe is made for all, and everything arrives when it is up', async () => {
  await grid.setCatalogue({ status: 503 })
  home = await openHome({ grid, world: clock.world })
  for (const each of six) assert.is(await home.ds('POST', did(each)), 'downloading')
  await until(async () => {
    const seen = await Promise.all(
      six.map(async each => (await home.get(`/datasets/${each.name}`)).json['reason']),
    )
    return seen.every(each => each === 'host_down') || `the reasons are ${seen}`
  })
  const from = clock.world.now()
  const calls = (await grid.calls()).length
  await until(async () => clock.world.now() - from > 15_000 || 'a quarter of a minute has not passed')
  // After 5 s, 10 s, 20 s, …: some three probes, each with its login; six datasets on their own would make dozens of calls.
  const probes = (await grid.calls()).length - calls
  assert.ok(probes <= 9, `${probes} calls`)
  assert.ok(((await home.get('/status')).json['troubles'] as string[]).length > 0)
  await grid.setCatalogue({ status: 0 })
  for (const each of six) await isWhole(each)
  assert.equal((await home.get('/status')).json['troubles'], [])
})

test('a catalogue that is down at the start is waited for', async () => {
  await grid.setCatalogue({ down: true })
  const other = await openHome({ grid, world: clock.world })
  await other.ds('POST', did(closed))
  await until(async () => {
    const { reason } = (await other.get(`/datasets/${closed.name}`)).json
    return reason === 'host_down' || reason === 'offline' || `the reason is ${reason}`
  })
  await grid.setCatalogue({ down: false })
  await other.says(did(closed), 'local')
  await other.end()
})

test('what Rucio does not know is asked for again after an hour, then after two, and comes when it is known', async () => {
  assert.is(await home.ds('POST', did(late)), 'downloading')
  await home.says(did(late), 'does_not_exist')
  const asks = async (): Promise<number> =>
    (await grid.calls()).filter(call => call.includes(late.name)).length
  const first = await asks()
  assert.is(await home.ds('POST', did(late)), 'does_not_exist')
  await sleep(300)
  assert.is(await asks(), first, 'a fresh answer is not asked for again')
  await later(hourMs + 1000)
  await until(async () => (await asks()) > first || 'it is not asked for again')
  await home.says(did(late), 'does_not_exist')
  const answer = await readFile(home.path('.rucio', 'catalogue', `${late.name}.jsonl`), 'utf8')
  const { until: end, fetched, tries } = JSON.parse(answer)
  assert.is(tries, 2)
  assert.ok(Math.abs(Date.parse(end) - Date.parse(fetched) - 2 * hourMs) < 5000, `${fetched} to ${end}`)
  await grid.setSeed(seed([...always, cut(open, 2), inWork, late], 2))
  await later(2 * hourMs + 1000)
  await isWhole(late)
  assert.is(await isRight(home.path(late.name), late), true)
})

test('an open dataset that has grown brings what is new after an hour, and fetches nothing twice', async () => {
  await home.ds('POST', did(open))
  await isWhole(open)
  assert.is(await isRight(home.path(open.name), cut(open, 2)), true)
  await grid.setSeed(seed([...always, inWork, late, open], 2))
  assert.is(await home.ds('POST', did(open)), 'local', 'its listing is fresh')
  await sleep(300)
  assert.is(await home.ds('GET', did(open)), 'local')
  await later(hourMs + 1000)
  await home.ds('POST', did(open))
  await until(async () => (await isRight(home.path(open.name), open)) === true || 'the new files do not come')
  await isWhole(open)
  assert.is(await sent(open), size(open))
})

test('a container that has grown brings what is new after an hour, and fetches nothing twice', async () => {
  await home.ds('POST', did(container))
  await isWhole(container)
  await grid.setSeed(seed([...always, inWork, late, open], 3))
  await later(hourMs + 1000)
  await home.ds('POST', did(container))
  const all = { ...children[0], files: children.flatMap(each => each.files) }
  await until(
    async () => (await isRight(home.path(container.name), all)) === true || 'the new files do not come',
  )
  await isWhole(container)
  assert.is(await sent(all), size(all))
})

test('GET /dsfiles after an hour finds what has grown, too, and the dataset is whole by the new listing only', async () => {
  const fewer = { ...open, name: 'hands.open.again', files: open.files.slice(0, 1) }
  const all = { ...fewer, files: open.files }
  await grid.setSeed(seed([...always, inWork, late, fewer], 3))
  await home.ds('POST', did(fewer))
  await isWhole(fewer)
  await grid.setSeed(seed([...always, inWork, late, all], 3))
  await later(hourMs + 1000)
  const files = async (): Promise<unknown> => (await home.get(`/dsfiles?ds_name=${did(fewer)}`)).json
  await until(async () => {
    const said = JSON.stringify(await files())
    return said.includes(open.files[3]?.name ?? '') || said
  })
  await until(async () => (await isRight(home.path(fewer.name), all)) === true || 'the new files do not come')
  await isWhole(fewer)
})

test('an open dataset that grows while it comes is whole with what was new when it was asked for again', async () => {
  await home.ds('POST', did(inWork))
  await until(async () => (await sent(inWork)) > 0 || 'it does not come')
  const grown = { ...inWork, files: [...inWork.files, ...more.files] }
  await grid.setSeed(seed([...always, late, open, grown], 3))
  await later(hourMs + 1000)
  assert.is(await home.ds('POST', did(inWork)), 'downloading')
  await grid.setFaults(inWork.rse, { rate: 0 })
  await isWhole(inWork)
  assert.is(await isRight(home.path(inWork.name), grown), true)
  assert.is(await sent(more), size(more))
  assert.ok((await sent(inWork)) < size(inWork) + 300_000, `${await sent(inWork)} bytes`)
})

test('a closed dataset is never asked for again', async () => {
  await home.ds('POST', did(closed))
  await isWhole(closed)
  const asks = async (): Promise<number> =>
    (await grid.calls()).filter(call => call.includes(`${closed.name}/`)).length
  const first = await asks()
  await later(48 * hourMs)
  assert.is(await home.ds('POST', did(closed)), 'local')
  await sleep(300)
  assert.is(await asks(), first)
})

test.after(() => endAll(grid, clock))

test.run()
