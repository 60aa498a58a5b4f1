// As kill.crash.ts, with storages that speak XRootD alone: the daemon is killed while xrdcp brings its bytes.

import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startPracticeChild } from '../help/practice-child.ts'
import { openChance } from './chance.ts'
import { Model } from './model.ts'
import { openRun } from './run.ts'
import { makeUniverse } from './universe.ts'
import { playXrdcp } from './xrdcp.ts'

const rounds = Number(process.env['ROUNDS'] ?? 12)
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 32))
const rses = ['FAST', 'SLOW']
const test = suite(`killed ${rounds} times beside xrdcp`)

test('nothing that was answered, synced or named is lost', async () => {
  console.log(`SEED=${seed}`)
  const chance = openChance(seed)
  const universe = makeUniverse(chance, { datasets: 3, files: 20, bigMib: [20, 70], rses, corrupt: 0.05 })
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-crash-'))
  const grid = await startPracticeChild({
    seed: universe.seed,
    rses,
    schemes: Object.fromEntries(rses.map(rse => [rse, ['root']])),
  })
  let good = false
  try {
    const run = await openRun({
      dir,
      grid,
      rses,
      model: new Model(universe.datasets),
      chance,
      env: { PATH: await playXrdcp(dir) },
    })
    try {
      for (let round = 1; round <= rounds; round++) none(await run.round(round), `round ${round}`)
      none(await run.finale(), 'the end')
      good = true
    } finally {
      console.log(run.summary())
    }
  } finally {
    await grid.stop()
    if (good || process.env['KEEP'] === undefined) await rm(dir, { recursive: true, force: true })
    else console.log(`left: ${dir}`)
  }
})

function none(faults: readonly string[], when: string): void {
  if (faults.length > 0)
    assert.unreachable(
      [`${faults.length} faults in ${when} of SEED=${seed}:`, ...faults.slice(0, 40)].join('\n'),
    )
}

test.run()
