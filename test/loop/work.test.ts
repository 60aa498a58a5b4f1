// A dataset taken into work: what is opened for it and given back, its files as they come to hand, and what of them is kept.

import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { bringNext, giveBack, settle, take, unfinished, type Work } from '../../src/loop/at-hand.ts'
import { openWorks } from '../../src/loop/work.ts'
import { failureOf, readyFiles } from '../../src/loop/work-seen.ts'
import { rejects, sweep } from '../help/data.ts'
import { didOf, openData, putListed } from '../help/dataset.ts'

const test = suite('datasets in work')

async function loaded(files: number) {
  const root = await openData()
  const did = didOf('mc16:mc16.a')
  const name = await putListed(root, did, files)
  const works = openWorks(root)
  const work = await works.load(name, did)
  if (work === undefined) throw new Error('it was not taken into work')
  return { root, name, works, work, listing: layout.listing(root, name) }
}

async function didsOf(work: Work): Promise<string[]> {
  const dids: string[] = []
  for await (const did of unfinished(work)) dids.push(did)
  return dids
}

test('a dataset that cannot be taken into work leaves no file open', async () => {
  const root = await openData()
  const did = didOf('mc16:mc16.a')
  const name = await putListed(root, did, 3)
  await rm(layout.parts(root, name), { recursive: true, force: true })
  await symlink('/tmp', layout.parts(root, name))
  const works = openWorks(root)
  const before = (await readdir('/proc/self/fd')).length
  for (let i = 0; i < 5; i++) assert.match(String(await rejects(works.load(name, did))), 'refused')
  assert.is((await readdir('/proc/self/fd')).length, before)
})

test('7,000 files come to hand once each, in the order of the listing, and all of them count', async () => {
  const { works, work } = await loaded(7000)
  const order = await didsOf(work)
  assert.is(order.length, 7000)
  const came: string[] = []
  while (work.left.count > 0) {
    assert.is(await bringNext(work), true)
    assert.ok(work.files.size < 4000, `${work.files.size} at hand`)
    const { ready, count } = readyFiles(work, 0, 500)
    assert.is(count, 7000 - came.length)
    for (const { path } of ready) {
      const file = work.files.get(path)
      if (file === undefined) throw new Error(`${path} is not at hand`)
      take(work, file)
      came.push(file.line.did)
      settle(work, { number: file.number, path }, () => {})
    }
  }
  assert.equal(came, order)
  assert.equal(await didsOf(work), [])
  assert.is(work.files.size + work.fresh.size + work.later.size, 0)
  await works.unloadAll()
})

test('a file that was given back is ready before fresh ones, and why it waits is told when no other is left', async () => {
  const { works, work } = await loaded(2)
  await bringNext(work)
  const [first, second] = [...work.fresh]
  if (first === undefined || second === undefined) throw new Error('none is at hand')
  take(work, second)
  assert.equal(
    readyFiles(work, 0, 9).ready.map(each => each.path),
    [first.line.path],
  )
  giveBack(work, second, 0, { reason: 'stalled', message: 'Nothing came.', at: '2026-01-01T00:00:00.000Z' })
  assert.equal(
    readyFiles(work, 0, 9).ready.map(each => each.path),
    [second.line.path, first.line.path],
  )
  assert.is(failureOf(work), undefined)
  settle(work, { number: first.number, path: first.line.path }, () => {})
  assert.equal(failureOf(work), { reason: 'stalled', message: 'Nothing came.' })
  await works.unloadAll()
})

test('a listing that somebody writes into is of no use to the work that reads it', async () => {
  const { works, work, listing } = await loaded(5000)
  assert.is(await bringNext(work), true)
  const [head] = (await readFile(listing, 'utf8')).split('\n')
  await writeFile(listing, `${head}\n`)
  for (const file of [...work.files.values()])
    settle(work, { number: file.number, path: file.line.path }, () => {})
  assert.is(await bringNext(work), false)
  await works.unloadAll()
})

test('who reads on in a listing while its dataset is given back comes to an end', async () => {
  const { works, work } = await loaded(5000)
  const reading = didsOf(work)
  await works.unloadAll()
  assert.ok((await reading).length < 5000)
})

test('what is kept of a dataset in work does not grow with its files', async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const kept = async (files: number): Promise<number> => {
    const before = await loaded(1)
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const { works, work } = await loaded(files)
    await bringNext(work)
    gc()
    const now = process.memoryUsage()
    assert.is(work.left.count, files)
    await works.unloadAll()
    await before.works.unloadAll()
    return now.heapUsed + now.arrayBuffers - heapUsed - arrayBuffers
  }
  await kept(5000)
  const [few, many] = [await kept(5000), await kept(25_000)]
  // An entry for each file took some 350 bytes; a bit or two take less than one.
  const each = (many - few) / 20_000
  assert.ok(each < 60, `${each.toFixed(0)} bytes more for each file`)
})

test.after(sweep)
test.run()
