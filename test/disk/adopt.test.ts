import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { adopt, readSums } from '../../src/disk/adopt.ts'
import { layout, type Root } from '../../src/disk/layout.ts'
import { VerifiedLog } from '../../src/disk/lines.ts'
import { prove } from '../../src/disk/proof.ts'
import type { CatalogueFile } from '../../src/words/listing.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { VerifiedLine } from '../../src/words/verified.ts'
import { rejects, sweep, world } from '../help/data.ts'
import { fileOf, list, makeFolder, md5Of, never, whole, write } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('adopt')
test.after(sweep)

const text = 'the right bytes'

/** Lists one file of a DID, puts texts at paths below DATA, and adopts. */
async function tryIt(options: {
  readonly did?: string
  readonly file?: CatalogueFile
  readonly texts: Record<string, string>
  readonly before?: (root: Root) => Promise<unknown>
}): Promise<{ root: Root; name: string; path: string; line: VerifiedLine | undefined }> {
  const { did = 's:s.ds', file = fileOf('s:a.root', text), texts } = options
  const root = await dataDir()
  const { name, lines } = await list(root, did, [file])
  for (const [path, content] of Object.entries(texts)) await write(root, path, content)
  await options.before?.(root)
  const [line] = lines
  if (line === undefined) throw new Error('no line')
  const bareName = did.slice(did.indexOf(':') + 1)
  const adopted = await adopt({ root, name, bareName, line, world, signal: never })
  return { root, name, path: line.path, line: adopted }
}

async function taken(
  options: Parameters<typeof tryIt>[0],
): Promise<{ root: Root; name: string; line: VerifiedLine }> {
  const { root, name, path, line } = await tryIt(options)
  assert.is(line?.path, path)
  if (line === undefined) throw new Error('not adopted')
  const file = layout.file(root, name, path)
  assert.is(await readFile(file, 'utf8'), text)
  assert.is(Date.parse(line.mtime), Math.floor((await stat(file)).mtimeMs))
  return { root, name, line }
}

async function left(options: Parameters<typeof tryIt>[0]): Promise<Root> {
  const { root, line } = await tryIt(options)
  assert.is(line, undefined)
  for (const [path, content] of Object.entries(options.texts))
    assert.is(await readFile(join(root.dir, path), 'utf8'), content)
  return root
}

test('a file under its own path is read and gets its line, and keeps its mtime', async () => {
  const { line } = await taken({
    texts: { 's.ds/a.root': text },
    before: root => utimes(join(root.dir, 's.ds/a.root'), 1e9, 1e9),
  })
  assert.is(line.adler32, fileOf('s:a.root', text).adler32)
  assert.is(line.md5, md5Of(text))
  assert.is(line.mtime, '2001-09-09T01:46:40.000Z')
})

test('what rucio download made of a DID of another scope is moved, and its empty folder goes', async () => {
  const { root, name } = await taken({ did: 't:s.ds', texts: { 's.ds/a.root': text } })
  assert.is(name, 't=3As.ds')
  assert.equal((await readdir(root.dir)).sort(), ['.rucio', 'requests', 't=3As.ds'])
})

test('a folder that holds anything else stays', async () => {
  const { root } = await taken({ did: 't:s.ds', texts: { 's.ds/a.root': text, 's.ds/mine.txt': 'mine' } })
  assert.equal(await readdir(join(root.dir, 's.ds')), ['mine.txt'])
})

test('names with slashes lie in nested folders, a leading slash leaves the last part', async () => {
  const nested = await taken({
    did: 'user.jdoe:user.jdoe.with/slashes.v1',
    file: fileOf('user.jdoe:user.jdoe/sub/one.root', text),
    texts: { 'user.jdoe.with/slashes.v1/user.jdoe/sub/one.root': text },
  })
  assert.equal((await readdir(nested.root.dir)).sort(), ['.rucio', 'requests', 'user.jdoe.with=2Fslashes.v1'])
  await taken({
    did: 'cms:/Prim/Proc/AOD',
    file: fileOf('cms:/store/mc/two.root', text),
    texts: { 'Prim/Proc/AOD/two.root': text },
  })
})

test('a raw name in the right folder is taken too, and folders of its own go', async () => {
  const { root } = await taken({ file: fileOf('s:sub/x#1.root', text), texts: { 's.ds/sub/x#1.root': text } })
  assert.equal((await readdir(join(root.dir, 's.ds'))).sort(), ['.rucio', 'sub=2Fx=231.root'])
})

test('a file that was asked for by itself lies in a folder of its scope', async () => {
  const { root } = await taken({
    did: 's:a.root',
    file: fileOf('s:a.root', text),
    texts: { 's/a.root': text },
  })
  assert.not((await readdir(root.dir)).includes('s'))
})

test('md5 alone is compared, and without any checksum the size is', async () => {
  const { adler32: _, ...bare } = fileOf('s:a.root', text)
  const byMd5 = await taken({ file: { ...bare, md5: md5Of(text) }, texts: { 's.ds/a.root': text } })
  assert.is(byMd5.line.unchecked, undefined)
  await left({ file: { ...bare, md5: md5Of('x') }, texts: { 's.ds/a.root': text } })
  const bySize = await taken({ file: bare, texts: { 's.ds/a.root': text } })
  assert.is(bySize.line.unchecked, true)
})

test('without any checksum of the catalogue the bytes that were verified here before are the right ones', async () => {
  const root = await dataDir()
  const did = 's:s.ds'
  const { name, lines } = await list(root, did, [{ did: 's:a.root', bytes: text.length }])
  const [line] = lines
  if (line === undefined) throw new Error('no line')
  const path = await write(root, 's.ds/a.root', text)
  const options = { root, name, bareName: name, line, world, signal: never }
  const before = await adopt(options)
  if (before === undefined) throw new Error('not adopted')
  await write(root, 's.ds/a.root', text.replace('right', 'wrong'))
  assert.is((await stat(path)).size, text.length)
  assert.is(await adopt({ ...options, before }), undefined)
  await write(root, 's.ds/a.root', text)
  assert.is((await adopt({ ...options, before }))?.adler32, before.adler32)
})

test('wrong size and wrong bytes are left where they lie', async () => {
  await left({ texts: { 's.ds/a.root': 'short' } })
  await left({ texts: { 's.ds/a.root': 'the wrong bytes' } })
  await left({ did: 't:s.ds', texts: { 's.ds/a.root': 'the wrong bytes' } })
  await left({ texts: {} })
})

test('wrong bytes under its own path go to aside when the right ones lie elsewhere', async () => {
  const { root, name } = await taken({
    did: 't:s.ds',
    texts: { 't=3As.ds/a.root': 'the wrong bytes', 's.ds/a.root': text },
  })
  const [kept = ''] = await readdir(layout.aside(root, name))
  assert.is(await readFile(join(layout.aside(root, name), kept), 'utf8'), 'the wrong bytes')
})

test("another dataset's files are not taken, nor those of a data directory within", async () => {
  await left({
    did: 't:s.ds',
    texts: { 's.ds/a.root': text },
    before: root => makeFolder(root, 's.ds'),
  })
  await left({
    did: 't:s/deep.ds',
    texts: { 's/deep.ds/a.root': text },
    before: root => mkdir(join(root.dir, 's/.rucio')),
  })
})

test('a twin that has its line keeps its bytes, though they are the same', async () => {
  const root = await dataDir()
  const name = await whole(root, 's:s.ds', { 'a.root': text })
  const [, twin] = (await list(root, 's:s.ds', [fileOf('s:a.root', text), fileOf('t:a.root', text)])).lines
  if (twin === undefined) throw new Error('no twin')
  assert.match(twin.path, /~/)
  const options = { root, name, bareName: 's.ds', line: twin, world, signal: never }
  assert.is(await adopt(options), undefined)
  assert.is(await readFile(layout.file(root, name, 'a.root'), 'utf8'), text)
})

test("a hostile name reaches nothing of the daemon's own", async () => {
  const hostile: [string, string, string][] = [
    ['s:s.ds', 's:.rucio/x', 's.ds/.rucio/x'],
    ['s:s.ds', 's:.RUCIO/x', 's.ds/.RUCIO/x'],
    ['s:s.ds', 's:INCOMPLETE.txt', 's.ds/INCOMPLETE.txt'],
    ['s:.rucio', 's:x', '.rucio/x'],
    ['s:requests', 's:x.json', 'requests/x.json'],
    ['s:watch/y', 's:x', 'watch/y/x'],
  ]
  for (const [did, file, path] of hostile)
    await left({ did, file: fileOf(file, text), texts: { [path]: text } })
})

test('links and special files are neither followed nor taken', async () => {
  const outside = await write(await dataDir(), 'outside', text)
  const viaFile = await tryIt({
    texts: { 's.ds/x': '' },
    before: root => symlink(outside, join(root.dir, 's.ds/a.root')),
  })
  assert.is(viaFile.line, undefined)
  const viaFolder = await tryIt({
    did: 't:s.ds',
    texts: { 'far/a.root': text },
    before: root => symlink(join(root.dir, 'far'), join(root.dir, 's.ds')),
  })
  assert.is(viaFolder.line, undefined)
  const folder = await tryIt({ texts: {}, before: root => mkdir(join(root.dir, 's.ds/a.root')) })
  assert.is(folder.line, undefined)
  assert.is(await readFile(outside, 'utf8'), text)
})

test('sums are those of the bytes, and none are given of a file that changes while it is read', async () => {
  const root = await dataDir()
  const path = await write(root, 'big', Buffer.alloc(3 * 2 ** 20 + 1, 'x'))
  const sums = await readSums(root, path, never)
  assert.is(sums?.bytes, 3 * 2 ** 20 + 1)
  assert.is(sums?.md5, md5Of('x'.repeat(3 * 2 ** 20 + 1)))
  const other = await write(root, 'other', Buffer.alloc(3 * 2 ** 20 + 1, 'x'))
  for (const change of [
    () => appendFileSync(path, 'x'),
    () => truncateSync(path, 2 ** 20),
    () => writeFileSync(path, 'y', { flag: 'r+' }),
    () => renameSync(other, path),
    () => rmSync(path),
  ])
    assert.is(await readSums(root, path, meanwhile(change)), undefined)
  assert.is(await readSums(root, path, never), undefined)
})

/** A signal that is never given; when the first piece of a file was read, `change` comes. */
function meanwhile(change: () => void): AbortSignal {
  const { signal } = new AbortController()
  let looks = 0
  signal.throwIfAborted = () => {
    if (++looks === 3) change()
  }
  return signal
}

test('reading stops at once when it is told to', async () => {
  const root = await dataDir()
  const path = await write(root, 'x', text)
  const stopped = AbortSignal.abort(new Trouble('offline', 'stopped'))
  const error = await rejects(readSums(root, path, stopped))
  assert.is(error instanceof Trouble && error.detail, 'stopped')
})

test('a whole folder from elsewhere is adopted file by file, and then whole', async () => {
  const root = await dataDir()
  const files = ['one.root', 'sub/two.root', 'Three#3'].map(file => fileOf(`s:${file}`, file))
  for (const file of files) await write(root, `s.ds/${file.did.slice(2)}`, file.did.slice(2))
  const { name, lines } = await list(root, 's:s.ds', files)
  const log = await VerifiedLog.open(root, name)
  for (const line of lines) {
    const verified = await adopt({ root, name, bareName: 's.ds', line, world, signal: never })
    if (verified !== undefined) await log.append(verified)
  }
  await log.sync()
  await log.close()
  assert.is((await prove(root, name)).kind, 'whole')
  assert.equal((await readdir(layout.dataset(root, name))).sort(), [
    '.rucio',
    'Three=233',
    'one.root',
    'sub=2Ftwo.root',
  ])
})

test.run()
