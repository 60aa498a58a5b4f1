// As kill.crash.ts, with "engine": "rucio": the daemon is killed while the official client brings its files, by itself from one storage,
// by an xrdcp of its own from the other; these are killed with it or not.

import { suite } from 'uvu'
import { killedAgainAndAgain } from './killed.ts'
import { playPrograms } from './played.ts'

const test = suite('killed beside the official client')

test('nothing that was answered or named is lost', () =>
  killedAgainAndAgain({
    rounds: 8,
    universe: { datasets: 2, files: 12, bigMib: [8, 30] },
    schemes: { FAST: ['davs'], SLOW: ['root'] },
    play: playPrograms,
    engine: 'rucio',
  }))

test.run()
