// DATA that goes away under a working daemon: unmounted, emptied, or mounted for reading alone. It says so, fills nothing that lies under
// the mount point, and goes on when DATA is back.

import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mayMount, mount, unmount, unmountAll } from '../help/mount.ts'
import { call, ds, openScene, type Scene, until } from './scene.ts'

const test = suite('a data directory that goes away')
let scene: Scene
test.before.each(async () => {
  scene = await openScene({ files: 8, bigMib: [20, 30] })
})
test.after.each(async () => {
  unmountAll()
  await scene.close()
})

/** While it is away every look at data is refused with its state, and nothing is made in the empty place. */
async function isAway(url: string): Promise<void> {
  const known = scene.dataset(0)
  for (let look = 0; look < 20; look++) {
    for (const [method, path] of [
      ['GET', '/ds'],
      ['POST', '/ds'],
      ['DELETE', '/ds'],
      ['GET', '/dsfiles'],
    ] as const) {
      const { status, body } = await call(url, `${path}?ds_name=${known.did}`, method)
      assert.is(status, 503, `${method} ${path} ${JSON.stringify(body)}`)
      assert.is(body['code'], 'data_dir_missing')
    }
    assert.is((await call(url, '/status')).status, 200)
    assert.is((await call(url, '/logs')).status, 200)
    assert.equal(await readdir(scene.data), [])
    await sleep(150)
  }
}

async function begin(url: string): Promise<void> {
  const known = scene.dataset(0)
  await ds(url, known, 'POST')
  const parts = join(scene.data, known.name, '.rucio', 'parts')
  await until(
    'parts',
    10_000,
    () => readdir(parts).catch(() => []),
    all => all.some(each => each.endsWith('.json')),
  )
}

async function goesOn(url: string): Promise<void> {
  const known = scene.dataset(0)
  await scene.setFaults({ rate: 0 })
  await until(
    'it goes on',
    30_000,
    () => ds(url, known),
    ({ body }) => body['status'] === 'local',
  )
  assert.equal(await scene.looks.missing(known), [])
}

test('emptied by hand and put back', async () => {
  await scene.setFaults({ rate: 2 ** 20 })
  const daemon = scene.start()
  const url = await daemon.ready
  await begin(url)
  const away = join(scene.dir, 'away')
  await mkdir(away)
  const move = async (from: string, to: string): Promise<void> => {
    // What marks a data directory comes back last.
    for (const name of (await readdir(from)).sort((a, b) => (a === '.rucio' ? 1 : b === '.rucio' ? -1 : 0)))
      await rename(join(from, name), join(to, name))
  }
  await rename(join(scene.data, '.rucio'), join(away, '.rucio'))
  await move(scene.data, away)
  await isAway(url)
  await move(away, scene.data)
  await goesOn(url)
  assert.is((await daemon.end()).code, 0)
})

test('unmounted and mounted again', async () => {
  if (!mayMount()) {
    console.log('skipped what is unmounted: no right to mount')
    return
  }
  await scene.setFaults({ rate: 2 ** 20 })
  const disk = join(scene.dir, 'disk')
  await mkdir(disk)
  mount('-t', 'tmpfs', '-o', 'size=3g', 'tmpfs', disk)
  mount('--bind', disk, scene.data)
  const daemon = scene.start()
  const url = await daemon.ready
  await begin(url)
  unmount(scene.data)
  await isAway(url)
  mount('--bind', disk, scene.data)
  await goesOn(url)
  const { code, ms } = await daemon.end()
  assert.is(code, 0)
  assert.ok(ms < 5000, `${ms} ms`)
})

test('a daemon whose data directory is away ends within 5 s, and fills nothing', async () => {
  if (!mayMount()) return
  await scene.setFaults({ rate: 2 ** 20 })
  mount('-t', 'tmpfs', '-o', 'size=3g', 'tmpfs', scene.data)
  const daemon = scene.start()
  await begin(await daemon.ready)
  unmount(scene.data)
  const { code, ms } = await daemon.end()
  assert.is(code, 0, daemon.said())
  assert.ok(ms < 5000, `${ms} ms`)
  assert.equal(await readdir(scene.data), [])
})

test('mounted for reading alone: what is there is still served, and a wish is taken when it can be written again', async () => {
  if (!mayMount()) return
  mount('-t', 'tmpfs', '-o', 'size=3g', 'tmpfs', scene.data)
  const daemon = scene.start()
  const url = await daemon.ready
  const [first, second] = [scene.dataset(0), scene.dataset(1)]
  await ds(url, first, 'POST')
  await until(
    'whole',
    30_000,
    () => ds(url, first),
    ({ body }) => body['status'] === 'local',
  )
  // A file that is open for writing keeps a disk from it.
  await until(
    'mounted for reading',
    10_000,
    async () => {
      try {
        mount('-o', 'remount,ro', scene.data)
        return ''
      } catch (error) {
        return String(error)
      }
    },
    said => said === '',
  )
  const refused = await ds(url, second, 'POST')
  assert.is(refused.status, 503, JSON.stringify(refused.body))
  assert.is(refused.body['code'], 'read_only')
  assert.is((await ds(url, first)).body['status'], 'local')
  assert.is((await ds(url, second)).body['status'], 'not_on_server')
  assert.is((await call(url, '/status')).status, 200)
  await sleep(4000)
  assert.not(daemon.hasEnded(), daemon.said())
  mount('-o', 'remount,rw', scene.data)
  await until(
    'taken again',
    75_000,
    () => ds(url, second, 'POST'),
    ({ status }) => status === 200,
  )
  await until(
    'whole',
    30_000,
    () => ds(url, second),
    ({ body }) => body['status'] === 'local',
  )
  assert.is((await daemon.end()).code, 0)
})

test.run()
