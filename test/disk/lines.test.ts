import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { jsonLines, ListingWriter, putMissing, readListing, readVerified } from '../../src/disk/lines.ts'
import { openLogs, readLog } from '../../src/disk/logs.ts'
import type { ListingLine } from '../../src/words/listing.ts'
import { isComponent, Paths } from '../../src/words/names.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, world } from '../help/data.ts'
import { fileOf, head, linesOf, list, makeFolder } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('lines')
test.after(sweep)

async function values(
  root: Awaited<ReturnType<typeof dataDir>>,
  bytes: string | Uint8Array,
): Promise<unknown[]> {
  const path = join(root.dir, 'x.jsonl')
  await writeFile(path, bytes)
  const found: unknown[] = []
  for await (const value of jsonLines(root, path)) found.push(value)
  return found
}

test('lines are read whatever the editor, and half a last line is not', async () => {
  const root = await dataDir()
  assert.equal(await values(root, '{"a":1}\n2\n'), [{ a: 1 }, 2])
  assert.equal(await values(root, '\ufeff{"a":1}\r\n2\r\n'), [{ a: 1 }, 2])
  assert.equal(await values(root, '1\n2'), [1])
  assert.equal(await values(root, '1\n{"a":\n\n\0\0\n3\n'), [1, 3])
  assert.equal(await values(root, ''), [])
  assert.equal(await values(root, Buffer.from([0xff, 0xff, 0x0a, 0x31, 0x0a])), [1])
})

test('a line over 64 KiB is passed over, and those around it are read', async () => {
  const root = await dataDir()
  const long = JSON.stringify('x'.repeat(70_000))
  const huge = JSON.stringify('x'.repeat(2_000_000))
  const most = JSON.stringify('x'.repeat(65_534))
  assert.equal(await values(root, `1\n${long}\n2\n${huge}\n3\n`), [1, 2, 3])
  assert.equal((await values(root, `${most}\n1\n${huge}`)).length, 2)
})

test('a line that lies across the pieces of reading is one line', async () => {
  const root = await dataDir()
  const lines = Array.from({ length: 3000 }, (_, i) => ({ i, text: 'é'.repeat(i % 150) }))
  assert.equal(await values(root, lines.map(line => `${JSON.stringify(line)}\n`).join('')), lines)
})

test('an absent file has no lines, and a link is refused', async () => {
  const root = await dataDir()
  const path = join(root.dir, 'link')
  const read = async (): Promise<void> => {
    for await (const _ of jsonLines(root, path)) assert.unreachable()
  }
  await read()
  await symlink('/etc/passwd', path)
  assert.instance(await rejects(read()), Trouble)
})

test('a listing is written and read back: doubles once, twins apart, length and bytes in its head', async () => {
  const root = await dataDir()
  await makeFolder(root, 's.ds')
  const writer = await ListingWriter.open(root)
  const files = [
    fileOf('s:a.root', 'one'),
    { ...fileOf('s:b.root', 'three'), guid: 'G', events: 7 },
    fileOf('s:a.root', 'one'),
    fileOf('s:B.root', ''),
  ]
  for (const file of files) await writer.add(file)
  const path = layout.listing(root, 's.ds')
  const written = await writer.commit(path, head('s:s.ds'))
  assert.is(written.length, 3)
  assert.is(written.bytes, 8)
  const lines: ListingLine[] = []
  assert.equal(await readListing(root, path, line => lines.push(line)), written)
  assert.equal(await readListing(root, path), written)
  assert.equal(lines[0], { ...fileOf('s:a.root', 'one'), path: 'a.root' })
  assert.is(lines[1]?.guid, 'G')
  assert.is(lines[1]?.events, 7)
  assert.match(lines[1]?.path ?? '', /^b\.root~[0-9a-f]{16}$/)
  assert.match(lines[2]?.path ?? '', /^B\.root~[0-9a-f]{16}$/)
  assert.equal(await readdir(layout.staging(root)), [])
})

test('a path that an earlier listing gave is kept when its twin comes', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.ds', [fileOf('s:a', '1')])
  const writer = await ListingWriter.open(root)
  for (const did of ['s:A', 's:a']) await writer.add(fileOf(did, '1'))
  const paths = new Paths()
  paths.keep('s:a', 'a')
  await writer.commit(layout.listing(root, name), head('s:s.ds'), paths)
  assert.equal(
    (await linesOf(root, name)).map(line => line.path.slice(0, 2)),
    ['A~', 'a'],
  )
})

test('an empty listing is a listing', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.ds', [])
  const found = await readListing(root, layout.listing(root, name), () => assert.unreachable())
  assert.is(found?.type === 'NONE' ? -1 : found?.length, 0)
})

test('a file that makes no sense stops the listing, and the old one stays', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.ds', [fileOf('s:old', '1')])
  for (const bad of [
    { did: 's:../x', bytes: 1 },
    { did: 'x', bytes: 1 },
    { did: 's:x', bytes: -1 },
    { did: 's:x', bytes: 2 ** 45 },
    { did: 's:x', bytes: 0.5 },
    { did: 's:x', bytes: 1, guid: 'g'.repeat(70_000) },
  ]) {
    const writer = await ListingWriter.open(root)
    const error = await rejects(writer.add(bad))
    assert.is(error instanceof Trouble && error.reason, 'bad_listing')
    await writer.abort()
    await writer.abort()
  }
  assert.equal(
    (await linesOf(root, name)).map(line => line.did),
    ['s:old'],
  )
  assert.equal(await readdir(layout.staging(root)), [])
})

test('a commit that cannot be done leaves nothing in staging', async () => {
  const root = await dataDir()
  const writer = await ListingWriter.open(root)
  await writer.add(fileOf('s:x', '1'))
  const target = layout.listing(root, 'not.there')
  assert.instance(await rejects(writer.commit(target, head('s:s.ds'))), Trouble)
  assert.equal(await readdir(layout.staging(root)), [])
})

test('does not exist is written and read', async () => {
  const root = await dataDir()
  await mkdir(layout.catalogue(root))
  const missing = {
    format: 1,
    did: 's:x',
    type: 'NONE',
    fetched: '2026-01-01T00:00:00Z',
    until: '2026-01-01T01:00:00Z',
    tries: 1,
  } as const
  await putMissing(root, layout.answer(root, 's=3Ax'), missing)
  assert.equal(await readListing(root, layout.answer(root, 's=3Ax'), () => assert.unreachable()), missing)
})

test('a listing that does not add up is set aside and counts as absent', async () => {
  const root = await dataDir({ fenced: true })
  await mkdir(layout.logs(root))
  const logs = openLogs(root, world)
  const { name } = await list(root, 's:s.ds', [fileOf('s:a', '1'), fileOf('s:b', '22')])
  const path = layout.listing(root, name)
  const good = await readFile(path, 'utf8')
  const lines = good.trimEnd().split('\n')
  for (const [index, bad] of [
    `${lines.slice(0, 2).join('\n')}\n`,
    `${lines.join('\n')}`,
    `${good}${lines[1]}\n`,
    good.replace('"bytes":2', '"bytes":3'),
    lines.slice(1).join('\n'),
    'not json\n',
    '',
  ].entries()) {
    await writeFile(path, bad)
    assert.is(await readListing(root, path, () => {}), undefined, bad)
    const aside = (await readdir(layout.records(root, name))).filter(file => file.includes('.bad-'))
    assert.is(aside.length, index + 1)
  }
  await writeFile(path, good)
  assert.is((await linesOf(root, name)).length, 2)
  await logs.flush()
  assert.is((await readLog(root, 'rucio_downloader')).length, 7)
})

test('any bytes as a listing: no throw, and what is read is sane', async () => {
  const root = await dataDir()
  const { name } = await list(root, 's:s.ds', [fileOf('s:a', '1')])
  const path = layout.listing(root, name)
  const piece = fc.oneof(
    fc.json(),
    fc.constantFrom(
      '{"format":1,"did":"s:s.ds","type":"DATASET","open":false,"length":1,"bytes":1,"fetched":"x"}',
      '{"did":"s:a","path":"a","bytes":1}',
      '{"did":"s:a","path":"../a","bytes":1}',
      '{"did":"s:a","path":"a","bytes":1e999}',
      '{"__proto__":{"did":"s:a"},"path":"a","bytes":1}',
      '{"format":1,"id":"test-id"}',
    ),
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(piece, { maxLength: 4 }).map(lines => Buffer.from(`${lines.join('\n')}\n`)),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async bytes => {
      for (const target of [path, layout.verified(root, name)]) await writeFile(target, bytes)
      let sum = 0
      const found = await readListing(root, path, line => {
        assert.ok(isComponent(line.path))
        sum += line.bytes
      })
      if (found !== undefined && found.type !== 'NONE') assert.is(found.bytes, sum)
      for (const line of (await readVerified(root, name)).values()) assert.ok(isComponent(line.path))
    }),
    { numRuns: 300 },
  )
})

test.run()
