// All that hands and clients do, at once and at random, in one life of the daemon: what was answered holds in the end, and nothing is
// left lying about. SEED=… makes the same choices again. (test/crash does the same, and kills.)

import { randomInt } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Web, waitForWords } from '../crash/asks.ts'
import { openChance } from '../crash/chance.ts'
import { type Hand, keptAside, mendAll, seeAnswers } from '../crash/hands.ts'
import { bustle, isSettled } from '../crash/life.ts'
import { openLooks } from '../crash/looks.ts'
import { Model } from '../crash/model.ts'
import { untidy } from '../crash/tidy.ts'
import { makeUniverse } from '../crash/universe.ts'
import { type Clock, openClock } from '../help/clock.ts'
import { endAll, openHome, until } from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'

const test = suite('hands and clients at random')
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 32))
const busyMs = Number(process.env['BUSY_MS'] ?? 2500)
const rses = ['FAST', 'SLOW']
const chance = openChance(seed)
const universe = makeUniverse(chance, { datasets: 3, files: 16, bigMib: [1, 3], rses, corrupt: 0.05 })

let clock: Clock
let grid: PracticeChild

test.before(async () => {
  grid = await startPracticeChild({ seed: universe.seed, rses })
  clock = openClock(3)
})

test(`what was answered holds in the end (SEED=${seed})`, async () => {
  await grid.setFaults('SLOW', { rate: 3_000_000, dropEvery: 1_000_000 })
  await grid.setFaults('FAST', { rate: 10_000_000 })
  const home = await openHome({ grid, world: clock.world })
  const model = new Model(universe.datasets)
  const acts = recordActs(model)
  const looks = openLooks(home.dir, model)
  const hand: Hand = { data: home.dir, model, chance, looks }
  const faults: string[] = []
  const web: Web = { url: home.url(), model, looks, fault: text => void faults.push(text) }
  const living = new AbortController()
  const busy = bustle(hand, web, living.signal)
  await sleep(busyMs)
  living.abort()
  await busy
  for (const rse of rses) await grid.setFaults(rse, { rate: 0, dropEvery: 0 })
  await mendAll(hand)
  const late = await waitForWords(
    web,
    async (known, word) => {
      await seeAnswers(hand)
      return isSettled(model, known, word) && !model.isAwaited(known.name)
    },
    30_000,
  )
  faults.push(...late)
  for (const known of model.all)
    if (model.isOnly(known.name, 'whole'))
      faults.push(...(await looks.missing(known)).map(each => `${known.name}: ${each}`))
  // What has been mended settles, requests move to their datasets, answers follow.
  await until(async () => {
    const left = await untidy({ data: home.dir, model, when: 'rest' }).catch(error => [String(error)])
    return left.length === 0 || left.join('; ')
  }).catch(error => faults.push(String(error)))
  const webLog = await readFile(home.path('.rucio', 'logs', 'web_server.log'), 'utf8')
  for (const file of await readdir(home.path('requests')))
    acts.push(`requests/${file}: ${await readFile(home.path('requests', file), 'utf8').catch(String)}`)
  acts.push(JSON.stringify((await home.get('/datasets')).json))
  assert.is(await home.end(), 0)
  faults.push(...(await looks.everything()))
  faults.push(...(await untidy({ data: home.dir, model, when: 'rest' })), ...(await keptAside(hand)))
  if (faults.length > 0)
    assert.unreachable([`SEED=${seed}`, ...faults.slice(0, 30), ...acts, await home.log(), webLog].join('\n'))
})

/** What a failure is told with: each act, when it was done and what it means for its NAME. */
function recordActs(model: Model): string[] {
  const acts: string[] = []
  const is = model.is.bind(model)
  const may = model.may.bind(model)
  model.is = (name, end) => {
    acts.push(`${new Date(clock.world.now()).toISOString()} ${name} is ${end}`)
    is(name, end)
  }
  model.may = (name, end) => {
    acts.push(`${new Date(clock.world.now()).toISOString()} ${name} may be ${end}`)
    may(name, end)
  }
  return acts
}

test.after(() => endAll(grid, clock))

test.run()
