import { lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { put } from '../../src/disk/put.ts'
import {
  checkRoot,
  closeRoot,
  freeBytes,
  NotOurs,
  openRoot,
  prepare,
  probeWrite,
} from '../../src/disk/root.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, temporary, world } from '../help/data.ts'
import { own } from './root.ts'

const test = suite('root')
test.after(sweep)

const open = (dir: string, dataId?: string) =>
  openRoot({ dir, fenced: false, world, ...(dataId === undefined ? {} : { dataId }) })

async function refused(promise: Promise<unknown>): Promise<string> {
  const error = await rejects(promise)
  assert.instance(error, NotOurs)
  return String(error)
}

test('an empty directory becomes a data directory, and is the same one from then on', async () => {
  const dir = await temporary()
  for (const litter of ['lost+found', '.Trash-1000', 'System Volume Information'])
    await mkdir(join(dir, litter))
  for (const litter of ['.DS_Store', '._x', 'Thumbs.db', 'desktop.ini'])
    await writeFile(join(dir, litter), '')
  const first = await open(dir)
  assert.ok(first.made)
  const second = await open(dir, first.root.id)
  assert.not.ok(second.made)
  assert.is(second.root.id, first.root.id)
  assert.is.not(second.root.bootId, first.root.bootId)
  assert.equal(JSON.parse(await readFile(layout.format(dir), 'utf8')), {
    format: 1,
    id: first.root.id,
    scope_rule: 'default',
  })
})

test('two that begin at once get one id', async () => {
  const dir = await temporary()
  const roots = await Promise.all([open(dir), open(dir), open(dir)])
  assert.is(new Set(roots.map(each => each.root.id)).size, 1)
  assert.is(roots.filter(each => each.made).length, 1)
})

test('a start that was killed before its id was written begins anew', async () => {
  const dir = await temporary()
  await mkdir(join(dir, '.rucio', 'staging', 'x'), { recursive: true })
  await writeFile(join(dir, '.rucio', 'staging', 'x', '1'), '{"format"')
  assert.ok((await open(dir)).made)
})

test('a directory that is not ours is refused, and stays as it was', async () => {
  const other = await temporary()
  await writeFile(join(other, 'thesis.tex'), '')
  assert.match(await refused(open(other)), /thesis\.tex/)
  assert.equal(await readdir(other), ['thesis.tex'])

  const emptied = await temporary()
  await mkdir(join(emptied, '.rucio', 'catalogue'), { recursive: true })
  assert.match(await refused(open(emptied)), /catalogue/)

  const empty = await temporary()
  assert.match(await refused(open(empty, 'abc')), /mounted/)
  assert.equal(await readdir(empty), [])
  assert.match(await refused(open(join(empty, 'absent'))), /does not exist/)
  await writeFile(join(empty, 'file'), '')
  assert.match(await refused(open(join(empty, 'file'))), /no directory/)

  const ours = await temporary()
  const { root } = await open(ours)
  assert.match(await refused(open(ours, 'abc')), new RegExp(`${root.id}, not abc`))
  await writeFile(layout.format(ours), '{"format": 1, "id"')
  assert.match(await refused(open(ours)), /cannot be read/)
  await rm(layout.own(root), { recursive: true })
  await symlink(other, join(ours, '.rucio'))
  assert.instance(await rejects(open(ours)), Trouble)
  assert.equal(await readdir(other), ['thesis.tex'])
})

test('the data directory itself may be reached over a link', async () => {
  const dir = await temporary()
  const real = join(dir, 'real')
  await mkdir(real)
  await symlink(real, join(dir, 'link'))
  const { root } = await open(join(dir, 'link'))
  assert.is(root.dir, real)
  assert.is(await checkRoot(root), 'ready')
})

test('a directory of a newer format is opened for reading, and nothing in it changes', async () => {
  const dir = await temporary()
  await mkdir(join(dir, '.rucio'))
  await writeFile(layout.format(dir), '{"format": 2, "id": "abc", "scope_rule": "new"}')
  const { root, made } = await open(dir, 'abc')
  assert.not.ok(made)
  assert.is(root.readOnly, true)
  await prepare(root, undefined, Date.now())
  assert.is(await probeWrite(root), 'read_only')
  assert.is(await checkRoot(root), 'ready')
  assert.equal((await readdir(dir, { recursive: true })).sort(), ['.rucio', '.rucio/format.json'])
})

test('a directory that was emptied, or another one in its place, is missing', async () => {
  const dir = await temporary()
  const { root } = await open(dir)
  assert.is(await checkRoot(root), 'ready')
  assert.is(await probeWrite(root), 'ready')
  assert.ok((await freeBytes(root)) > 0)
  await writeFile(layout.format(dir), '{"format":1,"id":"other","scope_rule":"default"}')
  assert.is(await checkRoot(root), 'missing')
  await rm(layout.own(root), { recursive: true })
  assert.is(await checkRoot(root), 'missing')
  assert.is(await probeWrite(root), 'read_only')
  assert.equal(await readdir(dir), [])
})

test('at the start what the last owner staged goes at once, what others did after a minute', async () => {
  const dir = await temporary()
  const { root } = await open(dir)
  await own(root, root.bootId)
  const daemon = { ...root, fenced: true }
  for (const boot of ['last', 'old', 'young']) {
    await mkdir(join(layout.stagings(root), boot))
    await writeFile(join(layout.stagings(root), boot, '1'), 'x')
  }
  await symlink(dir, join(layout.stagings(root), 'link'))
  const now = Date.now()
  await utimes(join(layout.stagings(root), 'old'), now / 1000 - 61, now / 1000 - 61)
  const told: unknown[] = []
  await prepare(daemon, 'last', now, async lives => {
    told.push([...lives].sort(), await readdir(join(layout.stagings(root), 'last')))
  })
  // Whatever its age, and before its folder goes.
  assert.equal(told, [['last', 'link', 'old', 'young'], ['1']])
  assert.equal((await readdir(layout.stagings(root))).sort(), [root.bootId, 'link', 'young'].sort())
  await prepare(daemon, 'last', now + 61_000)
  assert.equal(await readdir(layout.stagings(root)), [root.bootId])
  for (const made of [layout.requests(root), layout.watch(root), layout.trash(root), layout.hosts(root)])
    assert.ok((await lstat(made)).isDirectory())
  await closeRoot(root)
  assert.equal(await readdir(layout.stagings(root)), [])
  await put(root, layout.request(root, 'a'), {})
})

test.run()
