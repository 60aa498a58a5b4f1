// How often the loop looks around, and what tells it to.

import fs from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import type { DataWatch } from '../../src/loop/dataWatch.ts'
import { openHints } from '../../src/loop/hints.ts'
import { defaultConfig } from '../../src/words/config.ts'
import { sweep, world } from '../help/data.ts'
import { openData, stoppedWorld } from '../help/dataset.ts'
import { until } from '../help/home.ts'
import { startBareLoop } from './bare.ts'

const test = suite('looks around')
// chokidar's own way to be told how often it polls.
process.env['CHOKIDAR_INTERVAL'] = '100'

const data: DataWatch = {
  check: async () => 'ready',
  seen: () => ({ state: 'ready', message: '' }),
  nextCheckAt: () => Number.POSITIVE_INFINITY,
  trouble() {},
  problems: () => [],
}
const config = {
  current: () => defaultConfig,
  fallback: defaultConfig,
  problems: () => [],
  look: async () => undefined,
}

test('a look that takes long is not made for each of a thousand wishes, and none is forgotten', async () => {
  const root = await openData()
  let looks = 0
  const watch = {
    async look() {
      looks++
      await sleep(100)
      return undefined
    },
  }
  const loop = startBareLoop(root, world, { watch, config, data })
  const end = performance.now() + 1200
  while (performance.now() < end) {
    loop.wake(true)
    await sleep(20)
  }
  const before = looks
  assert.ok(before >= 2 && before <= 4, `${before} looks in 1.2 s`)
  loop.wake(true)
  await until(async () => looks > before || 'the last wish was not looked at', 5000)
  await loop.stop()
})

test('a clock that is set back while the loop looks does not put its next look off by as much', async () => {
  const root = await openData()
  const world = stoppedWorld()
  let looks = 0
  const watch = {
    async look() {
      looks++
      if (looks === 1) world.move(-86_400_000)
      return undefined
    },
  }
  const loop = startBareLoop(root, world, { watch, config, data })
  try {
    await until(async () => looks > 1 || 'it sleeps for a day', 5000)
    // And once is enough.
    await sleep(500)
    assert.is(looks, 2)
  } finally {
    await loop.stop()
  }
})

for (const poll of [false, true])
  test(`${poll ? 'looking now and then' : 'file events'}: requests/, watch/ and config.json are told of`, async () => {
    const root = await openData()
    await writeFile(layout.config(root), '{}')
    let hints = 0
    let watched = 0
    const told = async (what: string): Promise<void> => {
      const before = hints
      // Not before the watch stands, and with another time than a file that was there already.
      await until(async () => {
        await writeFile(what, `{"n": ${hints}}`)
        return hints > before || `nothing was told of ${what}`
      }, 10_000)
    }
    const open = openHints(root, () => {}, { poll, onHint: () => hints++, watching: () => watched++ })
    await told(layout.config(root))
    await told(layout.request(root, 'mc16.x'))
    await told(layout.request(root, 'mc16.x'))
    await told(`${layout.watch(root)}/mc16.y`)
    // A watch that many events let go is begun again by itself.
    const stood = watched
    open.renew()
    assert.is(watched, stood + 1)
    await told(layout.request(root, 'mc16.x'))
    await sleep(200)
    const before = hints
    if (!poll) {
      await mkdir(layout.dataset(root, 'mc16.x'))
      await sleep(100)
      assert.is(hints, before, 'a dataset that comes is no news')
    }
    await open.close()
    const last = hints
    await writeFile(layout.request(root, 'mc16.z'), '')
    await sleep(100)
    assert.is(hints, last)
  })

test('where config.json is not there, the datasets are not watched in its place', async () => {
  const root = await openData()
  let hints = 0
  const open = openHints(root, () => {}, { poll: false, onHint: () => hints++ })
  await until(async () => {
    await writeFile(layout.request(root, 'mc16.x'), String(hints))
    return hints > 0 || 'nothing was told of requests/'
  }, 10_000)
  await sleep(100)
  const before = hints
  await mkdir(layout.dataset(root, 'mc16.x'))
  await sleep(100)
  await open.close()
  assert.is(hints, before)
})

test('each request of a flood does not have all the others looked at, and the last one is told of', async () => {
  const root = await openData()
  const write = (from: number, to: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: to - from }, (_, i) => writeFile(layout.request(root, `r${from + i}`), '')),
    )
  await write(0, 1000)
  let hints = 0
  const open = openHints(root, () => {}, { poll: false, onHint: () => hints++ })
  const { count, end } = countLstats()
  for (let n = 1000; n < 1400; n += 4) {
    await write(n, n + 4)
    // So that no two of them can be seen in one look.
    await sleep(5)
  }
  const before = hints
  await until(async () => hints > before || 'the end of the flood was not told of', 10_000)
  await open.close()
  end()
  // A look at all for each would be 100,000 and more.
  assert.ok(count() < 12_000, `${count()} lstats`)
})

test('directories that are not there are no trouble, and are told of once they were made', async () => {
  const root = await openData()
  await rm(layout.requests(root), { recursive: true })
  const said: string[] = []
  let hints = 0
  const open = openHints(root, (_, text) => said.push(text), { poll: false, onHint: () => hints++ })
  await sleep(100)
  await mkdir(layout.requests(root))
  open.renew()
  await until(async () => {
    await writeFile(layout.request(root, 'mc16.x'), '')
    return hints > 1 || 'nothing was told of requests/'
  }, 10_000)
  await open.close()
  assert.equal(said, [])
})

/** lstat calls of this process: what chokidar does shows nowhere else. */
function countLstats(): { readonly count: () => number; readonly end: () => void } {
  const { lstat } = fs.promises
  let calls = 0
  fs.promises.lstat = ((...args: Parameters<typeof lstat>) => {
    calls++
    return lstat(...args)
  }) as typeof lstat
  syncBuiltinESMExports()
  return {
    count: () => calls,
    end() {
      fs.promises.lstat = lstat
      syncBuiltinESMExports()
    },
  }
}

test.after(sweep)
test.run()
