// Two daemons on one data directory: a second one is told who is there, a sleeper that wakes finds itself replaced and ends, and a
// restart after a kill is at work within 10 s, whatever its pid.

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { always, ds, openScene, type Scene, until } from './scene.ts'

const test = suite('two daemons on one data directory')
let scene: Scene
test.before.each(async () => {
  scene = await openScene({ files: 8, bigMib: [20, 30] })
})
test.after.each(() => scene.close())

async function owner(): Promise<{ readonly boot_id: string; readonly pid: number; readonly url: string }> {
  return JSON.parse(await readFile(join(scene.data, '.rucio', 'owner.json'), 'utf8'))
}

test('a second daemon says who holds the directory and ends with code 1, and the first goes on', async () => {
  const first = scene.start()
  const url = await first.ready
  const second = scene.start()
  const { code } = await second.ended
  assert.is(code, 1)
  assert.match(second.said(), `is in use by the daemon with pid ${first.pid}`)
  assert.match(second.said(), url)
  assert.is((await owner()).pid, first.pid)
  assert.is((await ds(url, scene.dataset(0), 'POST')).body['status'], 'downloading')
  assert.is((await first.end()).code, 0)
})

test('one that slept while another took over ends with 75 and writes nothing more', async () => {
  await scene.setFaults({ rate: 3 * 2 ** 20 })
  const known = scene.dataset(0)
  const sleeper = scene.start()
  const url = await sleeper.ready
  await ds(url, known, 'POST')
  const parts = join(scene.data, known.name, '.rucio', 'parts')
  await until(
    'parts of big files',
    10_000,
    () => readdir(parts).catch(() => []),
    all => all.some(each => each.endsWith('.json')),
  )
  const before = await owner()
  sleeper.send('SIGSTOP')
  const next = scene.start()
  await next.ready
  const taken = await owner()
  assert.is(taken.pid, next.pid)
  sleeper.send('SIGCONT')
  const { code } = await sleeper.ended
  assert.is(code, 75)
  assert.match(sleeper.said(), 'another daemon has taken over')
  await scene.setFaults({ rate: 0 })
  // Its exit hook must not take the lock of the other one away, nor leave anything in staging/.
  await always('after the sleeper has ended', 2000, async () => {
    const now = await owner()
    if (now.boot_id !== taken.boot_id) return `owner.json is ${JSON.stringify(now)}`
    if (!(await readdir(join(scene.data, '.rucio', 'lock'))).includes('daemon')) return 'the lock has gone'
    const staging = await readdir(join(scene.data, '.rucio', 'staging'))
    return staging.includes(before.boot_id) ? 'it staged something' : undefined
  })
  await until(
    'whole',
    30_000,
    () => ds(taken.url, known),
    each => each.body['status'] === 'local',
  )
  assert.equal(await scene.looks.missing(known), [])
  assert.is((await next.end()).code, 0)
})

test('a restart right after a kill is at work within 10 s, and it may have the pid of the dead one', async () => {
  const through = ['unshare', '-p', '-f', '--mount-proc', '--kill-child']
  if (spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status !== 0) {
    console.log('skipped the same pid in another pid namespace: no right to make one')
    return
  }
  for (let life = 0; life < 2; life++) {
    const daemon = scene.start({ through })
    await daemon.ready
    assert.is((await owner()).pid, 1)
    const ms = daemon.readyMs() ?? Number.NaN
    if (life > 0) console.log(`at work ${Math.round(ms)} ms after a kill, with the same pid`)
    assert.ok(ms < 10_000, `${ms} ms`)
    await daemon.kill()
  }
})

test.run()
