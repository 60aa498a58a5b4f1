import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { lstat, mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { Fenced, fence, makeDir, move, put, putText, remove, stagingPath } from '../../src/disk/put.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { dataDir, own } from './root.ts'

const run = promisify(execFile)
const test = suite('put')
test.after(sweep)

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await rejects(promise)
  if (!(error instanceof Trouble)) throw error
  return error.reason
}

async function stagedNow(root: Root): Promise<string[]> {
  return readdir(layout.staging(root)).catch(() => [])
}

test('a record lies whole under its name, and nothing is left in staging', async () => {
  const root = await dataDir()
  const target = layout.request(root, 'a')
  await put(root, target, { priority: 1 })
  await put(root, target, { priority: 2, mine: 'kept' })
  assert.is(await readFile(target, 'utf8'), '{\n  "priority": 2,\n  "mine": "kept"\n}\n')
  await putText(root, layout.problem(root, 'a.json'), 'ä')
  assert.is(await readFile(layout.problem(root, 'a.json'), 'utf8'), 'ä')
  assert.equal(await stagedNow(root), [])
})

test('an empty text is a text: it replaces what is there', async () => {
  const root = await dataDir()
  await putText(root, layout.request(root, 'a'), 'x')
  await putText(root, layout.request(root, 'a'), '')
  assert.is(await readFile(layout.request(root, 'a'), 'utf8'), '')
})

test('many writers of one name leave one whole record of theirs', async () => {
  const root = await dataDir({ fenced: true })
  const target = layout.request(root, 'a')
  const reads: string[] = []
  const writers = Array.from({ length: 40 }, (_, n) => put(root, target, { n, filler: 'x'.repeat(n * 500) }))
  const reader = (async () => {
    for (let i = 0; i < 40; i++) reads.push(await readFile(target, 'utf8').catch(() => '{}'))
  })()
  await Promise.all([...writers, reader])
  for (const text of [...reads, await readFile(target, 'utf8')]) {
    const { n, filler } = JSON.parse(text) as { n?: number; filler?: string }
    if (n !== undefined) assert.is(filler?.length, n * 500)
  }
  assert.equal(await stagedNow(root), [])
})

test('the staging folder is made anew, but never .rucio', async () => {
  const root = await dataDir()
  await put(root, layout.request(root, 'a'), {})
  await rm(layout.stagings(root), { recursive: true })
  await put(root, layout.request(root, 'a'), { again: true })
  await rm(layout.own(root), { recursive: true })
  assert.is(await refusal(put(root, layout.request(root, 'a'), { lost: true })), 'read_only')
  assert.equal((await readdir(root.dir)).sort(), ['requests'])
  assert.match(await readFile(layout.request(root, 'a'), 'utf8'), /again/)
})

test('a folder that is not there is not made for a record', async () => {
  const root = await dataDir()
  assert.is(await refusal(put(root, layout.listing(root, 'a'), {})), 'disk_error')
  assert.equal((await readdir(root.dir)).sort(), ['.rucio', 'requests'])
  assert.equal(await stagedNow(root), [])
})

test('a link as the target is replaced, never followed', async () => {
  const root = await dataDir()
  const victim = join(await temporary(), 'victim')
  await writeFile(victim, 'safe')
  await symlink(victim, layout.request(root, 'a'))
  await put(root, layout.request(root, 'a'), {})
  assert.ok((await lstat(layout.request(root, 'a'))).isFile())
  assert.is(await readFile(victim, 'utf8'), 'safe')
})

test('a link among the folders is refused by every step, and what it leads to stays as it was', async () => {
  const outside = await temporary()
  await writeFile(join(outside, 'a.json'), 'safe')
  for (const plant of ['requests', '.rucio', '.rucio/staging', '.rucio/staging/boot-a']) {
    const root = await dataDir()
    await put(root, layout.request(root, 'b'), {})
    const place = join(root.dir, plant)
    await rm(place, { recursive: true })
    await symlink(outside, place)
    assert.is(await refusal(put(root, layout.request(root, 'a'), {})), 'refused', plant)
  }
  const root = await dataDir()
  await symlink(outside, layout.dataset(root, 'd'))
  const inside = layout.file(root, 'd', 'a.json')
  await put(root, layout.request(root, 'a'), {})
  assert.is(await refusal(remove(root, inside)), 'refused')
  assert.is(await refusal(move(root, layout.request(root, 'a'), inside)), 'refused')
  assert.is(await refusal(move(root, inside, layout.request(root, 'c'))), 'refused')
  assert.is(await refusal(makeDir(layout.dataset(root, 'd'))), 'refused')
  assert.is(await refusal(makeDir(layout.records(root, 'd'), root)), 'refused')
  assert.match(String(await rejects(makeDir(layout.dataset(root, 'd')))), /\/d is no folder \(links/)
  assert.equal(await readdir(outside), ['a.json'])
  assert.is(await readFile(join(outside, 'a.json'), 'utf8'), 'safe')
})

test('a link is not moved, and remove takes the link alone', async () => {
  const root = await dataDir()
  const victim = join(await temporary(), 'victim')
  await writeFile(victim, 'safe')
  await symlink(victim, layout.request(root, 'a'))
  assert.is(await refusal(move(root, layout.request(root, 'a'), layout.request(root, 'b'))), 'refused')
  await remove(root, layout.request(root, 'a'))
  await remove(root, layout.request(root, 'a'))
  assert.equal(await readdir(layout.requests(root)), [])
  assert.is(await readFile(victim, 'utf8'), 'safe')
})

test('a move that was done already is done, one of nothing is told', async () => {
  const root = await dataDir()
  const [from, to] = [layout.request(root, 'a'), layout.request(root, 'b')]
  await put(root, from, {})
  await move(root, from, to)
  await move(root, from, to)
  await unlink(to)
  assert.is(await refusal(move(root, from, to)), 'disk_error')
})

test('what a person deletes in the instant of a move does not pass for the older file there', async () => {
  const plain = await dataDir()
  const [from, to] = [layout.request(plain, 'a'), layout.request(plain, 'b')]
  await put(plain, to, { old: true })
  await put(plain, from, { new: 'and longer' })
  const root: Root = {
    ...plain,
    // The fence is asked between the look at the file and its rename.
    get fenced(): boolean {
      rmSync(from, { force: true })
      return false
    },
  }
  assert.is(await refusal(move(root, from, to)), 'disk_error')
})

test('who finds another boot id in owner.json writes nothing', async () => {
  const root = await dataDir({ fenced: true })
  const target = layout.request(root, 'a')
  await put(root, target, { mine: true })
  await own(root, 'boot-b')
  const steps = [
    () => fence(root),
    () => put(root, target, { mine: false }),
    () => remove(root, target),
    () => move(root, target, layout.request(root, 'b')),
    () => makeDir(layout.dataset(root, 'd'), root),
  ]
  for (const step of steps) assert.instance(await rejects(step()), Fenced)
  assert.equal(await readdir(layout.requests(root)), ['a.json'])
  assert.match(await readFile(target, 'utf8'), /true/)
  await put({ ...root, fenced: false }, target, { cli: true })
})

test('who was taken over makes no staging folder anew', async () => {
  const root = await dataDir({ fenced: true })
  await own(root, 'boot-b')
  assert.instance(await rejects(put(root, layout.request(root, 'a'), {})), Fenced)
  assert.equal(await readdir(layout.own(root)), ['format.json', 'owner.json'])
})

test('an owner.json that was taken away fences, a directory that was taken away does not', async () => {
  const root = await dataDir({ fenced: true })
  await unlink(layout.owner(root))
  assert.instance(await rejects(fence(root)), Fenced)
  await writeFile(layout.owner(root), '{"format": 1, "boot')
  assert.instance(await rejects(fence(root)), Fenced)
  await unlink(layout.owner(root))
  await writeFile(layout.format(root.dir), '{"format":1,"id":"other","scope_rule":"default"}')
  assert.is(await refusal(fence(root)), 'read_only')
  await rm(layout.own(root), { recursive: true })
  assert.is(await refusal(fence(root)), 'read_only')
  assert.is(await refusal(makeDir(layout.dataset(root, 'd'), root)), 'read_only')
})

test('an owner.json that is away for an instant is waited for', async () => {
  const root = await dataDir({ fenced: true })
  await rename(layout.owner(root), `${layout.owner(root)}.new`)
  const waiting = fence(root)
  await rename(`${layout.owner(root)}.new`, layout.owner(root))
  await waiting
})

test('a look that throws leaves the old text', async () => {
  const root = await dataDir()
  const target = layout.request(root, 'a')
  await putText(root, target, 'old')
  const look = async () => {
    throw new Trouble('refused', 'a person was faster')
  }
  assert.is(await refusal(put(root, target, {}, look)), 'refused')
  assert.is(await readFile(target, 'utf8'), 'old')
  assert.equal(await stagedNow(root), [])
})

test('a directory of a newer format is not written to', async () => {
  const root: Root = { ...(await dataDir()), readOnly: true }
  assert.is(await refusal(put(root, layout.request(root, 'a'), {})), 'read_only')
  assert.is(await refusal(remove(root, layout.format(root.dir))), 'read_only')
  assert.is(await refusal(stagingPath(root)), 'read_only')
})

test('on a full disk the old record stays, the reason is told, and nothing is left over', async () => {
  const mount = await temporary()
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount])
  } catch {
    // No right to mount here (an ordinary user, most containers): only root can try a small disk.
    console.log('skipped: no mount right')
    return
  }
  try {
    const root = await dataDir({ dir: mount, fenced: true })
    const target = layout.request(root, 'a')
    await put(root, target, { good: true })
    let full = 0
    for (const kib of [1, 6, 11, 12, 13, 20, 36, 40]) {
      await put(root, target, { good: true })
      await writeFile(join(mount, 'ballast'), Buffer.alloc((64 - 16) * 1024)).catch(() => undefined)
      const record = { filler: 'y'.repeat(kib * 1024) }
      const error = await put(root, target, record).catch((thrown: unknown) => thrown)
      if (error instanceof Trouble) {
        assert.is(error.reason, 'disk_full')
        full++
      } else assert.is(error, undefined)
      // A cut text would lie here, were the size not looked at.
      assert.equal(JSON.parse(await readFile(target, 'utf8')), error === undefined ? record : { good: true })
      assert.equal(await stagedNow(root), [])
      await rm(join(mount, 'ballast'))
    }
    assert.ok(full > 0 && full < 8, `${full} of 8 did not fit`)
    await mkdir(join(mount, 'd'))
    await put(root, join(mount, 'd', 'after.json'), { space: 'is back' })
  } finally {
    await run('umount', [mount])
  }
})

test.run()
