// The daemon is killed at any instant while wishes, removals, editors and careless hands go on, and started again: what was answered
// holds, what has a name is right, what was synced is not fetched again, and nothing is left lying about.
//
// ROUNDS=2000 drives it on, SEED=… makes the same choices again, KEEP=1 leaves the data directory of a failed run.

import { randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startDaemon } from '../help/daemon.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'
import { practiceEnv } from '../help/practice-env.ts'
import { waitForWords, type Web } from './asks.ts'
import { openChance } from './chance.ts'
import { type Hand, mendAll, seeAnswers } from './hands.ts'
import { openLedger } from './ledger.ts'
import { ageLock, bustle, isSettled, weather } from './life.ts'
import { openLooks } from './looks.ts'
import { Model } from './model.ts'
import { untidy } from './tidy.ts'
import { makeUniverse } from './universe.ts'

const rounds = Number(process.env['ROUNDS'] ?? 40)
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 32))
const rses = ['FAST', 'SLOW']
/** Every so many rounds the lock of the killed one is not aged: the restart really waits for it. */
const patientEvery = 20
const test = suite(`killed ${rounds} times`)

test('nothing that was answered, synced or named is lost', async () => {
  console.log(`SEED=${seed}`)
  const chance = openChance(seed)
  const universe = makeUniverse(chance, { datasets: 4, files: 60, bigMib: [20, 70], rses })
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-crash-'))
  const grid = await startPracticeChild({ seed: universe.seed, rses })
  const run = await openRun(dir, grid, new Model(universe.datasets), chance)
  let good = false
  try {
    for (let round = 1; round <= rounds; round++) {
      await run.round(round)
      assert.equal(run.faults, [], `round ${round} of SEED=${seed}`)
    }
    await run.finale()
    assert.equal(run.faults, [], `in the end of SEED=${seed}`)
    good = true
  } finally {
    await grid.stop()
    console.log(run.summary())
    if (good || process.env['KEEP'] === undefined) await rm(dir, { recursive: true, force: true })
    else console.log(`left: ${dir}`)
  }
})

async function openRun(
  dir: string,
  grid: PracticeChild,
  model: Model,
  chance: ReturnType<typeof openChance>,
) {
  const data = join(dir, 'data')
  await import('node:fs/promises').then(fs => fs.mkdir(data))
  await writeFile(join(data, 'config.json'), '{"reserve_bytes": 0, "datasets_at_once": 3}\n')
  const env = { ...(await practiceEnv(grid, dir)), DESKTOP_RUCIO_CHECKPOINT_MS: '300' }
  const looks = openLooks(data, model)
  const ledger = openLedger(data, model)
  const hand: Hand = { data, model, chance, looks }
  const faults: string[] = []
  const starts: number[] = []
  const ends: number[] = []
  let kept = 0
  const web = (url: string): Web => ({ url, model, looks, fault: text => void faults.push(text) })

  async function round(number: number): Promise<void> {
    for (const rse of rses) await grid.setFaults(rse, weather(chance))
    const daemon = startDaemon({ data, env })
    const stop = new AbortController()
    const patient = number % patientEvery === 1 && number > 1
    let busy = bustle(hand, undefined, stop.signal)
    // Some die while they start.
    if (chance.is(0.15) && !patient) await sleep(chance.between(50, 600))
    else {
      const url = await Promise.race([daemon.ready, sleep(15_000, undefined, { ref: false })])
      if (url === undefined) faults.push(`not at work within 15 s: ${daemon.said()}`)
      else {
        stop.abort()
        await busy
        const ready = daemon.readyMs() ?? 0
        ;(patient ? ends : starts).push(ready)
        if (ready > 10_000) faults.push(`at work after ${Math.round(ready)} ms`)
        await noOtherStaging()
        const living = new AbortController()
        busy = bustle(hand, web(url), living.signal)
        await sleep(chance.between(50, 2500))
        if (daemon.hasEnded()) faults.push(`it ended by itself: ${daemon.said()}`)
        await die(daemon, chance.is(0.12))
        living.abort()
      }
    }
    stop.abort()
    if (!daemon.hasEnded()) await daemon.kill()
    await busy
    await look()
    const next = (number + 1) % patientEvery === 1
    if (!next) await ageLock(data)
  }
  return { round, finale, summary, faults }
}
