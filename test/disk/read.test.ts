import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { openLogs, readLog } from '../../src/disk/logs.ts'
import { Fenced } from '../../src/disk/put.ts'
import { names, openRegular, readRecord, readUserText, statRegular } from '../../src/disk/read.ts'
import { readOwner } from '../../src/words/owner.ts'
import { readSidecar } from '../../src/words/part.ts'
import { Trouble } from '../../src/words/reason.ts'
import { asObject } from '../../src/words/text.ts'
import { breakPaths } from '../help/broken-disk.ts'
import { rejects, sweep, temporary, world } from '../help/data.ts'
import { dataDir, own } from './root.ts'

const run = promisify(execFile)
const test = suite('read')
test.after(sweep)

async function text(root: Root, bytes: Uint8Array | string): Promise<string> {
  const path = layout.request(root, 'a')
  await writeFile(path, bytes)
  const found = await readUserText(root, path)
  if (found === undefined || found instanceof Trouble) throw found ?? new Error('absent')
  assert.is(found.stat.size, Buffer.byteLength(bytes))
  return found.text
}

test('a handle that the server of a share forgot is taken anew, once', async () => {
  const root = await dataDir()
  await writeFile(layout.request(root, 'a'), '{}')
  let forgets = 1
  const mend = breakPaths(
    'open',
    'Unknown system error -116',
    path => path.endsWith('a.json') && forgets-- > 0,
  )
  try {
    const found = await readUserText(root, layout.request(root, 'a'))
    assert.is(found !== undefined && 'text' in found && found.text, '{}')
    forgets = 2
    assert.match(String(await rejects(readUserText(root, layout.request(root, 'a')))), 'open gave ESTALE')
  } finally {
    mend()
  }
})

test('a text that any editor wrote is read: BOM, UTF-16, CRLF, no last newline', async () => {
  const root = await dataDir()
  const utf16 = Buffer.from('\ufeff{"a":\r\n1}', 'utf16le')
  assert.is(await text(root, utf16), '{"a":\n1}')
  assert.is(await text(root, Buffer.from(utf16).swap16()), '{"a":\n1}')
  assert.is(await text(root, '\ufeff{"a":\r\n1}'), '{"a":\n1}')
  assert.is(await text(root, '{"a":\r1}'), '{"a":\n1}')
  assert.is(await text(root, ''), '')
})

test('what is no text, no regular file or a link is told as a value, and stays', async () => {
  const root = await dataDir()
  const path = layout.request(root, 'a')
  assert.is(await readUserText(root, path), undefined)
  await writeFile(path, Buffer.from([0xc3, 0x28]))
  assert.instance(await readUserText(root, path), Trouble)
  assert.equal(await readdir(layout.requests(root)), ['a.json'])
  await mkdir(layout.request(root, 'b'))
  assert.instance(await readUserText(root, layout.request(root, 'b')), Trouble)
  await symlink(path, layout.request(root, 'c'))
  assert.instance(await readUserText(root, layout.request(root, 'c')), Trouble)
})

test('a link or a thing that is no file is refused at every place, and a FIFO holds nobody up', async () => {
  const outside = await temporary()
  await mkdir(join(outside, '.rucio'))
  await writeFile(join(outside, 'file'), 'secret')
  await writeFile(join(outside, '.rucio', 'listing.jsonl'), 'secret')
  const root = await dataDir()
  await mkdir(layout.dataset(root, 'd'))
  await symlink(join(outside, 'file'), layout.file(root, 'd', 'link'))
  await symlink(outside, layout.dataset(root, 'e'))
  await symlink(join(outside, '.rucio'), layout.records(root, 'd'))
  await run('mkfifo', [layout.file(root, 'd', 'fifo')])
  await writeFile(layout.dataset(root, 'plain'), '')
  for (const path of [
    layout.file(root, 'd', 'link'),
    layout.file(root, 'e', 'file'),
    layout.listing(root, 'd'),
    layout.listing(root, 'e'),
    layout.file(root, 'd', 'fifo'),
    layout.file(root, 'plain', 'x'),
    layout.dataset(root, 'd'),
  ]) {
    for (const step of [openRegular, statRegular]) {
      const error = await rejects(step(root, path))
      assert.ok(error instanceof Trouble && error.reason === 'refused', path)
    }
  }
  assert.is(await openRegular(root, layout.file(root, 'absent', 'x')), undefined)
  assert.is(await statRegular(root, layout.file(root, 'd', 'x')), undefined)
})

test('a path that leaves the data directory is a fault of ours', async () => {
  const root = await dataDir()
  assert.match(String(await rejects(statRegular(root, join(root.dir, '..', 'x')))), /not below/)
})

test('a record is read with whatever more it holds', async () => {
  const root = await dataDir({ fenced: true })
  await writeFile(join(layout.own(root), 'x.json'), '\ufeff{"a": 1, "more": true}\r\n')
  const record = await readRecord(root, join(layout.own(root), 'x.json'), asObject)
  assert.equal(record, { a: 1, more: true })
})

test('a record that is of no use is set aside under the time it was written, told in the log, and absent from then on', async () => {
  const root = await dataDir({ fenced: true })
  const { flush } = openLogs(root, world)
  await mkdir(layout.hosts(root))
  const path = layout.host(root, 'h')
  for (const bad of ['{"format": 1', '{"format": 7}', Buffer.from([0xff, 0xfe, 0x00])]) {
    await writeFile(path, bad)
    await utimes(path, 1_700_000_000, 1_700_000_000)
    assert.is(await readRecord(root, path, readSidecar), undefined)
    assert.is(await readRecord(root, path, readSidecar), undefined)
  }
  const bad = 'h.json.bad-20231114T221320Z'
  assert.equal((await names(layout.hosts(root))).sort(), [bad, `${bad}-2`, `${bad}-3`])
  assert.is(await readFile(join(layout.hosts(root), bad), 'utf8'), '{"format": 1')
  await flush()
  const log = await readLog(root, 'rucio_downloader')
  assert.is(log.length, 3)
  assert.match(log[0] ?? '', `hosts/h.json cannot be used and was set aside as .rucio/hosts/${bad}`)
})

test('any bytes at all as a record: read or set aside, never thrown, and its neighbour is untouched', async () => {
  const root = await dataDir({ fenced: true })
  openLogs(root, world)
  const dir = layout.hosts(root)
  await mkdir(dir)
  await writeFile(join(dir, 'good.json'), '{}')
  const path = join(dir, 'any.json')
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(each => Buffer.from(each)),
  )
  await fc.assert(
    fc.asyncProperty(anything, async bytes => {
      await writeFile(path, bytes)
      assert.is(await readRecord(root, path, readSidecar), undefined)
      assert.not.ok((await readdir(dir)).includes('any.json'))
    }),
    { numRuns: 100 },
  )
  assert.equal(await readRecord(root, join(dir, 'good.json'), asObject), {})
  const kept = (await readdir(dir)).filter(name => name.startsWith('any.json.bad-'))
  assert.is(kept.length, 100)
})

test('who holds no lease, or lost it, sets nothing aside', async () => {
  const root = await dataDir({ fenced: true })
  const path = join(layout.own(root), 'x.json')
  await writeFile(path, 'broken')
  assert.is(await readRecord({ ...root, fenced: false }, path, readOwner), undefined)
  await own(root, 'boot-b')
  assert.instance(await rejects(readRecord(root, path, readOwner)), Fenced)
  assert.is(await readFile(path, 'utf8'), 'broken')
})

test('a link in the place of a record is refused, not set aside', async () => {
  const root = await dataDir({ fenced: true })
  const path = join(layout.own(root), 'x.json')
  await symlink('/etc/hostname', path)
  const error = await rejects(readRecord(root, path, asObject))
  assert.ok(error instanceof Trouble && error.reason === 'refused')
})

test('names of an absent folder are none, of a link they are refused', async () => {
  const root = await dataDir()
  assert.equal(await names(join(root.dir, 'absent')), [])
  await writeFile(join(root.dir, 'requests', '.nfs0001'), '')
  assert.equal(await names(layout.requests(root)), [])
  await symlink('/etc', join(root.dir, 'watch'))
  assert.instance(await rejects(names(layout.watch(root))), Trouble)
})

test.run()
