import {
  appendFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { VerifiedLog } from '../../src/disk/lines.ts'
import { compare, type Harm, lacksFiles, prove } from '../../src/disk/proof.ts'
import { toIso } from '../../src/words/world.ts'
import { sweep } from '../help/data.ts'
import { fileOf, list, md5Of, whole } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('proof')
test.after(sweep)

async function harm(root: Root, name: string): Promise<readonly Harm[]> {
  const found: Harm[] = []
  const head = await compare(root, name, ({ path }, kind) => {
    if (kind !== undefined) found.push({ path, kind })
  })
  const proof = await prove(root, name)
  assert.equal(proof.kind === 'unlisted' ? undefined : proof.head, head)
  assert.is(proof.kind === 'harmed' ? proof.harmed : 0, found.length)
  return found
}

test('a dataset whose files all lie there verified is whole, its files in the order of the listing', async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { b: 'two', a: 'one', c: '' })
  const proof = await prove(root, name)
  assert.is(proof.kind, 'whole')
  assert.equal(proof.kind === 'whole' && proof.paths, ['b', 'a', 'c'])
  assert.is(proof.kind === 'whole' && proof.head.bytes, 6)
})

test('an empty dataset is whole, and one that is not there is unlisted', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.ds', [])
  assert.is((await prove(root, name)).kind, 'whole')
  assert.is((await prove(root, 's.none')).kind, 'unlisted')
  await mkdir(layout.dataset(root, 's.mine'))
  assert.is((await prove(root, 's.mine')).kind, 'unlisted')
})

test('that files are lacking is said without a look at each, and never of what is whole', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.none', [])
  assert.is(await lacksFiles(root, name), false)
  const full = await whole(root, 's:s.ds', { b: 'two', a: '', c: '' })
  assert.is(await lacksFiles(root, full), false)
  await writeFile(layout.verified(root, full), '{"format": 1}\n')
  assert.is(await lacksFiles(root, full), true)
  assert.is(await lacksFiles(root, 's.absent'), true)
})

const harms: [Harm['kind'], (file: string) => Promise<void>][] = [
  ['absent', file => rm(file)],
  ['size', file => truncate(file, 1)],
  ['size', file => appendFile(file, 'x')],
  ['mtime', file => utimes(file, new Date(), new Date(Date.now() - 10_000))],
  ['mtime', file => utimes(file, new Date(), new Date(Date.now() + 3600_000))],
  ['refused', file => rename(file, `${file}.x`).then(() => symlink(`${file}.x`, file))],
  ['refused', file => rm(file).then(() => mkdir(file))],
]
for (const [index, [kind, harmIt]] of harms.entries())
  test(`a file that was harmed (${index}) is ${kind}, and only that one`, async () => {
    const root = await dataDir()
    const name = await whole(root, 's:s.ds', { a: 'one', b: 'two', c: 'three' })
    await harmIt(layout.file(root, name, 'b'))
    assert.equal(await harm(root, name), [{ path: 'b', kind }])
  })

test('an mtime that differs by less than 2 s is the same: FAT keeps no finer one', async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { a: 'one' })
  const file = layout.file(root, name, 'a')
  const { mtimeMs } = await stat(file)
  await utimes(file, mtimeMs / 1000, (mtimeMs - 1900) / 1000)
  assert.equal(await harm(root, name), [])
})

test('a file without a line that fits the listing is unproved', async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { a: 'one' })
  await writeFile(layout.file(root, name, 'b'), 'two')
  await list(root, 's:s.ds', [
    { ...fileOf('s:a', 'one'), adler32: 'deadbeef' },
    fileOf('s:b', 'two'),
    fileOf('s:c', 'three'),
  ])
  assert.equal(await harm(root, name), [
    { path: 'a', kind: 'unproved' },
    { path: 'b', kind: 'unproved' },
    { path: 'c', kind: 'absent' },
  ])
})

test('the proof goes by adler32 where the listing has one, else by md5, else by size', async () => {
  const root = await dataDir()
  const { adler32, ...bare } = fileOf('s:a', 'one')
  const name = await whole(root, 's:s.ds', { a: 'one' })
  const cases: [object, boolean][] = [
    [{ adler32, md5: '0'.repeat(32) }, true],
    [{ md5: md5Of('one') }, true],
    [{ md5: '0'.repeat(32) }, false],
    [{}, true],
  ]
  for (const [sums, isWhole] of cases) {
    await list(root, 's:s.ds', [{ ...bare, ...sums }])
    assert.is((await prove(root, name)).kind, isWhole ? 'whole' : 'harmed', JSON.stringify(sums))
  }
})

test("another data directory's proof is none", async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { a: 'one' })
  assert.equal(await harm({ ...root, id: 'copied' }, name), [{ path: 'a', kind: 'unproved' }])
})

test('a folder that was renamed by hand is not the dataset of its new name', async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { a: 'one' })
  await rename(layout.dataset(root, name), layout.dataset(root, 's.other'))
  assert.is((await prove(root, 's.other')).kind, 'unlisted')
})

test('1,000 files are proved without reading one', async () => {
  const root = await dataDir()
  const files = Array.from({ length: 1000 }, (_, i) => fileOf(`s:f${i}`, ''))
  const { name, lines } = await list(root, 's:s.ds', files)
  const log = await VerifiedLog.open(root, name)
  await Promise.all(
    lines.map(async line => {
      await writeFile(layout.file(root, name, line.path), '', { mode: 0o000 })
      const { mtimeMs } = await stat(layout.file(root, name, line.path))
      await log.append({
        path: line.path,
        bytes: 0,
        adler32: '00000001',
        mtime: toIso(mtimeMs),
        at: toIso(0),
      })
    }),
  )
  await log.close()
  const from = performance.now()
  assert.equal(await harm(root, name), [])
  assert.ok(performance.now() - from < 1000)
  assert.match(await readFile(layout.verified(root, name), 'utf8'), /"f999"/)
})

test.run()
