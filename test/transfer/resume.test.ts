import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../help/data.ts'
import { endScenes, MiB, openScene, until, untilSent } from './scene.ts'

const test = suite('resume')
test.after.each(endScenes)
test.after(sweep)

test('a line that drops every 3 MiB brings 64 MiB at once and with at most 5 % more', async () => {
  const bytes = 64 * MiB
  const scene = await openScene({ A: 'good' }, { bytes, faults: { A: { dropEvery: 3 * MiB } } })
  const begun = performance.now()
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(performance.now() - begun < 8_000)
  assert.ok(await scene.isRight())
  assert.ok(scene.sent() <= bytes * 1.05, `${scene.sent() / bytes} times the size came over the line`)
})

for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  test(`a whole file of ${bytes} bytes in answer to a range is taken as what it is`, async () => {
    const scene = await openScene({ A: 'good' }, { bytes, faults: { A: { rate: 4 * MiB } } })
    const stop = new AbortController()
    const fetching = scene.fetch(stop.signal)
    await untilSent(scene, MiB)
    stop.abort()
    assert.equal(await fetching, { kind: 'stopped' })
    assert.ok(((await scene.sidecar())?.ranges.length ?? 0) > 0)
    await scene.grid.setFaults('A', { rate: 0, nonsense: '200' })
    assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
    assert.ok(await scene.isRight())
  })

test('every replica cut in turn: the file is put together from both', async () => {
  const bytes = 8 * MiB
  const scene = await openScene(
    { A: 'good', B: 'good' },
    { bytes, faults: { A: { stallAfter: 3 * MiB }, B: { dropEvery: MiB } } },
  )
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(await scene.isRight())
  assert.ok(scene.sent() <= bytes * 1.05)
})

test('of bytes from two replicas the wrong ones go, and the file still comes in one try', async () => {
  const bytes = 8 * MiB
  const scene = await openScene(
    { A: 'corrupt', B: 'good' },
    { bytes, faults: { A: { stallAfter: 5 * MiB } } },
  )
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(await scene.isRight())
})

test('a stop ends at once, and what had come counts', async () => {
  const scene = await openScene({ A: 'good' }, { bytes: 16 * MiB, faults: { A: { rate: 8 * MiB } } })
  const stop = new AbortController()
  const fetching = scene.fetch(stop.signal)
  await untilSent(scene, 3 * MiB)
  assert.ok(scene.transfer.progress.get('user.test.ds')?.has('a.root'))
  const begun = performance.now()
  stop.abort()
  assert.equal(await fetching, { kind: 'stopped' })
  assert.ok(performance.now() - begun < 1000)
  const kept = (await scene.sidecar())?.ranges.at(-1)?.to ?? 0
  assert.ok(kept > 2 * MiB)
  scene.grid.forgetSent()
  await scene.grid.setFaults('A', { rate: 0 })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes: 16 * MiB })
  assert.is(scene.sent(), 16 * MiB - kept)
  assert.ok(await scene.isRight())
})

test('after a kill no byte is fetched again that a checkpoint counts', async () => {
  const bytes = 16 * MiB
  const scene = await openScene(
    { A: 'good' },
    { bytes, faults: { A: { rate: 16 * MiB } }, limits: { checkpointBytes: 4 * MiB } },
  )
  const lost = scene.transfer
  const fetching = scene.fetch()
  await until(async () => ((await scene.sidecar())?.ranges.at(-1)?.to ?? 0) >= 8 * MiB)
  // The sidecar of this instant is all that a kill would leave.
  const kept = (await scene.sidecar())?.ranges.at(-1)?.to ?? 0
  await lost.close()
  await fetching
  await scene.restart()
  scene.grid.forgetSent()
  await scene.grid.setFaults('A', { rate: 0 })
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(scene.sent() <= bytes - kept)
  assert.ok(await scene.isRight())
})

test('a big file comes over several connections', async () => {
  const bytes = 128 * MiB
  const scene = await openScene(
    { A: 'good', B: 'good' },
    { bytes, faults: { A: { rate: 80 * MiB }, B: { rate: 80 * MiB } } },
  )
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(await scene.isRight())
  assert.ok(scene.sent('B') > 0)
  // A stretch that was cut in two loses what was in flight.
  assert.ok(scene.sent() <= bytes * 1.2)
})

test.run()
