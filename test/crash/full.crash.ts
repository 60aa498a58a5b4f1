// A disk that fills, again and again, while the daemon writes and dies: no good record is ever cut, a wish that does not fit is refused
// with a word, and work goes on by itself when there is room.

import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mayMount, mount, unmountAll } from '../help/mount.ts'
import { openChance } from './chance.ts'
import { requestOf } from './hands.ts'
import { age } from './life.ts'
import { openLooks } from './looks.ts'
import { call, ds, openScene, type Scene, until } from './scene.ts'
import { untidy } from './tidy.ts'

const test = suite('a disk that fills')
const rounds = Number(process.env['ROUNDS'] ?? 40) / 4
let scene: Scene | undefined
test.after.each(async () => {
  unmountAll()
  await scene?.close()
  scene = undefined
})

/** Fills all but `left` bytes. */
async function fill(data: string, ballast: string, left: number): Promise<void> {
  const { bavail, bsize } = await statfs(data)
  const bytes = bavail * bsize - left
  if (bytes <= 0) return
  try {
    await writeFile(ballast, Buffer.alloc(bytes))
  } catch {
    // The daemon was faster: then the disk is as full as it can be.
  }
}

async function start(scene: Scene, data: string) {
  const daemon = scene.start({ data })
  return { daemon, url: await daemon.ready }
}

test('no record is cut, and it goes on by itself', async () => {
  if (!mayMount()) {
    console.log('skipped the disk that fills: no right to mount one')
    return
  }
  // 2 x 5 MiB and a few small ones twice: some 27 MiB.
  scene = await openScene({ files: 20, bigMib: [5, 6] })
  const { model, dir } = scene
  const disk = join(dir, 'disk')
  await mkdir(disk)
  mount('-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk)
  // Beside DATA, on the same disk: a file of somebody else.
  const data = join(disk, 'data')
  const ballast = join(disk, 'ballast')
  await mkdir(data)
  const looks = openLooks(data, model)
  const chance = openChance(Number(process.env['SEED'] ?? 5))
  let full = 0
  for (let round = 0; round < rounds; round++) {
    const { daemon, url } = await start(scene, data)
    if (round === 0) await writeFile(join(data, 'config.json'), '{"reserve_bytes": 0}')
    await fill(data, ballast, chance.between(0, 3) * chance.between(0, 400_000))
    for (const each of [0, 1, 2]) {
      const known = scene.dataset(each)
      const { status, body } = await ds(url, known, chance.is(0.8) ? 'POST' : 'DELETE')
      assert.ok([200, 503, 507].includes(status), `${status} ${JSON.stringify(body)}`)
      if (status !== 200) full += 1
    }
    await sleep(chance.between(50, 700))
    if (chance.is(0.5)) await rm(ballast, { force: true })
    await sleep(chance.between(0, 400))
    assert.not(daemon.hasEnded(), daemon.said())
    await daemon.kill()
    const wrong = (await untidy({ data, model, when: 'dead' })).filter(
      each => !/ has no .rucio| and neither /.test(each),
    )
    assert.equal(wrong, [], `round ${round}`)
    assert.equal(await looks.everything(), [], `round ${round}`)
    await rm(ballast, { force: true })
    await age(data, true)
  }
  console.log(`${full} wishes were refused for want of room`)
  const { daemon, url } = await start(scene, data)
  await fill(data, ballast, 300_000)
  for (const each of [0, 1]) {
    await rm(ballast, { force: true })
    await ds(url, scene.dataset(each), 'POST')
    await fill(data, ballast, 300_000)
  }
  const said = await until(
    'disk_full is told',
    30_000,
    () => call(url, '/datasets'),
    ({ body }) => JSON.stringify(body).includes('disk_full'),
  )
  assert.is(said.status, 200)
  await rm(ballast, { force: true })
  mount('-o', 'remount,size=256m', disk)
  for (const each of [0, 1]) {
    const known = scene.dataset(each)
    await until(
      `${known.name} goes on`,
      90_000,
      () => ds(url, known),
      ({ body }) => body['status'] === 'local',
    )
  }
  assert.is((await daemon.end()).code, 0)
})

test('a request of 40 KB survives whatever room there is for its next text', async () => {
  if (!mayMount()) return
  scene = await openScene({ files: 6, bigMib: [1, 2] })
  const disk = join(scene.dir, 'disk')
  await mkdir(disk)
  mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk)
  const data = join(disk, 'data')
  const ballast = join(disk, 'ballast')
  await mkdir(data)
  const { daemon, url } = await start(scene, data)
  const known = scene.dataset(0)
  const path = requestOf(data, known.name)
  const note = 'x'.repeat(40_000)
  let refused = 0
  for (let left = 0; left < 60_000; left += 4096) {
    const text = JSON.stringify({ paused: true, note })
    await writeFile(path, text)
    await fill(data, ballast, left)
    const { status, body } = await ds(url, known, 'DELETE')
    const after = await readFile(path, 'utf8').catch(() => undefined)
    if (status === 200) {
      // The removal itself may be over already.
      if (after !== undefined) assert.equal(JSON.parse(after), { paused: true, note, remove: true })
    } else {
      refused += 1
      assert.is(status, 507, JSON.stringify(body))
      assert.is(after, text)
    }
    await rm(ballast, { force: true })
  }
  console.log(`${refused} of 15 had no room`)
  assert.ok(refused > 3)
  assert.is((await daemon.end()).code, 0)
})

test.run()
