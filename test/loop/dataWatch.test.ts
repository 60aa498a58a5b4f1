// Is DATA there and writable: what one failed write says of it, and what the loop does while it is away.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type DataWatch, openDataWatch } from '../../src/loop/dataWatch.ts'
import { defaultConfig } from '../../src/words/config.ts'
import { Trouble } from '../../src/words/reason.ts'
import { breakPaths } from '../help/broken-disk.ts'
import { sweep } from '../help/data.ts'
import { openData, stoppedWorld } from '../help/dataset.ts'
import { startBareLoop } from './bare.ts'

const test = suite('is DATA there')

test('a folder with wrong rights is no read-only disk', async () => {
  const data = openDataWatch(await openData(), stoppedWorld(), () => {})
  data.trouble(new Trouble('read_only', 'open gave EACCES'))
  assert.is(await data.check(), 'ready')
})

test('a disk that takes no write is read-only until it takes one, also when the clock is set back', async () => {
  const root = await openData()
  const world = stoppedWorld()
  const data = openDataWatch(root, world, () => {})
  const mend = breakPaths('lstat', 'EACCES', path => path.includes('/staging'))
  try {
    data.trouble(new Trouble('read_only', 'open gave EROFS'))
    assert.is(await data.check(), 'read_only')
    assert.is(data.nextCheckAt(), world.now() + 60_000)
  } finally {
    mend()
  }
  assert.is(await data.check(), 'read_only', 'asked once a minute')
  world.move(-86_400_000)
  assert.is(await data.check(), 'ready')
})

test('while DATA is away the loop looks each 5 s, and does not spin', async () => {
  const root = await openData()
  const world = stoppedWorld()
  let checks = 0
  const data: DataWatch = {
    async check() {
      checks++
      return 'data_dir_missing'
    },
    seen: () => ({ state: 'data_dir_missing', message: '' }),
    nextCheckAt: () => world.now() + 5000,
    trouble() {},
    problems: () => [],
  }
  const config = {
    current: () => undefined,
    fallback: defaultConfig,
    problems: () => [],
    look: async () => undefined,
  }
  const watch = { look: async () => undefined }
  // Long after the last look at the directories.
  world.move(3_600_000)
  const loop = startBareLoop(root, world, { watch, config, data })
  await new Promise(resolve => setTimeout(resolve, 500))
  await loop.stop()
  assert.is(checks, 1)
})

test.after(sweep)
test.run()
