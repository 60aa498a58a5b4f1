// A practice grid with the big container, in a process of its own: what it takes is none of the daemon's. Ends with its parent.

import { startPracticeGrid } from '../../src/practice/grid.ts'
import { bigSeed } from './big-seed.ts'

const [datasets = 0, filesEach = 0] = process.argv.slice(2).map(Number)
const grid = await startPracticeGrid({ seed: bigSeed(datasets, filesEach), rses: ['BIG'] })
process.once('disconnect', () => process.exit())
process.send?.({ url: grid.url, caPem: grid.caPem })
