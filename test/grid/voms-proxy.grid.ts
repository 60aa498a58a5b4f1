// The daemon and a real VOMS server: attributes, renewal while a transfer goes on, a password that comes later, a proxy that somebody else
// makes.

import { spawn } from 'node:child_process'
import { linkSync, mkdirSync } from 'node:fs'
import { copyFile, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { pathOf, seeded, variable } from './seeded.ts'
import {
  type Cert,
  type Client,
  certDir,
  password,
  startVoms,
  startVomsJob,
  stopVoms,
  type VomsJob,
  vomsDir,
  vomsEnv,
} from './voms/server.ts'

const test = suite('VOMS proxy, real server')
const bin = fileURLToPath(new URL('../../../bin/desktop-rucio', import.meta.url))
const jane = '/DC=org/DC=gridtest/OU=Users/CN=jdoe/CN=731042/CN=Jane Doe'
const guarded = 'mc16_13TeV:mc16_13TeV.000007.xrd1only_tid09'
const slow = 'mc16_13TeV:mc16_13TeV.000013.slow_tid14'

let clients: readonly Client[] = []
const jobs: VomsJob[] = []
let relay: Relay | undefined

test.before(() => {
  clients = startVoms()
  console.log(`clients: ${clients.map(each => each.name).join(', ')}`)
})
test.after.each(async () => {
  for (const job of jobs.splice(0)) if (!job.daemon.hasEnded()) await job.daemon.end()
  await relay?.stop()
  relay = undefined
})
test.after(async () => {
  stopVoms()
  await sweep()
})

async function start(
  client: Client,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly job: VomsJob; readonly data: string; readonly dir: string }> {
  const [dir, data] = [await temporary(), await temporary()]
  const certs = await certDir(dir)
  const job = await startVomsJob(data, { ...vomsEnv(client, dir), ...env }, ['--cert-dir', certs])
  jobs.push(job)
  return { job, data, dir }
}

async function says(job: VomsJob, seconds: number, is: (cert: Cert) => boolean): Promise<Cert> {
  let cert = await job.cert()
  await until(
    seconds,
    async () => {
      cert = await job.cert()
      return is(cert)
    },
    () => JSON.stringify(cert),
  )
  return cert
}

function client(name: Client['name']): Client | undefined {
  return clients.find(each => each.name === name)
}

for (const name of ['C++', 'Java'] as const)
  test(`the ${name} client gets the attributes that GRID_VOMS asks for, and what they open arrives`, async () => {
    const with_ = client(name)
    if (with_ === undefined) return console.log(`there is no ${name} client here`)
    const { job, data } = await start(with_, {
      GRID_PASSWORD: password,
      GRID_VOMS: 'testvo:/testvo/Role=production',
    })
    // The proxy is seen as soon as it lies there, which may be just before it is settled when the next one is due.
    const cert = await says(
      job,
      20,
      each =>
        (typeof each.voms_ends === 'string' && typeof each.renewal?.next === 'string') || each.error !== null,
    )
    assert.equal([cert.is_good, cert.error, cert.identity, cert.vo], [true, null, jane, 'testvo'])
    assert.ok(cert.fqans.includes('/testvo/Role=production/Capability=NULL'), cert.fqans.join())
    const leftMs = Date.parse(cert.proxy_ends ?? '') - Date.now()
    assert.ok(Math.abs(leftMs - 24 * 3_600_000) < 120_000, `${leftMs}`)
    const nextMs = Date.parse(cert.renewal?.next ?? '') - Date.now()
    assert.ok(Math.abs(nextMs - 16 * 3_600_000) < 120_000, `${nextMs}`)
    assert.is((await stat(cert.proxy_path)).mode & 0o777, 0o600)
    await job.post(`/ds?ds_name=${guarded}`)
    await job.get(`/ds?ds_name=${guarded}&wait=30`)
    const { name: folder } = JSON.parse(await job.get(`/datasets/${guarded}`)) as { readonly name: string }
    for (const file of filesOf(seeded(), guarded))
      assert.ok(isGood(file, await sumsOf(join(data, folder, file.name))), file.name)
  })

test('a proxy that ends in mid-transfer is renewed before, and the transfer goes on with the new one', async () => {
  const [file] = filesOf(seeded(), slow)
  const [cpp] = clients
  if (file === undefined || cpp === undefined) throw new Error('no slow file, or no client')
  // The storage that asks for a certificate gets the file as well, and stands behind the relay.
  const path = pathOf(file)
  const [from, to] = ['xrd2', 'xrd1'].map(each => join(variable('GRID_DIR'), each, 'data/rucio', path)) as [
    string,
    string,
  ]
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'EEXIST') throw error
  }
  const listen = Number(variable('GRID_SLOW_PORT'))
  const target = Number(variable('GRID_XRD1_HTTP'))
  relay = await openRelay({ listen, target, rate: 300_000 })
  const { job, data } = await start(cpp, {
    GRID_PASSWORD: password,
    GRID_VOMS: 'testvo',
    GRID_PROXY_VALID: '0:01',
  })
  const first = await says(job, 20, each => typeof each.proxy_ends === 'string')
  await job.post(`/ds?ds_name=${slow}`)
  const second = await says(
    job,
    60,
    each => typeof each.proxy_ends === 'string' && each.proxy_ends > (first.proxy_ends ?? ''),
  )
  const madeMs = Date.parse(second.renewal?.made ?? '') - Date.parse(first.renewal?.made ?? '')
  assert.ok(Date.now() < Date.parse(first.proxy_ends ?? ''), 'the first one still counted')
  await until(
    60,
    async () => Date.now() > Date.parse(first.proxy_ends ?? '') + 1500,
    () => 'the first one does not end',
  )
  const before = relay.passed()
  assert.ok(before > 10e6 && before < file.bytes, `${before} bytes had come`)
  await relay.stop()
  relay = await openRelay({ listen, target, rate: 0 })
  const word = await job.get(`/ds?ds_name=${slow}&wait=60`)
  assert.match(word, '"local"')
  const { name: folder } = JSON.parse(await job.get(`/datasets/${slow}`)) as { readonly name: string }
  assert.ok(isGood(file, await sumsOf(join(data, folder, file.name))), 'the bytes are right')
  // It went on from what had come. (Byte for byte that is counted in broken-storage.grid.ts: this relay also counts what a connection
  // that was given up had under way.)
  assert.ok(relay.passed() < file.bytes, `${relay.passed()} after ${before}`)
  console.log(
    `made anew after ${madeMs / 1000} s of 60, ${before} bytes with the first proxy, ${relay.passed()} after its end`,
  )
})

test('without a password it is told what is missing; one that is handed in later is taken at once', async () => {
  const [cpp] = clients
  if (cpp === undefined) throw new Error('no client')
  const { job, data } = await start(cpp, { GRID_VOMS: 'testvo' })
  const lacking = await says(job, 10, each => each.error !== null)
  assert.is(lacking.is_good, false)
  assert.match(lacking.error ?? '', /has a password, and none was given: .*GRID_PASSWORD_FILE/)
  assert.match(await handIn(data, 'not-it'), /password of the private key is wrong.*\n1$/s)
  assert.match(await handIn(data, password), /the proxy is good until .*\n0$/s)
  const cert = await job.cert()
  assert.equal([cert.is_good, cert.vo], [true, 'testvo'])
})

test('a proxy that somebody else makes is used and watched, and never replaced', async () => {
  const [cpp] = clients
  if (cpp === undefined) throw new Error('no client')
  const dir = await temporary()
  const path = join(dir, 'x509up')
  await copyFile(join(variable('GRID_DIR'), 'certs', 'proxy.pem'), path)
  const before = await stat(path)
  const { job } = await start(cpp, { GRID_PASSWORD: password, GRID_VOMS: 'testvo', X509_USER_PROXY: path })
  const plain = await says(job, 10, each => typeof each.proxy_ends === 'string')
  assert.equal([plain.is_good, plain.vo, plain.renewal, plain.proxy_path], [true, null, null, path])
  assert.equal([(await stat(path)).mtimeMs, (await stat(path)).ino], [before.mtimeMs, before.ino])
  // Somebody else renews it, with attributes.
  const { job: maker } = await start(cpp, { GRID_PASSWORD: password, GRID_VOMS: 'testvo' })
  const made = await says(maker, 10, each => typeof each.proxy_ends === 'string')
  await copyFile(made.proxy_path, path)
  const began = performance.now()
  await says(job, 15, each => each.vo === 'testvo')
  console.log(`a proxy of another was taken up after ${Math.round(performance.now() - began)} ms`)
  assert.is(await readFile(path, 'utf8'), await readFile(made.proxy_path, 'utf8'))
})

test.run()

/** `desktop-rucio password` with the password from a pipe. @returns what it said, and its exit code as the last line */
function handIn(data: string, text: string): Promise<string> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [bin, 'password', '--data', data], {
      env: { PATH: process.env['PATH'] ?? '', HOME: vomsDir() },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        said += String(chunk)
      })
    child.on('close', code => resolve(`${said}${code}`))
    child.stdin.end(`${text}\n`)
  })
}
