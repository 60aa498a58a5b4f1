import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { most, openAccept } from '../../src/wishes/accept.ts'
import { nameOf } from '../../src/words/names.ts'
import { parseRequest } from '../../src/words/request.ts'
import { toIso } from '../../src/words/world.ts'
import { sweep, world } from '../help/data.ts'
import { didOf, listingText, missingText, openData, putListed, putWhole } from '../help/dataset.ts'

const test = suite('accept')
test.after(sweep)

const did = didOf('mc16.data.one')
const path = (root: Root) => layout.request(root, 'mc16.data.one')
const json = async (file: string) => JSON.parse(await readFile(file, 'utf8'))
const quiet = () => undefined

test('a new wish is a request on disk with its time, wakes the loop, and a second one changes nothing', async () => {
  const root = await openData()
  let woken = 0
  const accept = openAccept(root, world, () => woken++)
  assert.equal(await accept.want(did), { kind: 'answer', word: 'downloading', paths: [] })
  assert.is(woken, 1)
  const text = await readFile(path(root), 'utf8')
  assert.equal(Object.keys(JSON.parse(text)).sort(), ['created', 'format'])
  await accept.want(did)
  assert.is(await readFile(path(root), 'utf8'), text)
  assert.equal(await readdir(layout.staging(root)).catch(() => []), [])
})

test('the DID stands in the request only where the name was cut', async () => {
  const root = await openData()
  const accept = openAccept(root, world, quiet)
  const long = didOf(`mc16:${'x'.repeat(240)}`)
  await accept.want(long)
  assert.is((await json(layout.request(root, nameOf(long)))).did, `mc16:${'x'.repeat(240)}`)
  const scoped = didOf('other:mc16.data.one')
  await accept.want(scoped)
  assert.is((await json(layout.request(root, nameOf(scoped)))).did, undefined)
})

test('a POST on a whole dataset is local and writes nothing', async () => {
  const root = await openData()
  const name = await putWhole(root, did, 3)
  assert.equal(await openAccept(root, world, quiet).want(did), {
    kind: 'answer',
    word: 'local',
    paths: ['f000.root', 'f001.root', 'f002.root'],
  })
  assert.equal(await readdir(layout.requests(root)), [])
  assert.equal(await readdir(layout.catalogue(root)), [])
  assert.is(name, 'mc16.data.one')
})

test('a POST on an old listing of an open dataset has it asked again', async () => {
  const root = await openData()
  await putWhole(root, did, 3, { open: true, fetched: toIso(world.now() - 3_700_000) })
  const answer = await openAccept(root, world, quiet).want(did)
  assert.is(answer.kind === 'answer' && answer.word, 'local')
  assert.equal(await readdir(layout.catalogue(root)), ['mc16.data.one.queued'])
})

test('a POST on a harmed dataset asks again, with what its user once said of it', async () => {
  const root = await openData()
  const name = await putWhole(root, did, 3)
  await rm(layout.file(root, name, 'f001.root'))
  const answer = await openAccept(root, world, quiet).want(did)
  assert.is(answer.kind === 'answer' && answer.word, 'downloading')
  const request = await json(path(root))
  assert.is(request.priority, 3)
  assert.is(request.mine, 'kept')
})

test('a POST over a pending removal cancels it and keeps every other key', async () => {
  const root = await openData()
  await writeFile(path(root), '{"priority": 7, "remove": true, "mine": {"a": [1]}}')
  const answer = await openAccept(root, world, quiet).want(did)
  assert.is(answer.kind === 'answer' && answer.word, 'downloading')
  assert.equal(await json(path(root)), { priority: 7, mine: { a: [1] } })
})

test('a broken request is never overwritten by a POST, and is downloading', async () => {
  const root = await openData()
  for (const text of ['{"priority": ', '[]', '{"paused": "yes"}', '\xff\xfe\xff']) {
    await writeFile(path(root), text, 'latin1')
    const answer = await openAccept(root, world, quiet).want(did)
    assert.is(answer.kind === 'answer' && answer.word, 'downloading')
    assert.is(await readFile(path(root), 'latin1'), text)
  }
})

test('while does_not_exist is fresh the request is written and that is the answer', async () => {
  const root = await openData()
  await writeFile(layout.answer(root, 'mc16.data.one'), missingText(did, world.now() + 60_000))
  const answer = await openAccept(root, world, quiet).want(did)
  assert.equal(answer, { kind: 'answer', word: 'does_not_exist', paths: [] })
  assert.ok(await json(path(root)))
})

test('a name that differs only by letter case is refused and named', async () => {
  const root = await openData()
  await putListed(root, didOf('mc16.DATA.one'), 1)
  const accept = openAccept(root, world, quiet)
  assert.equal(await accept.want(did), { kind: 'name_taken', by: 'mc16.DATA.one' })
  assert.equal(await accept.remove(did), { kind: 'name_taken', by: 'mc16.DATA.one' })
  assert.equal(await readdir(layout.requests(root)), [])
})

test("a name under which a person's request for another DID lies is not free, and that request is not touched", async () => {
  const root = await openData()
  const text = '{"did": "other:thing"}'
  await writeFile(path(root), text)
  const accept = openAccept(root, world, quiet)
  assert.equal(await accept.want(did), { kind: 'name_taken', by: 'other:thing' })
  assert.equal(await accept.remove(did), { kind: 'name_taken', by: 'other:thing' })
  assert.is(await readFile(path(root), 'utf8'), text)
})

test('of two wishes at once that differ by letter case one is taken', async () => {
  const root = await openData()
  const accept = openAccept(root, world, quiet)
  const answers = await Promise.all([accept.want(did), accept.want(didOf('mc16.DATA.one'))])
  assert.equal(answers.map(each => each.kind).sort(), ['answer', 'name_taken'])
})

test('a removal is a key in the request, every other key kept', async () => {
  const root = await openData()
  await writeFile(path(root), '\ufeff{"priority": 7, "mine": 1}\r\n')
  const answer = await openAccept(root, world, quiet).remove(did)
  assert.equal(answer, { kind: 'answer', word: 'not_on_server', paths: [] })
  assert.equal(await json(path(root)), { priority: 7, mine: 1, remove: true })
})

test('a removal of a whole dataset writes a request, and an empty file will do as one', async () => {
  const root = await openData()
  const accept = openAccept(root, world, quiet)
  await putWhole(root, did, 1)
  assert.is((await accept.remove(did)).kind, 'answer')
  assert.is((await json(path(root))).remove, true)
  const two = didOf('mc16.data.two')
  await writeFile(layout.request(root, 'mc16.data.two'), '')
  await accept.remove(two)
  assert.equal(await json(layout.request(root, 'mc16.data.two')), { remove: true })
})

test('a removal of what is not here writes nothing', async () => {
  const root = await openData()
  await mkdir(join(root.dir, 'mc16.data.one'))
  const answer = await openAccept(root, world, quiet).remove(did)
  assert.equal(answer, { kind: 'answer', word: 'not_on_server', paths: [] })
  assert.equal(await readdir(layout.requests(root)), [])
})

test('a removal over a broken request puts its text aside to the letter', async () => {
  const root = await openData()
  await putListed(root, did, 2)
  await writeFile(path(root), '{"priority": ')
  const answer = await openAccept(root, world, quiet).remove(did)
  assert.equal(answer, { kind: 'answer', word: 'not_on_server', paths: [] })
  assert.is((await json(path(root))).remove, true)
  const aside = (await readdir(layout.requests(root))).filter(file => /\.json\.bad-[0-9TZ]+$/.test(file))
  assert.is(aside.length, 1)
  assert.is(await readFile(join(layout.requests(root), aside[0] ?? ''), 'utf8'), '{"priority": ')
})

test('a request that an editor replaces during a removal is read again, and its keys are kept', async () => {
  const root = await openData()
  const accept = openAccept(root, world, quiet)
  let lost = 0
  for (let i = 0; i < 20; i++) {
    await writeFile(path(root), '{"priority": 1}')
    const removal = accept.remove(did)
    await writeFile(join(root.dir, '.swap'), '{"priority": 2}')
    await rename(join(root.dir, '.swap'), path(root))
    await removal
    const request = parseRequest(await readFile(path(root), 'utf8'))
    // Either the editor came last (its text stands), or the removal did (with its keys). Between the look at the text and the rename
    // an instant is left in which the editor may lose (DESIGN.md rule 2); it is hit seldom.
    if (!('priority' in request && request.priority === 2)) lost++
  }
  assert.ok(lost <= 5, `${lost} of 20 lost`)
})

test('a full queue takes no new wish, but removals and what it holds already', async () => {
  const root = await openData()
  assert.equal(most, { requests: 10_000, listings: 100 })
  for (let i = 0; i < 9; i++) await writeFile(layout.request(root, `mc16.flood.${i}`), '')
  const accept = openAccept(root, world, quiet, { requests: 10, listings: 5 })
  assert.is((await accept.want(did)).kind, 'answer')
  assert.equal(await accept.want(didOf('mc16.data.two')), { kind: 'queue_full' })
  assert.is((await accept.want(did)).kind, 'answer')
  assert.is((await accept.remove(did)).kind, 'answer')
  assert.is((await json(path(root))).remove, true)
  await rm(layout.request(root, 'mc16.flood.3'))
  assert.is((await accept.want(didOf('mc16.data.two'))).kind, 'answer')
})

test('a listing is queued once, names its DID, and is not asked for while there is a fresh answer', async () => {
  const root = await openData()
  const accept = openAccept(root, world, quiet)
  assert.is(await accept.list(did), 'queued')
  const queued = await json(layout.queued(root, 'mc16.data.one'))
  assert.is(queued.did, 'mc16:mc16.data.one')
  await accept.list(did)
  assert.equal(await json(layout.queued(root, 'mc16.data.one')), queued)
  await rm(layout.queued(root, 'mc16.data.one'))
  await writeFile(layout.answer(root, 'mc16.data.one'), listingText(did, 2))
  await accept.list(did)
  assert.equal(await readdir(layout.catalogue(root)), ['mc16.data.one.jsonl'])
  await writeFile(
    layout.answer(root, 'mc16.data.one'),
    listingText(did, 2, { type: 'CONTAINER', fetched: toIso(world.now() - 3_700_000) }),
  )
  await accept.list(did)
  assert.equal((await readdir(layout.catalogue(root))).sort(), [
    'mc16.data.one.jsonl',
    'mc16.data.one.queued',
  ])
})

test('so many listings wait and no more', async () => {
  const root = await openData()
  for (let i = 0; i < 5; i++) await writeFile(layout.queued(root, `mc16.q.${i}`), '')
  const accept = openAccept(root, world, quiet, { requests: 10, listings: 5 })
  assert.is(await accept.list(did), 'queue_full')
  assert.is(await accept.list(didOf('mc16.q.3')), 'queued')
})

test.run()
