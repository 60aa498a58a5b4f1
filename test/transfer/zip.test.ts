import { randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openZip } from '../../src/transfer/zip.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { type Member, zipOf } from '../help/zip.ts'

const test = suite('zip')
test.after(sweep)

const never = new AbortController().signal
const a = Buffer.from('a'.repeat(100_000))
const b = Buffer.from('bytes of b')

/** What reading a member came to: its bytes, or the reason. */
async function read(archive: Uint8Array, member: string, bytes: number): Promise<Buffer | string> {
  const path = join(await temporary(), 'a.zip')
  await writeFile(path, archive)
  const handle = await open(path)
  try {
    const zip = await openZip(handle.fd, name => name === member)
    const chunks: Uint8Array[] = []
    for await (const chunk of await zip.read(member, bytes, never)) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof Trouble) return error.reason
    throw error
  } finally {
    await handle.close()
  }
}

test('members come as they were put in, packed or not, whatever the others are called', async () => {
  const archive = zipOf([
    { name: '../../etc/passwd', bytes: b },
    { name: 'user.jdoe/sub/a.root', bytes: a, packed: true },
    { name: '/b.root', bytes: b },
  ])
  assert.equal(await read(archive, 'user.jdoe/sub/a.root', a.length), a)
  assert.equal(await read(archive, '/b.root', b.length), b)
})

test('of two with one name the last counts', async () => {
  const archive = zipOf([
    { name: 'a', bytes: Buffer.from('old') },
    { name: 'a', bytes: b },
  ])
  assert.equal(await read(archive, 'a', b.length), b)
})

const bomb: Member = { name: 'a', bytes: a, packed: true, claims: 10 }
for (const [because, archive, bytes, reason] of [
  ['it is not there', zipOf([{ name: 'c', bytes: b }]), 10, 'corrupt'],
  ['it has another size than the catalogue says', zipOf([{ name: 'a', bytes: b }]), 11, 'corrupt'],
  ['it gives more than it says', zipOf([bomb]), 10, 'corrupt'],
  ['it is encrypted', zipOf([{ name: 'a', bytes: b, encrypted: true }]), b.length, 'unsupported'],
  [
    'its sum is another than the archive says',
    zipOf([{ name: 'a', bytes: b, crc32: 1 }]),
    b.length,
    'corrupt',
  ],
  ['the archive is cut', zipOf([{ name: 'a', bytes: a }]).subarray(0, 90_000), a.length, 'corrupt'],
  ['the archive is a page of HTML', Buffer.from('<html>no</html>'), 10, 'corrupt'],
] as const)
  test(`no member where ${because}`, async () => {
    assert.is(await read(archive, 'a', bytes), reason)
  })

test('a member that the disk or the line has damaged gives no byte, stored or packed', async () => {
  // What deflate cannot make smaller it stores, so that a damaged byte is no damage to its code.
  const noise = randomBytes(50_000)
  for (const packed of [false, true]) {
    const archive = zipOf([{ name: 'a', bytes: noise, packed }])
    const at = Math.floor(archive.length / 2)
    archive[at] = (archive[at] ?? 0) ^ 1
    assert.is(await read(archive, 'a', noise.length), 'corrupt', `packed: ${packed}`)
  }
})

test('a member is not read through for somebody who has gone', async () => {
  const path = join(await temporary(), 'a.zip')
  await writeFile(path, zipOf([{ name: 'a', bytes: a }]))
  const handle = await open(path)
  const zip = await openZip(handle.fd, () => true)
  const gone = AbortSignal.abort(new Error('gone'))
  assert.match(String(await rejects(zip.read('a', a.length, gone))), 'gone')
  await handle.close()
})

test('a directory that says it has millions of members is not read', async () => {
  const archive = zipOf([{ name: 'a', bytes: b }])
  // Zip64: the number stands in a record of its own, 8 bytes.
  const end = archive.subarray(archive.length - 22)
  const at = archive.readUInt32LE(archive.length - 22 + 16)
  const record = Buffer.alloc(56)
  record.write('PK\x06\x06', 'latin1')
  record.writeBigUInt64LE(44n, 4)
  record.writeBigUInt64LE(2_000_000n, 24)
  record.writeBigUInt64LE(2_000_000n, 32)
  record.writeBigUInt64LE(BigInt(archive.length - 22 - at), 40)
  record.writeBigUInt64LE(BigInt(at), 48)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(BigInt(archive.length - 22), 8)
  locator.writeUInt32LE(1, 16)
  const more = Buffer.from(end)
  more.fill(0xff, 8, 20)
  assert.is(
    await read(Buffer.concat([archive.subarray(0, archive.length - 22), record, locator, more]), 'a', 10),
    'too_big',
  )
})

test('what a person may see of a member is fit to show', async () => {
  const path = join(await temporary(), 'a.zip')
  await writeFile(path, zipOf([{ name: 'b', bytes: b }]))
  const handle = await open(path)
  const zip = await openZip(handle.fd, () => true)
  const error = await rejects(zip.read('a\u001b[31m', 1, never))
  await handle.close()
  assert.match(String(error), /a\\x1b/)
})

test.run()
