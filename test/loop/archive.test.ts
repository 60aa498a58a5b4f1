// A dataset whose files lie inside a zip alone, from the wish to the last file, with the catalogue as it tells of archives.

import { readdir, readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { world } from '../help/data.ts'
import { endAll, openHome, until } from '../help/home.ts'
import { zipOf } from '../help/zip.ts'

const test = suite('a dataset inside an archive')
const scope = 'hands'

let grid: PracticeGrid
const members = ['one.root', 'sub/two.root'].map((name): SeedFile => {
  const file: SeedFile = {
    scope,
    name,
    bytes: 200_003,
    checksums: ['adler32'],
    replicas: {},
    inside: 'hands.all.zip',
  }
  return { ...file, content: bytesOf(file, 0, file.bytes) }
})
const content = zipOf(
  members.map(({ name, content = Buffer.alloc(0) }) => ({ name, bytes: content, packed: true })),
)
const archive: SeedFile = {
  scope,
  name: 'hands.all.zip',
  bytes: content.length,
  checksums: ['adler32'],
  replicas: { A: 'corrupt', B: 'good' },
  content,
}

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['A', 'B'],
    seed: {
      datasets: [
        { scope, name: 'hands.members', open: false, files: members },
        { scope, name: 'hands.archives', open: false, files: [archive] },
      ],
      containers: [],
    },
  })
})
test.after(() => endAll(grid))

test('its files come out of the archive, which is verified, fetched for both of them, and gone then', async () => {
  const home = await openHome({ grid, world })
  await home.ds('POST', `${scope}:hands.members`)
  await home.says(`${scope}:hands.members`, 'local')
  for (const { name, content = Buffer.alloc(0) } of members) {
    const there = await readFile(home.path('hands.members', name.replace('/', '=2F')))
    assert.is(Buffer.compare(there, content), 0, name)
  }
  const log = await home.log()
  assert.match(log, /its archive hands:hands\.all\.zip is fetched/)
  assert.not.match(log, /does not name its archive/)
  // Whole is whole when the last line is there; the archive goes right after it.
  const parts = () => readdir(home.path('hands.members', '.rucio', 'parts'))
  await until(async () => (await parts()).length === 0 || 'the archive is there still')
})

test.run()
