// Whom a storage token is shown to: hosts that the catalogue named, over TLS, and nobody else. On the raw way and on node:https.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep } from '../help/data.ts'
import { endScenes, MiB, openScene } from './scene.ts'

const test = suite('storage tokens')
test.after(async () => {
  await endScenes()
  await sweep()
})

const token = 'header.claims.signature'
/** In several pieces, and as one small file: both begin on the raw way, and go to node:https where the answer is a redirect. */
const sizes = [8 * MiB, 3]

test('each host that the catalogue named sees it, over TLS', async () => {
  for (const bytes of sizes) {
    const scene = await openScene({ ONE: 'good' }, { token, bytes, schemes: { ONE: ['https'] } })
    assert.is((await scene.fetch()).kind, 'finished')
    const seen = scene.grid.authorizations('ONE')
    assert.ok(seen.length > 0)
    assert.equal([...new Set(seen)], [`Bearer ${token}`])
  }
})

test('a host that a storage redirects to does not see it', async () => {
  for (const bytes of sizes)
    for (const scheme of ['https', 'davs']) {
      const scene = await openScene(
        { DOOR: 'good' },
        {
          token,
          bytes,
          schemes: { DOOR: [scheme] },
          others: ['POOL'],
          faults: { DOOR: { redirectTo: 'POOL' } },
        },
      )
      assert.is((await scene.fetch()).kind, 'finished')
      assert.equal([...new Set(scene.grid.authorizations('DOOR'))], [`Bearer ${token}`])
      const beyond = scene.grid.authorizations('POOL')
      assert.ok(beyond.length > 0, 'nobody came')
      assert.equal([...new Set(beyond)], [''])
    }
})

test('nor does one that it redirects to over plain http', async () => {
  for (const bytes of sizes) {
    const scene = await openScene(
      { DOOR: 'good' },
      {
        token,
        bytes,
        schemes: { DOOR: ['davs'], POOL: ['http'] },
        others: ['POOL'],
        faults: { DOOR: { redirectTo: 'POOL' } },
      },
    )
    assert.is((await scene.fetch(undefined, { plain_data: true })).kind, 'finished')
    assert.equal([...new Set(scene.grid.authorizations('DOOR'))], [`Bearer ${token}`])
    assert.equal([...new Set(scene.grid.authorizations('POOL'))], [''])
  }
})

test('over plain http nobody sees it, not even a host that the catalogue named', async () => {
  for (const bytes of sizes) {
    const scene = await openScene({ ONE: 'good' }, { token, bytes, schemes: { ONE: ['http'] } })
    assert.is((await scene.fetch(undefined, { plain_data: true })).kind, 'finished')
    const seen = scene.grid.authorizations('ONE')
    assert.ok(seen.length > 0)
    assert.equal([...new Set(seen)], [''])
  }
})

test('no log has it, and no sidecar, also when the storage refuses it', async () => {
  const scene = await openScene({ ONE: 'good' }, { token, faults: { ONE: { status: 401 } } })
  const result = await scene.fetch()
  assert.is(result.kind, 'failed')
  assert.not.match(JSON.stringify([result, scene.logged, await scene.sidecar()]), 'claims')
})

test.run()
