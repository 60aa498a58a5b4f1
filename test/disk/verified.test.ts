import { appendFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { readVerified, VerifiedLog } from '../../src/disk/lines.ts'
import { Fenced } from '../../src/disk/put.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { VerifiedLine } from '../../src/words/verified.ts'
import { rejects, sweep } from '../help/data.ts'
import { makeFolder } from './dataset.ts'
import { dataDir, own } from './root.ts'

const test = suite('verified')
test.after(sweep)

const name = 's.ds'

function line(path: string, bytes = 1): VerifiedLine {
  return {
    path,
    bytes,
    adler32: '00000001',
    mtime: '2026-01-01T00:00:00.000Z',
    at: '2026-01-01T00:00:00.000Z',
  }
}

async function start(fenced = false): Promise<{ root: Root; path: string }> {
  const root = await dataDir({ fenced })
  await makeFolder(root, name)
  return { root, path: layout.verified(root, name) }
}

async function append(root: Root, ...lines: VerifiedLine[]): Promise<void> {
  const log = await VerifiedLog.open(root, name)
  for (const each of lines) await log.append(each)
  await log.sync()
  await log.close()
}

const paths = async (root: Root): Promise<string[]> => [...(await readVerified(root, name)).keys()]

test('lines that were appended are read by this process and by the next, the last one for a path counts', async () => {
  const { root } = await start()
  await append(root, line('a'), line('b'))
  const log = await VerifiedLog.open(root, name)
  assert.equal([...log.lines.keys()], ['a', 'b'])
  await log.append(line('a', 2))
  assert.is(log.lines.get('a')?.bytes, 2)
  assert.is((await readVerified(root, name)).get('a')?.bytes, 2)
  await log.close()
})

test('half a last line is cut before the first append, and a line in the middle that does not parse does not count', async () => {
  const { root, path } = await start()
  await append(root, line('a'))
  await appendFile(path, '\0\0\0\n{"path":"../x"}\n{"path":"b","byt')
  await append(root, line('c'))
  assert.equal(await paths(root), ['a', 'c'])
  assert.not((await readFile(path, 'utf8')).includes('"byt\n'))
  assert.not((await readFile(path, 'utf8')).includes('"byt{'))
})

test("of another data directory's file, or one without a head, no line counts, and it is written anew", async () => {
  const { root, path } = await start()
  const other = JSON.stringify({ format: 1, id: 'other' })
  const body = `${JSON.stringify(line('a'))}\n`
  for (const text of [
    `${other}\n${body}`,
    body,
    '',
    '\n',
    'junk',
    JSON.stringify({ format: 1, id: root.id }),
  ]) {
    await writeFile(path, text)
    assert.equal(await paths(root), [], text)
    await append(root, line('b'))
    assert.equal(await paths(root), ['b'], text)
    assert.not((await readFile(path, 'utf8')).includes('"a"'), text)
  }
})

test('many appends at once are all written, each once and whole', async () => {
  const { root } = await start()
  const log = await VerifiedLog.open(root, name)
  const all = Array.from({ length: 500 }, (_, i) => line(`f${i}`))
  await Promise.all(all.map(each => log.append(each)))
  await log.sync()
  await log.close()
  const text = await readFile(layout.verified(root, name), 'utf8')
  assert.is(text.trimEnd().split('\n').length, 501)
  assert.is((await paths(root)).length, 500)
})

test('links are refused, for the file and for the folders on the way', async () => {
  const { root, path } = await start()
  const outside = `${root.dir}/outside`
  await writeFile(outside, `${JSON.stringify({ format: 1, id: root.id })}\n`)
  await symlink(outside, path)
  assert.instance(await rejects(VerifiedLog.open(root, name)), Trouble)
  await rm(path)
  await rename(layout.records(root, name), `${root.dir}/away`)
  await symlink(`${root.dir}/away`, layout.records(root, name))
  assert.instance(await rejects(VerifiedLog.open(root, name)), Trouble)
  assert.is((await stat(outside)).size, JSON.stringify({ format: 1, id: root.id }).length + 1)
})

test('a file that was removed or replaced under an open log is told at the next sync, and then the log is of no use', async () => {
  const { root, path } = await start()
  const log = await VerifiedLog.open(root, name)
  await log.append(line('a'))
  await rm(path)
  assert.instance(await rejects(log.sync()), Trouble)
  assert.instance(await rejects(log.append(line('b'))), Trouble)
  assert.not(log.lines.has('b'))
  await log.close()
  await append(root, line('c'))
  assert.equal(await paths(root), ['c'])
})

test('a process that does not own the directory any more cuts and appends nothing', async () => {
  const { root, path } = await start(true)
  await append(root, line('a'))
  await appendFile(path, 'half')
  await own(root, 'boot-b')
  assert.instance(await rejects(VerifiedLog.open(root, name)), Fenced)
  assert.ok((await readFile(path, 'utf8')).endsWith('half'))
})

test('a folder in its place is refused', async () => {
  const { root, path } = await start()
  await mkdir(path)
  assert.instance(await rejects(VerifiedLog.open(root, name)), Trouble)
})

test.run()
