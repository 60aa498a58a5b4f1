import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../help/data.ts'
import { endScenes, MiB, never, openScene } from './scene.ts'

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

test.run()
