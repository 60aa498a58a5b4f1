// As kill.crash.ts, with storages that speak XRootD alone: the daemon is killed while xrdcp brings its bytes, and xrdcp with it or not.

import { suite } from 'uvu'
import { killedAgainAndAgain } from './killed.ts'
import { playPrograms } from './played.ts'

const test = suite('killed beside xrdcp')

test('nothing that was answered, synced or named is lost', () =>
  killedAgainAndAgain({
    rounds: 8,
    universe: { datasets: 3, files: 20, bigMib: [20, 70] },
    schemes: { FAST: ['root'], SLOW: ['root'] },
    play: playPrograms,
  }))

test.run()
