// Root URLs that carry a second one (root://cache//root://storage//file), through real XRootD proxies: one that forwards and one that
// caches on its disk.

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { sumsOf } from './bytes.ts'
import { type Job, startJob, syncedBytes, until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { variable } from './seeded.ts'
import { openStorage, type Placed, placeFile, type Storage } from './storage.ts'

const test = suite('XRootD caches, real grid')
const mib = 2 ** 20
/** what protocols put on top of the bytes of a file */
const overhead = 1.02
const mark = `c${Date.now().toString(36)}`
const origin = variable('GRID_XRD2_PORT')
const onXrd2 = {
  folder: 'xrd2/data/rucio',
  scheme: 'root',
  prefix: `//root://localhost:${origin}//rucio/`,
} as const
const forwarding = [
  'ofs.osslib libXrdPss.so',
  'pss.origin =',
  'pss.permit localhost',
  'all.export /root:/',
  'all.export /xroot:/',
].join('\n')

const jobs: Job[] = []
const relays: Relay[] = []
const storages: Storage[] = []
test.after.each(async () => {
  for (const job of jobs.splice(0)) if (!job.daemon.hasEnded()) await job.daemon.end()
  for (const relay of relays.splice(0)) await relay.stop()
  for (const storage of storages.splice(0)) await storage.kill()
})
test.after(sweep)

async function start(data?: string): Promise<Job> {
  const job = await startJob(data ?? (await temporary()), 'rucio.cfg')
  jobs.push(job)
  return job
}

async function proxy(name: string, config: string): Promise<Storage> {
  const storage = await openStorage(`${mark}-${name}`, config)
  storages.push(storage)
  return storage
}

async function isThere(job: Job, { did, name, md5 }: Placed): Promise<void> {
  assert.is(await job.word(did, 120), 'local', JSON.stringify((await job.look(did)).unfinished))
  const folder = (await job.look(did)).name
  assert.is((await sumsOf(join(job.data, folder, name)))?.md5, md5)
}

function synced(job: Job, { did, name }: Placed): Promise<number> {
  return syncedBytes(join(job.data, did.replace(/^.*:/, ''), '.rucio', 'parts', `${name}.json`))
}

test('a file comes through a proxy that forwards to the storage that the address names', async () => {
  const cache = await proxy('forward', forwarding)
  const file = placeFile({ ...onXrd2, mark: `${mark}a`, bytes: 20 * mib + 7, port: cache.port })
  assert.match(file.pfn, `root://localhost:${cache.port}//root://localhost:${origin}//rucio/user/jdoe/`)
  const job = await start()
  await job.want(file.did)
  await isThere(job, file)
  assert.match(cache.log(), /login/)
})

test('a daemon that is killed in the middle goes on through the cache, which asks the storage for a byte once', async () => {
  const toOrigin = await openRelay({ listen: 0, target: Number(origin), rate: 0 })
  relays.push(toOrigin)
  const cache = await proxy(
    'caching',
    `${forwarding}\npss.cachelib libXrdPfc.so\noss.localroot {}/data\npfc.ram 1g\npfc.diskusage 0.99 0.999\npfc.blocksize 1m`,
  )
  // 100 MB at 8 MB/s: time enough for a checkpoint, which comes after 10 s, and for a death after it.
  const relay = await openRelay({ listen: 0, target: cache.port, rate: 8e6 })
  relays.push(relay)
  const file = placeFile({
    ...onXrd2,
    prefix: `//root://localhost:${toOrigin.port}//rucio/`,
    mark: `${mark}b`,
    bytes: 100 * mib + 1,
    port: relay.port,
  })
  const first = await start()
  await first.want(file.did)
  await until(
    60,
    async () => (await synced(first, file)) >= 32 * mib,
    () => `${relay.passed()} bytes came`,
  )
  await first.daemon.kill()
  const had = await synced(first, file)
  const before = relay.passed()
  const second = await start(first.data)
  await isThere(second, file)
  const came = relay.passed() - before
  const left = 100 * mib + 1 - had
  const told = `${had} bytes were synced, ${came} of ${left} came after that, ${toOrigin.passed()} from the storage in all`
  assert.ok(came <= left * overhead + mib && came > left / 2, told)
  // What it had read ahead for the one that was killed lies on its disk.
  assert.ok(toOrigin.passed() <= 1.1 * (100 * mib), told)
  console.log(told)
})

test('a storage behind a cache that is silent costs the cache nothing: what it gives from others comes at once', async () => {
  const cache = await proxy('lonely', forwarding)
  const made = { ...onXrd2, bytes: mib, port: cache.port }
  // Nobody listens there; the proxy tries for longer than is waited for a byte.
  const dead = placeFile({ ...made, prefix: '//root://localhost:9//rucio/', mark: `${mark}c` })
  const good = placeFile({ ...made, mark: `${mark}d` })
  const job = await start()
  await job.want(dead.did)
  let seen: Awaited<ReturnType<Job['look']>> | undefined
  await until(
    60,
    async () => {
      seen = await job.look(dead.did)
      return seen.unfinished[0]?.reason === 'stalled'
    },
    () => JSON.stringify(seen),
  )
  await job.want(good.did)
  assert.is(await job.word(good.did, 5), 'local', JSON.stringify(await job.look(good.did)))
  // A cache that is gone is another matter: that host is left alone.
  await cache.kill()
  const late = placeFile({ ...made, mark: `${mark}e` })
  await job.want(late.did)
  await until(
    30,
    async () => (await job.look(late.did)).unfinished[0]?.reason === 'host_down',
    () => 'it does not rest',
  )
})

test.run()
