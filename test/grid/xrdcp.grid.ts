// Files over XRootD by the real xrdcp: open and guarded storages, a death in the middle of each of the three that take part, a stall.

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, service, startJob, syncedBytes, until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { seeded, variable } from './seeded.ts'

const test = suite('xrdcp, real grid')

const rootOnly = 'mc16_13TeV.000014.rootonly_tid15'
const rootProxy = 'mc16_13TeV.000015.rootproxy_tid16'
const slowBoth = 'mc16_13TeV.000016.slowboth_tid17'
const slowRoot = 'mc16_13TeV.000017.slowroot_tid18'
// 100 MB at 8 MB/s: time enough for a checkpoint, which comes after 10 s, and for a death after it.
const rate = 8e6
/** what protocols put on top of the bytes of a file */
const overhead = 1.02
const mib = 2 ** 20

const jobs: Job[] = []
const relays: Relay[] = []
test.after.each(async () => {
  for (const job of jobs.splice(0)) if (!job.daemon.hasEnded()) await job.daemon.end()
  for (const relay of relays.splice(0)) await relay.stop()
  service('start', 'xrd2')
})
test.after(sweep)

async function start(cfg: Parameters<typeof startJob>[1], data?: string): Promise<Job> {
  const job = await startJob(data ?? (await temporary()), cfg)
  jobs.push(job)
  return job
}

async function relayOf(port: 'GRID_SLOW_PORT' | 'GRID_SLOWROOT_PORT'): Promise<Relay> {
  const target = port === 'GRID_SLOW_PORT' ? 'GRID_XRD2_HTTP' : 'GRID_XRD2_PORT'
  const relay = await openRelay({ listen: Number(variable(port)), target: Number(variable(target)), rate })
  relays.push(relay)
  return relay
}

/** A daemon that has a good part of a slow file, of which `relay` passed on what came. */
async function begun(name: string, relay: Relay): Promise<Job> {
  const job = await start('rucio.cfg')
  await job.want(didOf(name))
  await until(
    60,
    async () => (await synced(job, name)) >= 32 * mib,
    () => `${relay.passed()} bytes came`,
  )
  return job
}

/** It arrives, and no more came over the line than was missing.
 *  @param passed bytes since the death
 *  @param had bytes that were synced then */
async function endsWell(job: Job, name: string, passed: () => number, had: number): Promise<void> {
  assert.is(await job.word(didOf(name), 120), 'local')
  await isThere(job, name)
  carried(passed(), had, name)
}

test('a dataset that XRootD alone has arrives, and nothing lies about after it', async () => {
  const job = await start('rucio.cfg')
  assert.is(await job.want(didOf(rootOnly)), 'downloading')
  assert.is(await job.word(didOf(rootOnly), 60), 'local')
  await isThere(job, rootOnly)
  assert.equal(await leftOf(job), [])
})

test('a storage that wants to know who asks gives its files to a proxy, and says so without one', async () => {
  const without = await start('rucio.cfg')
  await without.want(didOf(rootProxy))
  await until(
    30,
    async () => (await without.look(didOf(rootProxy))).unfinished[0]?.reason === 'auth',
    () => 'the reason is another',
  )
  const job = await start('rucio-x509.cfg')
  await job.want(didOf(rootProxy))
  assert.is(await job.word(didOf(rootProxy), 60), 'local')
  await isThere(job, rootProxy)
})

test('members of a zip come out of it one by one, stored and compressed alike', async () => {
  const mark = `xrd${Date.now()}`
  const made = spawnSync(
    join(variable('GRID_VENVS'), 'venv-client', 'bin', 'python'),
    [join(variable('GRID_SRC'), 'archive.py'), variable('GRID_DIR'), mark, 'root'],
    { encoding: 'utf8' },
  )
  assert.is(made.status, 0, made.stderr)
  const { did, members } = JSON.parse(made.stdout) as {
    readonly did: string
    readonly members: Readonly<Record<string, string>>
  }
  const job = await start('rucio.cfg')
  await job.want(did)
  assert.is(await job.word(did, 60), 'local', JSON.stringify((await job.look(did)).unfinished))
  const { name } = await job.look(did)
  for (const [member, md5] of Object.entries(members))
    assert.is((await sumsOf(join(job.data, name, member)))?.md5, md5, member)
  const log = await readFile(join(job.data, '.rucio', 'logs', 'rucio_downloader.log'), 'utf8')
  assert.not.match(log, /its archive/)
})

test('a daemon that is killed leaves no xrdcp behind, and the next one fetches no byte that was synced', async () => {
  const relay = await relayOf('GRID_SLOWROOT_PORT')
  const first = await begun(slowRoot, relay)
  assert.is((await xrdcpsOf(first)).length, 1)
  await first.daemon.kill()
  await until(
    5,
    async () => (await xrdcpsOf(first)).length === 0,
    () => 'an xrdcp lives on',
  )
  const before = relay.passed()
  const had = await synced(first, slowRoot)
  const second = await start('rucio.cfg', first.data)
  await endsWell(second, slowRoot, () => relay.passed() - before, had)
})

test('an XRootD server that is killed in mid-file and started again costs no byte that was synced', async () => {
  const relay = await relayOf('GRID_SLOWROOT_PORT')
  const job = await begun(slowRoot, relay)
  service('kill', 'xrd2')
  await until(
    20,
    async () => relay.open() === 0,
    () => `${relay.open()} connections are open`,
  )
  const before = relay.passed()
  const had = await synced(job, slowRoot)
  service('start', 'xrd2')
  await endsWell(job, slowRoot, () => relay.passed() - before, had)
})

test('where https dies in mid-file xrdcp goes on from there', async () => {
  const https = await relayOf('GRID_SLOW_PORT')
  const root = await relayOf('GRID_SLOWROOT_PORT')
  const job = await begun(slowBoth, https)
  assert.is(root.passed(), 0)
  const had = await synced(job, slowBoth)
  await https.stop()
  await endsWell(job, slowBoth, root.passed, had)
})

test('where XRootD dies in mid-file https goes on from there', async () => {
  const root = await relayOf('GRID_SLOWROOT_PORT')
  // Nobody listens at the port of the https replica.
  const job = await begun(slowBoth, root)
  service('kill', 'xrd2')
  await root.stop()
  const had = await synced(job, slowBoth)
  service('start', 'xrd2')
  const https = await relayOf('GRID_SLOW_PORT')
  await endsWell(job, slowBoth, https.passed, had)
})

test('an xrdcp that stalls is given up and ended', async () => {
  const relay = await relayOf('GRID_SLOWROOT_PORT')
  const job = await start('rucio.cfg')
  await job.want(didOf(slowRoot))
  await until(
    30,
    async () => relay.passed() > 16 * mib,
    () => `${relay.passed()} bytes came`,
  )
  relay.hold()
  await until(
    60,
    async () => (await job.look(didOf(slowRoot))).unfinished[0]?.reason === 'stalled',
    () => 'it is not given up',
  )
  assert.is((await synced(job, slowRoot)) > 0, true)
  // Told to end while another stalls, it takes that with it.
  await until(
    30,
    async () => (await xrdcpsOf(job)).length === 1,
    () => 'it is not tried again',
  )
  const ended = await job.daemon.end()
  assert.equal([ended.code, ended.ms < 5000], [0, true])
  assert.equal(await xrdcpsOf(job), [])
})

test.run()

function didOf(name: string): string {
  return `mc16_13TeV:${name}`
}

async function isThere(job: Job, name: string): Promise<void> {
  for (const file of filesOf(seeded(), didOf(name)))
    assert.is(isGood(file, await sumsOf(join(job.data, name, file.name))), true, file.name)
}

function synced(job: Job, name: string): Promise<number> {
  const [file] = filesOf(seeded(), didOf(name))
  return syncedBytes(join(job.data, name, '.rucio', 'parts', `${file?.name}.json`))
}

/** After something died no more came than was missing then, and no less: a count that stands still would pass for that. */
function carried(passed: number, had: number, name: string): void {
  const [file] = filesOf(seeded(), didOf(name))
  const left = (file?.bytes ?? 0) - had
  const told = `${had} bytes of ${name} were synced, ${passed} of ${left} came after that`
  assert.is(had > 0 && left > 0, true, told)
  assert.is(passed <= left * overhead + mib && passed > left / 2, true, told)
  console.log(told)
}

/** Processes whose arguments name a file below this job's DATA. */
async function xrdcpsOf({ data }: Job): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter(each => /^\d+$/.test(each))) {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') // it has ended meanwhile
    const args = text.split('\0')
    if (args.includes('--continue') && text.includes(data)) found.push(pid)
  }
  return found
}

async function leftOf({ data }: Job): Promise<string[]> {
  const stagings = join(data, '.rucio', 'staging')
  const all = await Promise.all((await readdir(stagings)).map(each => readdir(join(stagings, each))))
  return all.flat()
}
