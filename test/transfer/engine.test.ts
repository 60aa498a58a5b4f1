import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Fenced } from '../../src/disk/put.ts'
import { own } from '../disk/root.ts'
import { breakDisk } from '../help/broken-disk.ts'
import { rejects, sweep } from '../help/data.ts'
import { endScenes, MiB, never, openScene, untilSent } from './scene.ts'

const test = suite('engine')
test.after.each(endScenes)
test.after(sweep)

test('a file comes whole, once, and leaves neither part nor sidecar', async () => {
  const scene = await openScene({ A: 'good', B: 'good' })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: 3 * MiB + 7 })
  assert.ok(await scene.isRight())
  assert.is(scene.sent('A'), 3 * MiB + 7)
  assert.is(scene.sent('B'), 0)
  assert.is(await scene.sidecar(), undefined)
  assert.is(scene.log.lines.get('a.root')?.adler32, scene.line.adler32)
  assert.is(scene.transfer.progress.size, 0)
})

test('an empty file is made without asking anybody', async () => {
  const scene = await openScene({ DOWN1: 'good' }, { bytes: 0 })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: 0 })
  assert.ok(await scene.isRight())
})

test('plain http brings data, unless it is not wanted', async () => {
  const scene = await openScene({ A: 'good' }, { schemes: { A: ['http'] } })
  const refused = await scene.fetch(never, { plain_data: false })
  assert.is(refused.kind === 'failed' && refused.failure.reason, 'unsupported')
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
})

test('a file whose catalogue has an md5 alone is compared with it', async () => {
  const scene = await openScene({ A: 'corrupt', B: 'good' }, { checksums: ['md5'] })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
  assert.ok(await scene.isRight())
  assert.is(scene.log.lines.get('a.root')?.md5, scene.line.md5)
})

test('a file without a checksum is taken by its size, and its line says so', async () => {
  const scene = await openScene({ A: 'truncated', B: 'good' }, { checksums: [] })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
  assert.is(scene.log.lines.get('a.root')?.unchecked, true)
})

test('a full disk uses up no try, and what lies there is kept', async () => {
  const scene = await openScene({ A: 'good' }, { bytes: 8 * MiB, faults: { A: { rate: 16 * MiB } } })
  const fetching = scene.fetch()
  await untilSent(scene, 3 * MiB)
  const mend = await breakDisk('write', 'ENOSPC')
  const fetched = await fetching
  assert.ok(mend() > 0)
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'disk_full')
  assert.is(fetched.kind === 'failed' && fetched.costs, false)
  const sidecar = await scene.sidecar()
  assert.is(sidecar?.tries, 0)
  const kept = sidecar?.ranges[0]?.to ?? 0
  assert.ok(kept > 0)
  scene.grid.forgetSent()
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: 8 * MiB })
  assert.is(scene.sent(), 8 * MiB - kept)
  assert.ok(await scene.isRight())
})

test('a disk that does not sync ends the try, and nothing it may have lost counts', async () => {
  const scene = await openScene({ A: 'good' })
  const mend = await breakDisk('datasync', 'EIO')
  const fetched = await scene.fetch()
  mend()
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'disk_error')
  assert.equal((await scene.sidecar())?.ranges, [])
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
  assert.ok(await scene.isRight())
})

test('when the lease may have gone, owner.json is read before a byte is written', async () => {
  const scene = await openScene({ A: 'good' }, { fenced: true, renewedAt: () => Date.now() - 5_000 })
  await own(scene.root, 'another')
  assert.instance(await rejects(scene.fetch()), Fenced)
  await own(scene.root, scene.root.bootId)
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
})

test.run()
