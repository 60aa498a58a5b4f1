// What the official client brings for us, and members of archives, on the real grid: a POSIX storage, a configuration that wants all of it,
// a daemon that is killed while the client runs.

import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, pathsOf, startJob, until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { seeded, variable } from './seeded.ts'

const test = suite('official client, real grid')

const facts = seeded()
const posix = 'mc16_13TeV:mc16_13TeV.000006.posixonly_tid08'
const small = 'mc16_13TeV:mc16_13TeV.361107.Zmumu.DAOD_PHYS.e3601_s3126_r10201_p5855_tid01'
const odd = 'user.jdoe:user.jdoe.odd.v1'
const slashes = 'user.jdoe:user.jdoe/with/slashes.v1'
const slow = 'mc16_13TeV:mc16_13TeV.000013.slow_tid14'
const everything = '{"engine": "rucio"}'

const jobs: Job[] = []
const relays: Relay[] = []
test.after(async () => {
  for (const job of jobs) if (!job.daemon.hasEnded()) await job.daemon.end()
  for (const relay of relays) await relay.stop()
  await sweep()
})

async function start(data: string, cfg: Parameters<typeof startJob>[1]): Promise<Job> {
  const job = await startJob(data, cfg)
  jobs.push(job)
  return job
}

async function listen(rate: number): Promise<Relay> {
  const relay = await openRelay({
    listen: Number(variable('GRID_SLOW_PORT')),
    target: Number(variable('GRID_XRD2_HTTP')),
    rate,
  })
  relays.push(relay)
  return relay
}

async function arrives(job: Job, did: string, seconds: number): Promise<void> {
  assert.is(await job.word(did, seconds), 'local', JSON.stringify((await job.look(did)).unfinished))
  const { name } = await job.look(did)
  const paths = await pathsOf(job.data, name)
  for (const file of filesOf(facts, did)) {
    const path = paths.get(`${file.scope}:${file.name}`) ?? ''
    assert.ok(isGood(file, await sumsOf(join(job.data, name, path))), path)
  }
}

async function logOf(job: Job): Promise<string> {
  return readFile(join(job.data, '.rucio', 'logs', 'rucio_downloader.log'), 'utf8')
}

/** Scratch folders; files there are records on their way. */
async function stagedIn(data: string): Promise<string[]> {
  const staging = join(data, '.rucio', 'staging')
  const found: string[] = []
  for (const boot of await readdir(staging))
    for (const entry of await readdir(join(staging, boot), { withFileTypes: true }))
      if (entry.isDirectory()) found.push(`${boot}/${entry.name}`)
  return found
}

/** Processes that have `text` in their arguments: pid -> arguments and environment. */
async function processesWith(text: string): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  for (const pid of await readdir('/proc')) {
    if (!/^[0-9]+$/.test(pid)) continue
    // It may be gone, and a zombie has none.
    const [line, environ] = await Promise.all(
      ['cmdline', 'environ'].map(name => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
    )
    if (line?.includes(text) === true && Number(pid) !== process.pid)
      found.set(Number(pid), `${line} ${environ}`)
  }
  return found
}

test('what a POSIX storage alone has comes by the official client', async () => {
  const job = await start(await temporary(), 'rucio.cfg')
  await job.want(posix)
  await arrives(job, posix, 60)
  assert.match(await logOf(job), /rucio: INFO File mc16_13TeV:posixonly\S+ successfully downloaded/)
  assert.equal(await stagedIn(job.data), [])
})

test('members of an archive come out of it, and the archive goes', async () => {
  const mark = `m${randomBytes(4).toString('hex')}`
  const made = spawnSync(
    join(variable('GRID_VENVS'), 'venv-client', 'bin', 'python'),
    [join(variable('GRID_SRC'), 'archive.py'), variable('GRID_DIR'), mark],
    { encoding: 'utf8', env: { ...process.env, PYTHONWARNINGS: 'ignore' } },
  )
  assert.is(made.status, 0, made.stderr)
  const { did, archive, members } = JSON.parse(made.stdout) as {
    readonly did: string
    readonly archive: string
    readonly members: Readonly<Record<string, string>>
  }
  const job = await start(await temporary(), 'rucio.cfg')
  await job.want(did)
  assert.is(await job.word(did, 60), 'local', JSON.stringify((await job.look(did)).unfinished))
  const { name } = await job.look(did)
  for (const [member, md5] of Object.entries(members)) {
    const bytes = await readFile(join(job.data, name, member))
    assert.is(createHash('md5').update(bytes).digest('hex'), md5)
  }
  const log = await logOf(job)
  assert.is(log.split(`its archive user.jdoe:${archive} is fetched`).length, 2, log)
  assert.equal(await readdir(join(job.data, name, '.rucio', 'parts')), [])
})

test('with "engine": "rucio" every file comes so: of several storages, without a checksum, with slashes in its name', async () => {
  const data = await temporary()
  await (await start(data, 'rucio-x509.cfg')).daemon.end()
  await writeFile(join(data, 'config.json'), everything)
  const job = await start(data, 'rucio-x509.cfg')
  for (const did of [small, odd, slashes]) await job.want(did)
  for (const did of [small, odd, slashes]) await arrives(job, did, 120)
  const log = await logOf(job)
  // The one of no bytes is asked of nobody.
  const files = [small, odd, slashes].flatMap(did => filesOf(facts, did)).filter(file => file.bytes > 0)
  for (const file of files)
    assert.ok(log.includes(`INFO File ${file.scope}:${file.name} successfully`), file.name)
  assert.equal(await stagedIn(data), [])
})

test('a daemon that is killed while the client runs leaves none behind, and the next one begins anew', async () => {
  const data = await temporary()
  await (await start(data, 'rucio-x509.cfg')).daemon.end()
  await writeFile(join(data, 'config.json'), everything)
  const relay = await listen(8e6)
  const killed = await start(data, 'rucio-x509.cfg')
  await killed.want(slow)
  await until(
    60,
    async () => relay.passed() > 8e6,
    () => `${relay.passed()} bytes came`,
  )
  const seen = await processesWith(`${data}/.rucio/staging/`)
  assert.ok(seen.size > 0)
  // The password is in this configuration, too; the client has a token, in a file.
  for (const text of seen.values()) {
    assert.not.match(text, /jdoe-secret/)
    assert.not.match(text, /jdoe-\S*-unknown-[0-9a-f]{32}/)
  }
  await killed.daemon.kill()
  await until(
    10,
    async () => (await processesWith(`${data}/.rucio/staging/`)).size === 0,
    () => 'a client runs still',
  )
  await relay.stop()
  await listen(0)
  const job = await start(data, 'rucio-x509.cfg')
  await arrives(job, slow, 120)
  assert.equal(await stagedIn(data), [])
  assert.equal(await readdir(join(data, 'mc16_13TeV.000013.slow_tid14', '.rucio', 'parts')), [])
})

test('a dataset that is not wanted any more, and SIGTERM, end the client at once', async () => {
  for (const relay of relays.splice(0)) await relay.stop()
  const relay = await listen(4e6)
  const data = await temporary()
  await (await start(data, 'rucio-x509.cfg')).daemon.end()
  await writeFile(join(data, 'config.json'), everything)
  const job = await start(data, 'rucio-x509.cfg')
  await job.want(slow)
  await until(
    60,
    async () => relay.passed() > 4e6,
    () => `${relay.passed()} bytes came`,
  )
  const ended = await job.daemon.end()
  assert.equal([ended.code, ended.ms < 5000], [0, true])
  assert.is((await processesWith(`${data}/.rucio/staging/`)).size, 0)
  assert.equal(await stagedIn(data), [])
})

test.run()
