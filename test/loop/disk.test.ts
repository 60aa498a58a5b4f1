// A disk that fails in the middle of a transfer, at the step where a file has its name and no line.

import { readlinkSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { breakDisk, breakPaths } from '../help/broken-disk.ts'
import { type Clock, openClock } from '../help/clock.ts'
import { type Dataset, dataset, endAll, goes, type Home, isRight, openHome, until } from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'

const test = suite('a disk that fails in the middle')
const unwritten = dataset('hands.unwritten', { files: 6 })
const other = dataset('hands.other')
const unsynced = dataset('hands.unsynced', { files: 40, bytes: 100_000, rse: 'SLOW' })
const speed = 24

let clock: Clock
let grid: PracticeChild
let home: Home

const did = (of: Dataset): string => `${of.scope}:${of.name}`
const size = (of: Dataset): number => of.files.reduce((sum, file) => sum + file.bytes, 0)

async function sent(of: Dataset): Promise<number> {
  return (await grid.sent())
    .filter(each => of.files.some(known => each.did === `${known.scope}:${known.name}`))
    .reduce((sum, { from, to }) => sum + to - from, 0)
}

/** Before its first line there is none. */
const log = (): Promise<string> => home.log().catch(() => '')

async function isTidy(of: Dataset): Promise<void> {
  await home.says(did(of), 'local')
  assert.is(await isRight(home.path(of.name), of), true)
  await goes(home.path('requests', `${of.name}.json`))
  assert.not.ok((await readdir(home.path(of.name, '.rucio'))).includes('aside'), 'a good copy was put aside')
  assert.equal(await readdir(home.path(of.name, '.rucio', 'parts')), [])
}

test.before(async () => {
  grid = await startPracticeChild({
    seed: { datasets: [unwritten, unsynced, other], containers: [] },
    rses: ['FAST', 'SLOW'],
  })
  clock = openClock(speed)
  home = await openHome({ grid, world: clock.world, config: '{"reserve_bytes": 0, "files_at_once": 4}' })
})

test('a file that has its name and whose line the full disk did not take is read, not fetched again', async () => {
  const mend = await breakDisk('appendFile', 'ENOSPC', (_, [text]) => String(text).includes('"mtime"'))
  let calls = 0
  let before = ''
  try {
    await home.ds('POST', did(unwritten))
    await until(async () => ((await log()).match(/disk_full/g) ?? []).length >= 6 || 'it goes well')
    before = await log()
  } finally {
    calls = mend()
  }
  await isTidy(unwritten)
  assert.ok(calls > 0)
  // A lane that was ended in mid-file may have lost what was on the line; a file that had its name by then was not asked for again.
  const named = unwritten.files.filter(({ name }) => before.includes(`${name}: disk_full`))
  assert.ok(named.length > 0)
  assert.is(await sent({ ...unwritten, files: named }), size({ ...unwritten, files: named }))
})

test('after a sync of verified.jsonl that failed the rest goes on through a log that is opened anew', async () => {
  await grid.setFaults('SLOW', { rate: 100_000 })
  let fails = 1
  const mend = await breakDisk('datasync', 'EIO', handle => {
    return readlinkSync(`/proc/self/fd/${handle.fd}`).endsWith('verified.jsonl') && fails-- > 0
  })
  try {
    await home.ds('POST', did(unsynced))
    await until(async () => (await log()).includes(`sync of ${unsynced.name}`) || 'no sync has failed')
    await grid.setFaults('SLOW', { rate: 0 })
    await isTidy(unsynced)
  } finally {
    mend()
  }
  // Lanes that are ended in mid-file lose what was on the line, which is no more than sockets hold.
  const more = (await sent(unsynced)) - size(unsynced)
  assert.ok(more >= 0 && more < 200_000, `${more} bytes came twice`)
})

test('a dataset that may not be looked at holds up no other, nor hides it', async () => {
  await mkdir(home.path('hands.locked'))
  const mend = breakPaths('lstat', 'EACCES', path => path.includes('/hands.locked/'))
  try {
    await writeFile(home.path('requests', 'hands.locked.json'), '')
    await until(async () => {
      const datasets = (await home.get('/datasets')).json['datasets']
      const seen = Array.isArray(datasets) ? datasets.find(each => each.name === 'hands.locked') : undefined
      return (seen?.state === 'broken' && /EACCES/.test(seen.message)) || JSON.stringify(datasets)
    })
    await home.ds('POST', did(other))
    await isTidy(other)
    assert.is((await home.get('/status')).json['state'], 'ready')
  } finally {
    mend()
  }
})

test.after(() => endAll(grid, clock))

test.run()
