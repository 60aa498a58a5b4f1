import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Faults } from '../../src/practice/grid.ts'
import { sweep } from '../help/data.ts'
import { endScenes, failureOf, MiB, openScene } from './scene.ts'

const test = suite('faults of storages')
test.after.each(endScenes)
test.after(sweep)

const faultsOf = [
  ['does not exist there', { status: 404 }],
  ['may not be read there', { status: 403 }],
  ['is behind a storage that cannot now', { status: 503 }],
  ['is behind a closed port', { dead: true }],
  ['is behind a storage that says nothing', { hang: true }],
  ['stops after a while', { stallAfter: MiB }],
  ['comes a byte a second', { drip: true }],
  ['comes as another range', { nonsense: 'wrong-range' }],
  ['has another size there', { nonsense: 'wrong-total' }],
  ['comes half', { nonsense: 'short' }],
  ['is a page of HTML there', { nonsense: 'html' }],
  ['is behind a page to log in', { nonsense: 'login' }],
  ['comes encoded', { nonsense: 'encoded' }],
  ['comes as multipart', { nonsense: 'multipart' }],
  ['is told to have no such bytes', { nonsense: '416' }],
] as const satisfies readonly (readonly [string, Partial<Faults>])[]

// Small files come over node:https, big ones over a connection of our own: both must bear all of it.
for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  for (const [what, faults] of faultsOf) {
    test(`a file of ${bytes} bytes that ${what} comes right from the next replica`, async () => {
      const scene = await openScene({ A: 'good', B: 'good' }, { bytes, faults: { A: faults } })
      assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
      assert.ok(await scene.isRight())
      assert.ok(scene.sent('B') > 0)
    })
  }

for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  test(`of ${bytes} bytes those beyond what was asked for are not taken`, async () => {
    const scene = await openScene({ A: 'good' }, { bytes, faults: { A: { nonsense: 'long' } } })
    assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
    assert.ok(await scene.isRight())
  })

for (const kind of ['corrupt', 'truncated', 'absent'] as const) {
  test(`a ${kind} replica does no harm while there is a good one`, async () => {
    const scene = await openScene({ A: kind, B: 'good' })
    assert.equal(await scene.fetch(), { kind: 'finished', bytes: scene.line.bytes })
    assert.ok(await scene.isRight())
  })

  test(`a ${kind} replica alone never gives a file its name`, async () => {
    const scene = await openScene({ A: kind })
    assert.is(await failureOf(scene), `${kind === 'absent' ? 'no_replica' : 'corrupt'} costs`)
    assert.is((await scene.sidecar())?.tries, 1)
    assert.is((await scene.sidecar())?.ranges.length, 0)
    assert.is(scene.log.lines.size, 0)
  })
}

for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  test(`a redirect to another host is followed for ${bytes} bytes`, async () => {
    const scene = await openScene(
      { A: 'good' },
      { bytes, others: ['POOL'], faults: { A: { redirectTo: 'POOL' } } },
    )
    assert.equal(await scene.fetch(), { kind: 'finished', bytes })
    assert.ok(await scene.isRight())
    assert.is(scene.sent('POOL'), bytes)
  })

test('a dead pool behind a redirect does not put its door to rest', async () => {
  const scene = await openScene(
    { A: 'good' },
    { others: ['POOL'], faults: { A: { redirectTo: 'POOL' }, POOL: { dead: true } } },
  )
  assert.is(await failureOf(scene), 'host_down costs')
  assert.is(scene.transfer.resting().size, 0)
})

for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  for (const [attributes, says] of [
    [undefined, /^refused: A \(\S+\) does not let us read it \(403\)\. It was/],
    [[], /\(403\); our proxy names no VO: .*GRID_VOMS/],
    [['/vo', '/vo/de'], /\(403\); our proxy names \/vo, \/vo\/de: .*GRID_VOMS/],
    [['/a', '/b', '/c', '/d'], /our proxy names \/a, \/b, \/c and more: /],
  ] as const)
    test(`a storage that refuses ${bytes} bytes is told what the proxy names: ${attributes?.join() ?? 'none is shown'}`, async () => {
      const faults = { A: { status: 403 } }
      const scene = await openScene(
        { A: 'good' },
        { bytes, faults, ...(attributes === undefined ? {} : { attributes }) },
      )
      const failed = await scene.fetch()
      assert.match(
        failed.kind === 'failed' ? `${failed.failure.reason}: ${failed.failure.message}` : failed.kind,
        says,
      )
    })

for (const bytes of [3 * MiB + 7, 9 * MiB + 7])
  test(`a certificate that is not taken pauses its storage, costs ${bytes} bytes no try, and another lets it begin at once`, async () => {
    const scene = await openScene(
      { A: 'good' },
      { bytes, attributes: ['/vo'], faults: { A: { status: 401 } } },
    )
    assert.is(await failureOf(scene), 'auth free')
    assert.ok(scene.transfer.resting().has(scene.grid.rse('A')))
    assert.is((await scene.sidecar())?.tries ?? 0, 0)
    // Nobody is asked again and again with what he does not take.
    await scene.grid.setFaults('A', { status: 0 })
    assert.is(await failureOf(scene), 'auth free')
    assert.is((await scene.sidecar())?.tries ?? 0, 0)
    scene.transfer.forgetRefusals()
    assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  })

test('a host that is down uses up no try of the files behind it', async () => {
  const scene = await openScene({ A: 'good' }, { faults: { A: { dead: true } } })
  const first = await scene.fetch()
  assert.is(first.kind === 'failed' && first.costs, false)
  const until = scene.transfer.resting().get(scene.grid.rse('A'))
  assert.ok(until !== undefined)
  assert.is(first.kind === 'failed' && first.nextTryAt, until)
  const begun = performance.now()
  assert.is(await failureOf(scene), 'host_down free')
  assert.ok(performance.now() - begun < 200, 'a host at rest is not asked')
  assert.is((await scene.sidecar())?.tries, 0)
})

test('how a host has done outlives the process', async () => {
  const scene = await openScene({ A: 'good' }, { faults: { A: { dead: true } } })
  await scene.fetch()
  await scene.transfer.close()
  await scene.restart()
  assert.ok(scene.transfer.resting().has(scene.grid.rse('A')))
})

test('a replica that gave wrong bytes three times is left alone', async () => {
  const scene = await openScene({ A: 'corrupt' })
  for (let i = 0; i < 3; i++) await scene.fetch()
  assert.is((await scene.sidecar())?.strikes[0]?.count, 3)
  scene.grid.forgetSent()
  assert.is(await failureOf(scene), 'corrupt costs')
  assert.is(scene.sent(), 0)
})

test.run()
