// A dataset taken into work: what is opened for it, and given back.

import { readdir, rm, symlink } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { openWorks } from '../../src/loop/work.ts'
import { rejects, sweep } from '../help/data.ts'
import { didOf, openData, putListed } from '../help/dataset.ts'

const test = suite('datasets in work')

test('a dataset that cannot be taken into work leaves no file open', async () => {
  const root = await openData()
  const did = didOf('mc16:mc16.a')
  const name = await putListed(root, did, 3)
  await rm(layout.parts(root, name), { recursive: true, force: true })
  await symlink('/tmp', layout.parts(root, name))
  const works = openWorks(root)
  const before = (await readdir('/proc/self/fd')).length
  for (let i = 0; i < 5; i++) assert.match(String(await rejects(works.load(name, did))), 'refused')
  assert.is((await readdir('/proc/self/fd')).length, before)
})

test.after(sweep)
test.run()
