import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { type KnownParts, Part } from '../../src/disk/part.ts'
import { Fenced, fence } from '../../src/disk/put.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { pieceBytes, type Range } from '../../src/words/part.ts'
import { Trouble } from '../../src/words/reason.ts'
import { breakDisk } from '../help/broken-disk.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { dataDir, own } from './root.ts'

const test = suite('part')
test.after(sweep)
const never = new AbortController().signal
const line = { did: 's:f', path: 'f', bytes: 100 }

async function place(): Promise<Root> {
  const root = await dataDir()
  await mkdir(layout.parts(root, 'n'), { recursive: true })
  await mkdir(layout.stagings(root), { recursive: true })
  return root
}
function open(root: Root, more: Partial<Parameters<typeof Part.open>[0]> = {}): Promise<Part> {
  const known: KnownParts = new Map()
  return Part.open({ root, name: 'n', line, known, guard: async () => {}, tell: () => {}, ...more }, never)
}
function bytesOf(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from }, (_, i) => (from + i) * 7)
}
function range(from: number, to: number, rse = 'A'): Range {
  return { from, to, adler32: printAdler32(adler32(1, bytesOf(from, to))), rse }
}
const write = (part: Part, from: number, to: number, rse = 'A') =>
  part.write(bytesOf(from, to), [range(from, to, rse)])
const spans = (ranges: readonly Range[]) => ranges.map(({ from, to }) => `${from}-${to}`).join(' ')

test('only what a checkpoint counts is there after a kill', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 40)
  await part.checkpoint()
  await write(part, 40, 60)
  assert.is(spans(part.ranges), '0-60')
  // Not closed: this process is as good as dead.
  const again = await open(root)
  assert.is(spans(again.ranges), '0-40')
  assert.is((await readFile(layout.part(root, 'n', 'f'))).length, 40)
  await again.close()
  await part.close()
})

test('a file that comes in one go gets no sidecar', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 100)
  await part.seal()
  assert.not.ok(part.hasSidecar)
  await part.close(true)
  assert.instance(await rejects(readFile(layout.sidecar(root, 'n', 'f'))), Error)
})

test('each range is read back the first time, and what does not lie there as it came is dropped', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 30)
  await write(part, 30, 60, 'B')
  await write(part, 60, 80)
  await part.checkpoint()
  await part.close()
  const path = layout.part(root, 'n', 'f')
  const bytes = await readFile(path)
  bytes[35] = (bytes[35] ?? 0) ^ 1
  await writeFile(path, bytes)
  await truncate(path, 70)
  const told: string[] = []
  const again = await open(root, { tell: text => told.push(text) })
  assert.is(spans(again.ranges), '0-30')
  assert.is(told.length, 1)
  await again.close()
})

test('a part that this process left as it is, is not read again', async () => {
  const root = await place()
  const known: KnownParts = new Map()
  const part = await open(root, { known })
  await write(part, 0, 30)
  await part.checkpoint()
  await part.close()
  assert.is(known.size, 1)
  const again = await open(root, { known })
  assert.is(spans(again.ranges), '0-30')
  await again.close(true)
  assert.is(known.size, 0)
})

test('a sidecar of another file or size does not count', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 30)
  await part.checkpoint()
  await part.close()
  for (const other of [
    { ...line, did: 's:g' },
    { ...line, bytes: 99 },
  ]) {
    const again = await open(root, { line: other })
    assert.is(again.ranges.length, 0)
    await again.close()
    // Its bytes went with it; the next one begins with them again.
    await writeFile(layout.part(root, 'n', 'f'), bytesOf(0, 30))
  }
})

test('keys of a sidecar that are not known are kept', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 10)
  await part.checkpoint()
  await part.close()
  const path = layout.sidecar(root, 'n', 'f')
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), mine: 'note' }))
  const again = await open(root)
  await again.record(sidecar => ({ ...sidecar, tries: 3 }))
  await again.close()
  const { mine, tries } = JSON.parse(await readFile(path, 'utf8'))
  assert.equal([mine, tries], ['note', 3])
})

test('dropped ranges are gone from the disk once they are recorded', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 50)
  await write(part, 50, 100, 'B')
  await part.checkpoint()
  part.drop(each => each.rse === 'A')
  await part.record(sidecar => sidecar)
  await part.close()
  const again = await open(root)
  assert.is(spans(again.ranges), '50-100')
  await again.close()
})

test('ranges are joined within a piece and not over its border', async () => {
  const root = await place()
  const big = { ...line, bytes: pieceBytes + 100 }
  const part = await open(root, { line: big })
  await part.write(bytesOf(pieceBytes - 10, pieceBytes + 10), [
    range(pieceBytes - 10, pieceBytes),
    range(pieceBytes, pieceBytes + 10),
  ])
  await part.write(bytesOf(pieceBytes + 10, pieceBytes + 20), [range(pieceBytes + 10, pieceBytes + 20)])
  await part.checkpoint()
  assert.is(spans(part.sidecar.ranges), `${pieceBytes - 10}-${pieceBytes} ${pieceBytes}-${pieceBytes + 20}`)
  await part.close()
})

test('a link where the part should be is refused, and what it leads to stays', async () => {
  const root = await place()
  const victim = join(await temporary(), 'victim')
  await writeFile(victim, 'precious')
  await symlink(victim, layout.part(root, 'n', 'f'))
  const error = await rejects(open(root))
  assert.is(error instanceof Trouble && error.reason, 'refused')
  assert.is(await readFile(victim, 'utf8'), 'precious')
})

test('a part without a sidecar is no progress', async () => {
  const root = await place()
  await writeFile(layout.part(root, 'n', 'f'), 'x'.repeat(200))
  const part = await open(root)
  assert.is(part.ranges.length, 0)
  await part.close()
})

test('no byte is written once another process owns the directory', async () => {
  const root: Root = { ...(await dataDir({ fenced: true })) }
  await mkdir(layout.parts(root, 'n'), { recursive: true })
  const part = await open(root, { guard: () => fence(root) })
  await write(part, 0, 10)
  await own(root, 'another')
  assert.instance(await rejects(write(part, 10, 20)), Fenced)
  assert.is((await readFile(layout.part(root, 'n', 'f'))).length, 10)
  await part.close()
})

test('after a sync that failed the bytes since the last checkpoint do not count, and it is not tried again', async () => {
  const root = await place()
  const part = await open(root)
  await write(part, 0, 10)
  await part.checkpoint()
  await write(part, 10, 20)
  const mend = await breakDisk('datasync', 'EIO')
  const error = await rejects(part.checkpoint())
  assert.is(error instanceof Trouble && error.reason, 'disk_error')
  assert.is(spans(part.ranges), '0-10')
  await rejects(part.checkpoint())
  await rejects(write(part, 10, 20))
  assert.is(mend(), 1)
  await part.record(sidecar => ({ ...sidecar, tries: 1 }))
  assert.is(spans(part.sidecar.ranges), '0-10')
  await part.close()
})

test.run()
