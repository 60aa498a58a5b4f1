// The harness of kill*.crash.ts: a universe, a practice grid and a daemon that is killed again and again while wishes, removals, editors
// and careless hands go on. One function for every engine; the rules of what must hold are in the files that run.ts calls.
//
// ROUNDS=2000 drives it on, SEED=… makes the same choices again, KEEP=1 leaves the data directory of a failed run.

import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { startPracticeChild } from '../help/practice-child.ts'
import { openChance } from './chance.ts'
import { Model } from './model.ts'
import type { Played } from './played.ts'
import { openRun } from './run.ts'
import { makeUniverse } from './universe.ts'

const rses = ['FAST', 'SLOW']

/** @param options.rounds where ROUNDS does not say it
 *  @param options.schemes of the addresses of each of the two storages, FAST and SLOW
 *  @param options.play puts programs that play xrdcp or the official client into a directory
 *  @param options.engine of config.json
 *  @throws what was wrong, with the seed that finds it again */
export async function killedAgainAndAgain(options: {
  readonly rounds: number
  readonly universe: {
    readonly datasets: number
    readonly files: number
    readonly bigMib: readonly [number, number]
  }
  readonly schemes?: Readonly<Record<'FAST' | 'SLOW', readonly string[]>>
  readonly play?: (dir: string) => Promise<Played>
  readonly engine?: 'rucio'
}): Promise<void> {
  const rounds = Number(process.env['ROUNDS'] ?? options.rounds)
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 32))
  console.log(`SEED=${seed} ROUNDS=${rounds}`)
  const chance = openChance(seed)
  const universe = makeUniverse(chance, { ...options.universe, rses, corrupt: 0.05 })
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-crash-'))
  const { schemes } = options
  const grid = await startPracticeChild({
    seed: universe.seed,
    rses,
    ...(schemes === undefined ? {} : { schemes }),
  })
  let played: Played | undefined
  let good = false
  try {
    played = await options.play?.(dir)
    const run = await openRun({
      dir,
      grid,
      rses,
      model: new Model(universe.datasets),
      chance,
      ...(played === undefined ? {} : { played }),
      ...(options.engine === undefined ? {} : { engine: options.engine }),
    })
    try {
      for (let round = 1; round <= rounds; round++)
        none(await run.round(round), `round ${round} of SEED=${seed}`)
      none(await run.finale(), `the end of SEED=${seed}`)
      good = true
    } finally {
      console.log(run.summary())
    }
  } finally {
    await played?.kill()
    await grid.stop()
    if (good || process.env['KEEP'] === undefined) await rm(dir, { recursive: true, force: true })
    else console.log(`left: ${dir}`)
  }
}

function none(faults: readonly string[], when: string): void {
  if (faults.length > 0)
    assert.unreachable([`${faults.length} faults in ${when}:`, ...faults.slice(0, 40)].join('\n'))
}
