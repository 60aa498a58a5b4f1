// config.json as it counts: what happens to it that is no edit.

import { symlink, unlink, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { openConfigFile } from '../../src/loop/configFile.ts'
import { breakPaths } from '../help/broken-disk.ts'
import { rejects, sweep } from '../help/data.ts'
import { openData } from '../help/dataset.ts'

const test = suite('config.json as it counts')

test('a right to read it that comes later needs no other change of the file', async () => {
  const root = await openData()
  await writeFile(layout.config(root), '{"files_at_once": 9}')
  const config = openConfigFile(root)
  const mend = breakPaths('open', 'EACCES', path => path === layout.config(root))
  try {
    await config.look(0)
  } finally {
    mend()
  }
  assert.is(config.current(), undefined, 'nothing is fetched under limits that nobody knows')
  assert.match(config.problems().join(), 'no right to read it')
  await config.look(30_000)
  assert.is(config.current()?.files_at_once, 9)
  assert.equal(config.problems(), [])
})

test('a read that failed once is made again', async () => {
  const root = await openData()
  await writeFile(layout.config(root), '{"files_at_once": 9}')
  const config = openConfigFile(root)
  const mend = breakPaths('open', 'EIO', path => path === layout.config(root))
  try {
    assert.match(String(await rejects(config.look(0))), 'disk_error')
  } finally {
    mend()
  }
  await config.look(5000)
  assert.is(config.current()?.files_at_once, 9)
})

test('what is said of a link goes when the link does', async () => {
  const root = await openData()
  const config = openConfigFile(root)
  await config.look(0)
  await symlink('/dev/null', layout.config(root))
  await config.look(10_000)
  assert.match(config.problems().join(), 'link')
  await unlink(layout.config(root))
  await config.look(20_000)
  await config.look(22_000)
  assert.equal(config.problems(), [])
})

test.after(sweep)
test.run()
