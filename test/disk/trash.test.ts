import { access, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { Fenced } from '../../src/disk/put.ts'
import { inTrash, throwAway } from '../../src/disk/trash.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { dataDir, own } from './root.ts'

const test = suite('trash')
test.after(sweep)

const name = 'mc16.d'
const line = (path: string) =>
  `${JSON.stringify({ did: `mc16:${path}`, path, bytes: 1, adler32: '00620062' })}\n`
const verified = (path: string) =>
  `${JSON.stringify({ path, bytes: 1, adler32: '00620062', mtime: '2026-01-01T00:00:00Z', at: '2026-01-01T00:00:00Z' })}\n`

/** A dataset as the daemon leaves it, with a.root and b.root here, c.root a part, and what a person put beside them. */
async function dataset(root: Root): Promise<void> {
  const records = layout.records(root, name)
  await mkdir(join(records, 'parts'), { recursive: true })
  await mkdir(join(records, 'aside'))
  const head =
    '{"format":1,"did":"mc16:d","type":"DATASET","open":false,"length":3,"bytes":3,"fetched":"x"}\n'
  await writeFile(layout.listing(root, name), head + line('a.root') + line('b.root') + line('c.root'))
  await writeFile(layout.verified(root, name), `{"format":1,"id":"${root.id}"}\n${verified('a.root')}`)
  await writeFile(layout.part(root, name, 'c.root'), 'x')
  await writeFile(layout.keptRequest(root, name), '')
  for (const file of ['a.root', 'b.root', 'INCOMPLETE.txt', 'notes.txt'])
    await writeFile(layout.file(root, name, file), 'x')
  await writeFile(join(records, 'aside', 'a.root'), 'mine')
}

async function all(dir: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true }).catch(() => [])).sort()
}

test('what is Rucio’s goes, what a person put there stays, aside too', async () => {
  const root = await dataDir({ fenced: true })
  await dataset(root)
  await throwAway(root, name)
  assert.equal(await all(layout.dataset(root, name)), ['aside', 'aside/a.root', 'notes.txt'])
  assert.is(await readFile(join(layout.dataset(root, name), 'aside', 'a.root'), 'utf8'), 'mine')
  assert.equal(await inTrash(root), [])
  await throwAway(root, name)
  await throwAway(root, 'never.was')
  assert.equal(await all(layout.dataset(root, name)), ['aside', 'aside/a.root', 'notes.txt'])
})

test('a folder with nothing else in it goes too', async () => {
  const root = await dataDir({ fenced: true })
  await dataset(root)
  await rename(layout.file(root, name, 'notes.txt'), join(root.dir, 'notes.txt'))
  await rename(join(layout.aside(root, name), 'a.root'), join(root.dir, 'a.root'))
  await throwAway(root, name)
  assert.equal(await readdir(root.dir), ['.rucio', 'a.root', 'notes.txt', 'requests'])
  await mkdir(layout.dataset(root, 'empty'))
  await throwAway(root, 'empty')
  assert.equal(await readdir(root.dir), ['.rucio', 'a.root', 'notes.txt', 'requests'])
})

test('stopped at every step and called again, it ends the same', async () => {
  for (let stop = 0, ended = false; !ended; stop++) {
    const plain = await dataDir()
    await dataset(plain)
    let left = stop
    // Every change of the disk asks the fence first, and the fence asks this.
    const root: Root = {
      ...plain,
      get fenced(): boolean {
        if (left-- === 0) throw new Error('stopped here')
        return false
      },
    }
    ended = await throwAway(root, name).then(
      () => true,
      error => {
        assert.match(String(error), /stopped here/)
        return false
      },
    )
    assert.ok(stop > 4 || !ended, 'it was never stopped')
    if (!ended) assert.ok((await inTrash(plain)).includes(name) || stop === 0, `stop ${stop}`)
    await throwAway(plain, name)
    assert.equal(await all(layout.dataset(plain, name)), ['aside', 'aside/a.root', 'notes.txt'], `${stop}`)
    assert.equal(await inTrash(plain), [])
  }
})

test('a folder deleted by hand in the middle of it gets back what was aside', async () => {
  const root = await dataDir()
  await dataset(root)
  await mkdir(layout.trash(root))
  await rename(layout.records(root, name), layout.trashed(root, name))
  await rename(layout.dataset(root, name), join(root.dir, 'elsewhere'))
  await throwAway(root, name)
  assert.equal(await all(layout.dataset(root, name)), ['aside', 'aside/a.root'])
  assert.equal(await all(join(root.dir, 'elsewhere')), ['INCOMPLETE.txt', 'a.root', 'b.root', 'notes.txt'])
})

test('a folder of the name aside is left, the next number taken', async () => {
  const root = await dataDir()
  await dataset(root)
  await mkdir(layout.file(root, name, 'aside'))
  await writeFile(layout.file(root, name, 'aside-2'), 'x')
  await throwAway(root, name)
  assert.equal(await all(layout.dataset(root, name)), [
    'aside',
    'aside-2',
    'aside-3',
    'aside-3/a.root',
    'notes.txt',
  ])
})

test('a hostile listing reaches nothing but plain files of its own folder', async () => {
  const outside = await temporary()
  await writeFile(join(outside, 'victim'), 'safe')
  const root = await dataDir()
  await dataset(root)
  await writeFile(layout.request(root, 'other'), '{}')
  const climbing = ['../requests/other.json', '..', '.', '.rucio', 'x/y', '/etc/passwd', '', 'a\u0000b'].map(
    line,
  )
  await writeFile(
    layout.listing(root, name),
    `no head\n${climbing.join('')}${line('link')}${line('folder')}${line('a.root')}{"cut`,
  )
  await symlink(join(outside, 'victim'), layout.file(root, name, 'link'))
  await mkdir(layout.file(root, name, 'folder'))
  await symlink(outside, join(layout.parts(root, name), 'link'))
  await throwAway(root, name)
  assert.equal(await all(layout.dataset(root, name)), [
    'aside',
    'aside/a.root',
    'b.root',
    'folder',
    'link',
    'notes.txt',
  ])
  assert.equal(await readdir(layout.requests(root)), ['other.json'])
  assert.is(await readFile(join(outside, 'victim'), 'utf8'), 'safe')
})

test('a file of an earlier listing goes by our own proof, by another’s it stays', async () => {
  for (const [id, stays] of [
    ['test-id', false],
    ['another', true],
  ] as const) {
    const root = await dataDir()
    await dataset(root)
    await writeFile(layout.file(root, name, 'old.root'), 'x')
    await writeFile(layout.verified(root, name), `{"format":1,"id":"${id}"}\n${verified('old.root')}`)
    await throwAway(root, name)
    assert.is((await all(layout.dataset(root, name))).includes('old.root'), stays)
  }
})

test('links in the place of the folder or its records are refused, and what they lead to stays', async () => {
  const root = await dataDir()
  await dataset(root)
  const aside = await temporary()
  await rename(layout.records(root, name), join(aside, 'records'))
  await symlink(join(aside, 'records'), layout.records(root, name))
  await symlink(layout.dataset(root, name), layout.dataset(root, 'linked'))
  for (const each of [name, 'linked', '..', '.rucio', 'requests', 'a/b']) {
    const error = await rejects(throwAway(root, each))
    assert.ok(error instanceof Trouble && error.reason === 'refused', each)
  }
  await access(join(aside, 'records', 'listing.jsonl'))
  await access(layout.file(root, name, 'a.root'))
})

test('who lost the data directory removes nothing', async () => {
  const root = await dataDir({ fenced: true })
  await dataset(root)
  await own(root, 'boot-b')
  assert.instance(await rejects(throwAway(root, name)), Fenced)
  await access(layout.listing(root, name))
  await access(layout.file(root, name, 'a.root'))
})

test.run()
