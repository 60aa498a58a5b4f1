import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { putMissing } from '../../src/disk/lines.ts'
import { didHere, isRequestKept, knownNames, wordOf } from '../../src/disk/word.ts'
import { Trouble } from '../../src/words/reason.ts'
import { toIso } from '../../src/words/world.ts'
import { rejects, sweep } from '../help/data.ts'
import { fileOf, list, makeFolder, whole } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('word')
test.after(sweep)

const name = 's.ds'
const now = Date.parse('2026-03-01T10:00:00Z')

async function start(): Promise<Root> {
  const root = await dataDir()
  await mkdir(layout.catalogue(root))
  await mkdir(layout.trash(root))
  return root
}

async function word(root: Root, of = name): Promise<string> {
  return (await wordOf(root, of, now)).word
}

async function missing(root: Root, untilMs: number, did = 's:s.ds'): Promise<void> {
  const head = { format: 1, did, type: 'NONE', fetched: toIso(now), until: toIso(untilMs), tries: 1 } as const
  await putMissing(root, layout.answer(root, name), head)
}

test('a name that nothing speaks of is not on the server', async () => {
  const root = await start()
  assert.equal(await wordOf(root, name, now), { word: 'not_on_server', paths: [] })
  await mkdir(layout.dataset(root, name))
  assert.is(await word(root), 'not_on_server')
})

test('a request makes it downloading: empty, paused, broken, no text at all, or kept in the folder', async () => {
  const root = await start()
  for (const text of ['', '{"paused":true}', '{"priority":', '{"remove":"yes"}', Buffer.from([0xff, 0xff])]) {
    await writeFile(layout.request(root, name), text)
    assert.is(await word(root), 'downloading', String(text))
  }
  await makeFolder(root, name)
  await rename(layout.request(root, name), layout.keptRequest(root, name))
  assert.is(await word(root), 'downloading')
})

test('a whole dataset is local, with or without its request, and tells its files', async () => {
  const root = await start()
  await whole(root, 's:s.ds', { b: '2', a: '1' })
  assert.equal(await wordOf(root, name, now), { word: 'local', paths: ['b', 'a'] })
  await writeFile(layout.request(root, name), '')
  assert.is(await word(root), 'local')
  await rm(layout.file(root, name, 'a'))
  assert.is(await word(root), 'downloading')
  await rm(layout.request(root, name))
  assert.is(await word(root), 'not_on_server')
})

test('a folder that a person has renamed asks for nothing under its new name, and is whole under the old one again', async () => {
  const root = await start()
  await whole(root, 's:s.ds', { a: '1' })
  await writeFile(layout.keptRequest(root, name), '')
  await rename(layout.dataset(root, name), layout.dataset(root, 's.mine'))
  assert.equal([await word(root), await word(root, 's.mine')], ['not_on_server', 'not_on_server'])
  assert.is(await isRequestKept(root, 's.mine'), false)
  await rm(layout.file(root, 's.mine', 'a'))
  assert.is(await word(root, 's.mine'), 'not_on_server')
  await rename(layout.dataset(root, 's.mine'), layout.dataset(root, name))
  assert.is(await word(root), 'downloading')
  assert.is(await isRequestKept(root, name), true)
})

test('while a removal is pending it is not on the server, whole or not', async () => {
  const root = await start()
  await whole(root, 's:s.ds', { a: '1' })
  await writeFile(layout.request(root, name), '{"remove":true}')
  assert.is(await word(root), 'not_on_server')
  await rm(layout.request(root, name))
  assert.is(await word(root), 'local')
  await rename(layout.records(root, name), layout.trashed(root, name))
  await missing(root, now + 1000)
  assert.is(await word(root), 'not_on_server')
})

test('a new wish over a removal that has begun is downloading', async () => {
  const root = await start()
  await mkdir(layout.trashed(root, name))
  await writeFile(layout.request(root, name), '')
  assert.is(await word(root), 'downloading')
})

test('it does not exist while the answer is fresh, and a whole dataset is local all the same', async () => {
  const root = await start()
  await missing(root, now + 3600_000)
  assert.is(await word(root), 'does_not_exist')
  await writeFile(layout.request(root, name), '')
  assert.is(await word(root), 'does_not_exist')
  await missing(root, now)
  assert.is(await word(root), 'downloading')
  await missing(root, now + 48 * 3600_000)
  assert.is(await word(root), 'downloading', 'written under another clock')
  await missing(root, now + 1000, 's:S.DS')
  assert.is(await word(root), 'downloading', "another's answer")
  await missing(root, now + 1000)
  await whole(root, 's:s.ds', { a: '1' })
  assert.is(await word(root), 'local')
})

test('a listing that was only asked for is no wish', async () => {
  const root = await start()
  await list(root, 's:s.ds', [fileOf('s:a', '1')])
  await rename(layout.listing(root, name), layout.answer(root, name))
  assert.is(await word(root), 'not_on_server')
})

test('a link where the dataset should lie is refused, never followed', async () => {
  const root = await start()
  await whole(root, 's:s.ds', { a: '1' })
  await rename(layout.dataset(root, name), `${root.dir}/away`)
  await symlink(`${root.dir}/away`, layout.dataset(root, name))
  const error = await rejects(wordOf(root, name, now))
  assert.is(error instanceof Trouble && error.reason, 'refused')
})

test('names are known from requests, dataset folders and the trash, and from nothing else', async () => {
  const root = await start()
  await writeFile(layout.request(root, 's.waiting'), '')
  await writeFile(`${layout.requests(root)}/t:typed.json`, '')
  await writeFile(layout.request(root, `s=3A${'x'.repeat(156)}~0123456789abcdef`), '{}')
  for (const file of ['s.x.json.problem', 'notes.txt', '.s.hidden.json', 'a b.json', '=2E=2E.json'])
    await writeFile(`${layout.requests(root)}/${file}`, '')
  await makeFolder(root, 's.here')
  await mkdir(layout.trashed(root, 's.going'))
  await mkdir(`${root.dir}/holiday`)
  await mkdir(`${root.dir}/.hidden`)
  await writeFile(`${root.dir}/file`, '')
  assert.equal(
    [...(await knownNames(root))].sort(),
    ['s.going', 's.here', 's.waiting', 't=3Atyped', `s=3A${'x'.repeat(156)}~0123456789abcdef`].sort(),
  )
})

test('what a NAME stands for is said by its own records', async () => {
  const root = await start()
  assert.is(await didHere(root, name), undefined)
  await missing(root, now)
  assert.equal(await didHere(root, name), { scope: 's', name: 's.ds' })
  await writeFile(layout.request(root, 't=3Ax'), '')
  assert.equal(await didHere(root, 't=3Ax'), { scope: 't', name: 'x' })
  const long = `s:s.${'n'.repeat(240)}`
  const { name: cut } = await list(root, long, [])
  assert.equal(await didHere(root, cut), { scope: 's', name: long.slice(2) })
  await rm(layout.listing(root, cut))
  assert.is(await didHere(root, cut), undefined)
  await writeFile(layout.request(root, cut), JSON.stringify({ did: 's:another' }))
  assert.is(await didHere(root, cut), undefined)
  await writeFile(layout.request(root, cut), JSON.stringify({ did: long }))
  assert.equal(await didHere(root, cut), { scope: 's', name: long.slice(2) })
})

test.run()
