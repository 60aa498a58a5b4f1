import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { caseTwin } from '../../src/disk/word.ts'
import { sweep } from '../help/data.ts'
import { makeFolder } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('twin')
test.after(sweep)

test('a NAME that differs only by letter case is found among requests, datasets and the trash', async () => {
  const root = await dataDir()
  await mkdir(layout.trash(root))
  await writeFile(layout.request(root, 's.Waiting'), '')
  await makeFolder(root, 's.Here')
  await mkdir(layout.trashed(root, 's.Going'))
  await mkdir(`${root.dir}/Holiday`)
  for (const name of ['s.Waiting', 's.Here', 's.Going', 'Holiday', 'holiday', 's.other'])
    assert.is(await caseTwin(root, name), undefined, name)
  for (const name of ['s.Waiting', 's.Here', 's.Going']) {
    assert.is(await caseTwin(root, name.toLowerCase()), name)
    assert.is(await caseTwin(root, name), undefined, 'the one that is here is not its own twin')
  }
})

test('what this process asked about and then wrote is found at once', async () => {
  const root = await dataDir()
  for (let i = 0; i < 50; i++) {
    assert.is(await caseTwin(root, `s.x${i}`), undefined)
    await writeFile(layout.request(root, `s.x${i}`), '')
    assert.is(await caseTwin(root, `S.x${i}`), `s.x${i}`)
  }
})

test('what was asked about and never written stands in no way', async () => {
  const root = await dataDir()
  assert.is(await caseTwin(root, 's.x'), undefined)
  assert.is(await caseTwin(root, 'S.x'), undefined)
  await writeFile(layout.request(root, 'S.x'), '')
  assert.is(await caseTwin(root, 'S.x'), undefined)
  assert.is(await caseTwin(root, 's.x'), 'S.x')
})

test('what another program writes, removes or renames is seen', async () => {
  const root = await dataDir()
  const found = async (name: string, want: string | undefined): Promise<void> => {
    // A look at directories that keep changing may be kept for 20 times as long as it took.
    for (let tries = 0; tries < 100 && (await caseTwin(root, name)) !== want; tries++) await sleep(5)
    assert.is(await caseTwin(root, name), want)
  }
  await caseTwin(root, 's.first')
  await writeFile(layout.request(root, 's.X'), '')
  await found('s.x', 's.X')
  await rename(layout.request(root, 's.X'), layout.request(root, 'S.X'))
  await found('s.x', 'S.X')
  await rm(layout.request(root, 'S.X'))
  await found('s.x', undefined)
})

test('5,000 wishes in a row do not make reading the directory the work', async () => {
  const root = await dataDir()
  let askedMs = 0
  for (let i = 0; i < 1000; i++) {
    const from = performance.now()
    assert.is(await caseTwin(root, `s.ds${i}`), undefined)
    askedMs += performance.now() - from
    await writeFile(layout.request(root, `s.ds${i}`), '')
  }
  assert.ok(askedMs < 500, `${askedMs} ms`)
})

test.run()
