import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { dropParts, finish } from '../../src/disk/finish.ts'
import { layout, type Root } from '../../src/disk/layout.ts'
import { readVerified, VerifiedLog } from '../../src/disk/lines.ts'
import { prove } from '../../src/disk/proof.ts'
import { Fenced } from '../../src/disk/put.ts'
import type { CatalogueFile } from '../../src/words/listing.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { VerifiedLine } from '../../src/words/verified.ts'
import { rejects, sweep, world } from '../help/data.ts'
import { fileOf, list, md5Of } from './dataset.ts'
import { dataDir, own } from './root.ts'

const test = suite('finish')
test.after(sweep)

const text = 'right bytes'
const good = fileOf('s:a', text)
const adler32 = good.adler32 ?? ''

async function start(options: { fenced?: boolean; file?: CatalogueFile; part?: string | null } = {}) {
  const { fenced = false, file = good, part = text } = options
  const root = await dataDir({ fenced })
  const { name, lines } = await list(root, 's:s.ds', [file])
  const [line] = lines
  if (line === undefined) throw new Error('no line')
  if (part !== null) await writeFile(layout.part(root, name, 'a'), part)
  await writeFile(layout.sidecar(root, name, 'a'), '{}')
  const log = await VerifiedLog.open(root, name)
  const run = async (
    sums: { adler32: string; md5?: string; ino?: number } = { adler32 },
  ): Promise<VerifiedLine> => {
    try {
      return await finish({ root, name, line, ...sums, log, world })
    } finally {
      await log.close()
    }
  }
  return { root, name, run }
}

async function unchanged(root: Root, name: string): Promise<void> {
  assert.equal((await readdir(layout.parts(root, name))).sort(), ['a.json', 'a.part'])
  assert.equal(await readdir(layout.dataset(root, name)), ['.rucio'])
  assert.is((await readVerified(root, name)).size, 0)
}

test('a part becomes the file, its line is written, its sidecar goes, and the dataset is whole', async () => {
  const { root, name, run } = await start()
  const verified = await run()
  assert.is(await readFile(layout.file(root, name, 'a'), 'utf8'), text)
  assert.equal(await readdir(layout.parts(root, name)), [])
  assert.is(Date.parse(verified.mtime), Math.floor((await stat(layout.file(root, name, 'a'))).mtimeMs))
  assert.is(verified.unchecked, undefined)
  assert.equal((await readVerified(root, name)).get('a'), verified)
  assert.is((await prove(root, name)).kind, 'whole')
})

test('a part that is not the one that was verified gets no name, though it looks the same', async () => {
  const { root, name, run } = await start()
  const { ino } = await stat(layout.part(root, name, 'a'))
  const error = await rejects(run({ adler32, ino: ino + 1 }))
  assert.is(error instanceof Trouble ? error.reason : error, 'disk_error')
  await unchanged(root, name)
})

test('a file that the catalogue has no checksum of is marked so; md5 alone is a checksum', async () => {
  const { adler32: _, ...bare } = good
  const unchecked = await (await start({ file: bare })).run()
  assert.is(unchecked.unchecked, true)
  assert.is(unchecked.adler32, adler32)
  const withMd5 = await (await start({ file: { ...bare, md5: md5Of(text) } })).run({
    adler32,
    md5: md5Of(text),
  })
  assert.is(withMd5.unchecked, undefined)
  assert.is(withMd5.md5, md5Of(text))
})

test('wrong sums, a part cut short or gone: nothing changes', async () => {
  const { adler32: _, ...bare } = good
  const cases: [Parameters<typeof start>[0], { adler32: string; md5?: string }, string][] = [
    [{}, { adler32: '00000001' }, 'corrupt'],
    [{ file: { ...bare, md5: md5Of('other') } }, { adler32, md5: md5Of(text) }, 'corrupt'],
    [{ file: { ...bare, md5: md5Of(text) } }, { adler32 }, 'corrupt'],
    [{ part: 'short' }, { adler32 }, 'corrupt'],
  ]
  for (const [options, sums, reason] of cases) {
    const { root, name, run } = await start(options)
    const error = await rejects(run(sums))
    assert.is(error instanceof Trouble && error.reason, reason)
    await unchanged(root, name)
  }
  const gone = await rejects((await start({ part: null })).run())
  assert.is(gone instanceof Trouble && gone.reason, 'disk_error')
})

test('what lies under the final name is kept in aside, be it a file, a link or a folder, each time anew', async () => {
  for (const kind of ['file', 'link', 'folder']) {
    const { root, name, run } = await start()
    const file = layout.file(root, name, 'a')
    if (kind === 'file') await writeFile(file, 'mine')
    else if (kind === 'link') await symlink('/etc/passwd', file)
    else {
      await mkdir(file)
      await writeFile(join(file, 'x'), 'mine')
    }
    await run()
    assert.is(await readFile(file, 'utf8'), text)
    const [kept = ''] = await readdir(layout.aside(root, name))
    assert.match(kept, /^a\.\d{8}T\d{6}Z$/)
    const path = join(layout.aside(root, name), kept)
    if (kind === 'file') assert.is(await readFile(path, 'utf8'), 'mine')
    else if (kind === 'link') assert.is(await readlink(path), '/etc/passwd')
    else assert.is(await readFile(join(path, 'x'), 'utf8'), 'mine')
  }
})

test('two things put aside in one second are both kept', async () => {
  const { root, name, run } = await start()
  const still = { now: () => Date.parse('2026-03-01T10:00:00Z'), chance: () => 0 }
  await writeFile(layout.file(root, name, 'a'), 'first')
  await run()
  const line = { ...good, path: 'a' }
  for (const mine of ['second', 'third']) {
    await writeFile(layout.file(root, name, 'a'), mine)
    await writeFile(layout.part(root, name, 'a'), text)
    const log = await VerifiedLog.open(root, name)
    await finish({ root, name, line, adler32, log, world: still })
    await log.close()
  }
  const kept = await readdir(layout.aside(root, name))
  assert.is(kept.length, 3)
  assert.ok(kept.includes('a.20260301T100000Z-2'))
})

test('a link in place of the part is refused', async () => {
  const { root, name, run } = await start({ part: null })
  await writeFile(join(root.dir, 'outside'), text)
  await symlink(join(root.dir, 'outside'), layout.part(root, name, 'a'))
  const error = await rejects(run())
  assert.is(error instanceof Trouble && error.reason, 'refused')
  assert.is(await readFile(join(root.dir, 'outside'), 'utf8'), text)
})

test('a process that does not own the directory any more renames nothing', async () => {
  const { root, name, run } = await start({ fenced: true })
  await own(root, 'boot-b')
  assert.instance(await rejects(run()), Fenced)
  await unchanged(root, name)
})

test('of a whole dataset no part is left, and what is none stays', async () => {
  const { root, name } = await start()
  await mkdir(join(layout.parts(root, name), 'mine.json'))
  await writeFile(join(layout.parts(root, name), 'notes'), 'mine')
  await dropParts(root, name)
  assert.equal((await readdir(layout.parts(root, name))).sort(), ['mine.json', 'notes'])
  await dropParts(root, name)
})

test.run()
