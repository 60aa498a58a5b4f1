// The daemon is killed at random instants while the real xrdcp and the real official client bring files of the real grid: some deaths take
// the programs along, some leave them running. In the end every file is whole, nothing is left, and where xrdcp can go on it did.
//
// ROUNDS=20 kills more often, KILL_SEED=… (SEED is the one that the grid is filled with) makes the same choices again.

import { randomInt } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { type Chance, openChance } from '../crash/chance.ts'
import { isThere } from '../crash/hands.ts'
import { age } from '../crash/life.ts'
import { sweep, temporary } from '../help/data.ts'
import { type Job, startJob, syncedBytes } from './job.ts'
import { killAll, programPaths, programsOf } from './programs.ts'
import { openRelay, type Relay } from './relay.ts'
import { seeded, variable } from './seeded.ts'
import { openWatch, type Wanted } from './watch.ts'

const test = suite('killed, real grid')

const mib = 2 ** 20
const rounds = Number(process.env['ROUNDS'] ?? 5)
const seed = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 32))
const ports = { SLOW1: 'GRID_SLOW_PORT', SLOWROOT1: 'GRID_SLOWROOT_PORT' } as const
const targets = { SLOW1: 'GRID_XRD2_HTTP', SLOWROOT1: 'GRID_XRD2_PORT' } as const
type Slow = keyof typeof ports

type Way = {
  readonly cfg: 'rucio.cfg' | 'rucio-x509.cfg'
  readonly engine: 'auto' | 'rucio'
  readonly names: readonly string[]
  /** bytes a second of each connection to it */
  readonly slow: Readonly<Partial<Record<Slow, number>>>
  /** the one file that goes on from where it stopped, by its dataset */
  readonly resumes?: string
}

const slowRoot = 'mc16_13TeV.000017.slowroot_tid18'
const ways: Readonly<Record<string, Way>> = {
  'xrdcp brings files over root://': {
    cfg: 'rucio.cfg',
    engine: 'auto',
    names: [slowRoot, 'mc16_13TeV.000014.rootonly_tid15'],
    // Slow enough to last for all of the deaths.
    slow: { SLOWROOT1: 8e6 * Math.min(1, 6 / rounds) },
    resumes: slowRoot,
  },
  'the official client brings files over davs://, over root:// by its own xrdcp, and from a POSIX storage': {
    cfg: 'rucio-x509.cfg',
    engine: 'rucio',
    names: [
      'mc16_13TeV.000013.slow_tid14',
      slowRoot,
      'mc16_13TeV.000006.posixonly_tid08',
      'mc16_13TeV.000014.rootonly_tid15',
    ],
    slow: { SLOW1: 25e6, SLOWROOT1: 12e6 },
  },
}

const jobs: Job[] = []
const relays = new Map<Slow, Relay>()
test.after.each(async () => {
  for (const { daemon, data } of jobs.splice(0)) {
    if (!daemon.hasEnded()) await daemon.kill()
    killAll(await programsOf(data))
  }
  for (const relay of relays.values()) await relay.stop()
  relays.clear()
  await sweep()
})

for (const [what, way] of Object.entries(ways))
  test(`${what}: ${rounds} kills cost no byte that was synced, and leave nothing`, async () => {
    console.log(`KILL_SEED=${seed} ROUNDS=${rounds}`)
    const chance = openChance(seed)
    const home = await temporary()
    const data = await temporary()
    const paths = await programPaths(home)
    for (const folder of ['tmp', 'home']) await mkdir(join(home, folder))
    const facts = seeded()
    const wanted: Wanted[] = way.names.map(name => ({
      did: `mc16_13TeV:${name}`,
      name,
      files: filesOf(facts, `mc16_13TeV:${name}`),
    }))
    const watch = openWatch(data, wanted)
    await relay(way, 1)

    async function start(): Promise<Job> {
      const left = await programsOf(data)
      const job = await startJob(data, way.cfg, {
        PATH: chance.is(0.5) ? paths.guarded : paths.bare,
        TMPDIR: join(home, 'tmp'),
        HOME: join(home, 'home'),
        DESKTOP_RUCIO_CHECKPOINT_EVERY: '0.2',
      })
      jobs.push(job)
      const still = await programsOf(data)
      const both = left.filter(pid => still.includes(pid))
      assert.equal(both, [], `programs of a life before run beside the next one: ${both}`)
      return job
    }

    const [resumed] = way.resumes === undefined ? [] : filesOf(facts, `mc16_13TeV:${way.resumes}`)
    const had = async (): Promise<number> => {
      if (resumed === undefined || way.resumes === undefined) return 0
      if (await isThere(join(data, way.resumes, resumed.name))) return resumed.bytes
      return syncedBytes(join(data, way.resumes, '.rucio', 'parts', `${resumed.name}.json`))
    }
    const passed = (): number => [...relays.values()].reduce((sum, each) => sum + each.passed(), 0)
    let orphans = 0
    let extra = 0
    let kept = 0
    for (let round = 1; round <= rounds; round++) {
      const before = await had()
      const job = await start()
      if (round === 1) {
        await writeFile(join(data, 'config.json'), JSON.stringify({ reserve_bytes: 0, engine: way.engine }))
        for (const { did } of wanted) await job.want(did)
      }
      const beganAt = passed()
      await liveAndDie(job, chance, watch.look)
      orphans += (await programsOf(data)).length
      const after = await had()
      kept += after
      if (resumed !== undefined) {
        // xrdcp has 16 MiB on the line, and what it wrote last was not synced; what lay there must not have come again.
        const cost = passed() - beganAt - (after - before)
        extra = Math.max(extra, cost)
        assert.ok(
          cost < 20 * mib + 0.02 * resumed.bytes,
          `${passed() - beganAt} bytes came for ${after - before}`,
        )
      }
      await watch.lookDead()
      assert.equal(watch.faults, [])
      // Else it waits until the lock of the dead one has run out, which takes 8 s.
      await age(data, chance.is(0.8))
    }

    await relay(way, 0)
    const missing = (resumed?.bytes ?? 0) - (await had())
    const job = await start()
    const beganAt = passed()
    for (const { did } of wanted)
      assert.is(await job.word(did, 120), 'local', JSON.stringify((await job.look(did)).unfinished))
    if (resumed !== undefined)
      assert.ok(
        passed() - beganAt <= 1.02 * missing + mib,
        `${passed() - beganAt} bytes came for the last ${missing}`,
      )
    const { code } = await job.daemon.end()
    assert.is(code, 0)
    await watch.lookDone()
    assert.equal(watch.faults, [])
    assert.equal(await programsOf(data), [])
    // A configuration without a secret may stay there for the next start.
    const lent = await readdir(join(home, 'tmp'), { recursive: true, withFileTypes: true })
    assert.equal(
      lent.filter(each => !each.isDirectory() && each.name !== 'rucio.cfg').map(each => each.name),
      [],
    )
    const { looks, summed } = watch.counts()
    console.log(
      `${looks} looks, ${summed} files whole; ${orphans} programs outlived their daemon; ` +
        `${Math.round(kept / mib)} MiB found to lie there after deaths, at most ${Math.round(extra / mib)} MiB lost by one`,
    )
  })

test.run()

/** It works for a while, looked at all the time, and is killed: at any instant, or just when it has started a program; alone, or with all
 *  that it has started, as when a container or a session ends. */
async function liveAndDie({ data, daemon }: Job, chance: Chance, look: () => Promise<void>): Promise<void> {
  let living = true
  const looking = (async () => {
    for (; living; await sleep(50)) await look()
  })()
  looking.catch(() => {}) // it is awaited below
  const lifeMs = chance.between(100, 4000)
  const end = performance.now() + lifeMs
  if (chance.is(0.4)) {
    const before = await programsOf(data)
    while (performance.now() < end && (await programsOf(data)).every(pid => before.includes(pid)))
      await sleep(20)
    await sleep(chance.between(0, 1500))
  } else await sleep(lifeMs)
  assert.is(daemon.hasEnded(), false, daemon.said())
  const programs = chance.is(0.5) ? await programsOf(data) : []
  const dead = daemon.kill()
  killAll(programs)
  await dead
  living = false
  await looking
}

/** What stands in front of the slow storages. @param factor 0 = as quick as they can */
async function relay({ slow }: Way, factor: number): Promise<void> {
  for (const each of relays.values()) await each.stop()
  relays.clear()
  for (const [rse, rate] of Object.entries(slow) as [Slow, number][])
    relays.set(
      rse,
      await openRelay({
        listen: Number(variable(ports[rse])),
        target: Number(variable(targets[rse])),
        rate: rate * factor,
      }),
    )
}
