// The daemon is killed at any instant while wishes, removals, editors and careless hands go on, and started again: what was answered
// holds, what has a name is right, what was synced is not fetched again, and nothing is left lying about. killed.ts says how it is driven.

import { suite } from 'uvu'
import { killedAgainAndAgain } from './killed.ts'

const test = suite('killed')

test('nothing that was answered, synced or named is lost', () =>
  killedAgainAndAgain({ rounds: 40, universe: { datasets: 4, files: 60, bigMib: [20, 70] } }))

test.run()
