// A machine whose clock is wrong, with a real VOMS server and a real Rucio server whose clocks are right (faketime, Debian's package): what
// fails for it says so, and by how much.

import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { until } from './job.ts'
import { variable } from './seeded.ts'
import {
  type Cert,
  type Client,
  certDir,
  password,
  startVoms,
  startVomsJob,
  stopVoms,
  type VomsJob,
  vomsEnv,
} from './voms/server.ts'

const test = suite('a wrong clock')
let cpp: Client
let job: VomsJob | undefined
/** What faketime preloads. It stays in front of its program itself, and hands no signal on. */
let library = ''

test.before(() => {
  const found = spawnSync('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' })
  library = found.stdout?.trim() ?? ''
  if (library === '') throw new Error('there is no faketime: apt-get install faketime')
  const [client] = startVoms()
  if (client === undefined) throw new Error('no client')
  cpp = client
})
test.after.each(async () => {
  if (job?.daemon.hasEnded() === false) await job.daemon.end()
})
test.after(async () => {
  stopVoms()
  await sweep()
})

/** The daemon, and all that it starts, at another time. @param offset as faketime takes it */
async function at(offset: string): Promise<VomsJob> {
  const dir = await temporary()
  const certs = await certDir(dir)
  const real = spawnSync('which', ['voms-proxy-init'], { encoding: 'utf8', env: { PATH: cpp.path } })
  // A child gets none of the daemon's environment, so the client is sent there by itself.
  const bin = join(dir, 'bin')
  await mkdir(bin)
  const client = join(bin, 'voms-proxy-init')
  await writeFile(client, `#!/bin/sh\nexec faketime -f '${offset}' ${real.stdout.trim()} "$@"\n`)
  await chmod(client, 0o755)
  const env = { ...vomsEnv({ ...cpp, path: `${bin}:${cpp.path}` }, dir), GRID_PASSWORD: password }
  const fake = { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
  job = await startVomsJob(await temporary(), { ...env, ...fake, GRID_VOMS: 'testvo' }, ['--cert-dir', certs])
  return job
}

async function says(asked: VomsJob, is: (cert: Cert) => boolean): Promise<Cert> {
  let cert = await asked.cert()
  await until(
    60,
    async () => {
      cert = await asked.cert()
      return is(cert)
    },
    () => JSON.stringify(cert),
  )
  return cert
}

test('behind: the attributes are not yet valid, and the sentence says whose clock is wrong by how much', async () => {
  const seconds = await sinceTheGridWasMade(100)
  const cert = await says(await at(`-${seconds}s`), each =>
    /clock of this machine is \d+ s/.test(each.error ?? ''),
  )
  console.log(cert.error)
  assert.is(cert.is_good, false)
  const [, behind] =
    /the clock of this machine is (\d+) s behind that of localhost: set it/.exec(cert.error ?? '') ?? []
  assert.ok(Math.abs(Number(behind) - seconds) <= 3, cert.error ?? '')
  assert.match(cert.error ?? '', /not yet valid|counts from/)
})

const any = '/ds?ds_name=mc16_13TeV:mc16_13TeV.000001.nothere'

test('two hours ahead: Rucio takes no proxy that begins in its future, and the sentence says why', async () => {
  const asked = await at('+2h')
  await asked.post(any)
  const cert = await says(asked, each => /take our certificate.*clock/.test(each.error ?? ''))
  console.log(cert.error)
  assert.match(
    cert.error ?? '',
    /does not take our certificate .*; the clock of this machine is (7199|720\d) s ahead of that of localhost: set it/,
  )
})

test('four minutes ahead: all goes well for now, and it is a warning', async () => {
  const asked = await at('+4m')
  await asked.post(any)
  const cert = await says(asked, each => typeof each.voms_ends === 'string' && each.warnings.length > 0)
  assert.equal([cert.is_good, cert.error], [true, null])
  assert.match(cert.warnings.join(), /the clock of this machine is (239|24\d) s ahead of that of localhost/)
})

test('right: nothing is said of it', async () => {
  const cert = await says(await at('+0s'), each => typeof each.voms_ends === 'string')
  assert.equal([cert.is_good, cert.error, cert.warnings], [true, null, []])
})

test.run()

/** Before its certificates began nothing of it could be talked to. @returns seconds, at most two hours, once it is so many at least */
async function sinceTheGridWasMade(least: number): Promise<number> {
  const host = new X509Certificate(await readFile(join(variable('GRID_DIR'), 'certs', 'hostcert.pem')))
  const ca = new X509Certificate(await readFile(variable('CA_FILE')))
  const began = Math.max(Date.parse(host.validFrom), Date.parse(ca.validFrom))
  const age = (): number => Math.floor((Date.now() - began) / 1000) - 10
  await until(
    least,
    async () => age() >= least,
    () => 'the grid is too young',
  )
  return Math.min(7200, age())
}
