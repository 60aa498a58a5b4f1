// Authorities and revocation lists on real servers: a storage whose certificate was revoked, lists that fetch-crl brings, one that has run
// out, an authority that comes while the daemon runs.

import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, startJob, until } from './job.ts'
import { anotherCa, crlOf, gridCa, showAnother } from './openssl.ts'
import { openRelay, type Relay } from './relay.ts'
import { seeded, variable } from './seeded.ts'

const test = suite('revocation lists, real grid')

// Its only way is https, through a relay to XRD2: no other engine can go around the certificate that is shown there.
const did = 'mc16_13TeV:mc16_13TeV.000013.slow_tid14'
const name = 'mc16_13TeV.000013.slow_tid14'
const day = 86_400_000
const ca = gridCa()
const restores: (() => void)[] = []
const jobs: Job[] = []
let relay: Relay

test.before(async () => {
  relay = await openRelay({
    listen: Number(variable('GRID_SLOW_PORT')),
    target: Number(variable('GRID_XRD2_HTTP')),
    rate: 0,
  })
})
test.after.each(async () => {
  for (const job of jobs.splice(0)) await job.daemon.end()
  for (const restore of restores.splice(0)) restore()
})
test.after(async () => {
  await relay.stop()
  await sweep()
})

/** A directory of authorities of the daemon's own, with the grid's. */
async function authorities(): Promise<string> {
  const dir = await temporary()
  await copyFile(ca.cert, join(dir, `${ca.hash}.0`))
  return dir
}

async function start(env: Readonly<Record<string, string>>): Promise<Job> {
  const job = await startJob(await temporary(), 'rucio.cfg', env)
  jobs.push(job)
  return job
}

function show(by: typeof ca, as: string): string {
  const { cert, restore } = showAnother(by, as)
  restores.push(restore)
  return cert
}

/** Waits until the file of the dataset says why it does not come. */
async function refusal(job: Job): Promise<string> {
  let message = ''
  let whole = ''
  await until(
    60,
    async () => {
      const seen = await job.look(did)
      whole = JSON.stringify(seen)
      const [file] = seen.unfinished as readonly {
        reason: string | null
        message?: string
      }[]
      message = `${file?.reason}: ${file?.message}`
      return file?.reason === 'refused'
    },
    () => `${message}; ${whole}`,
  )
  return message
}

async function arrives(job: Job): Promise<void> {
  assert.is(await job.word(did, 60), 'local', JSON.stringify(await job.look(did)))
  const [file] = filesOf(seeded(), did)
  if (file === undefined) throw new Error('the seed has no slow file')
  assert.is(isGood(file, await sumsOf(join(job.data, name, file.name))), true)
}

async function log(job: Job): Promise<string> {
  return readFile(join(job.data, '.rucio', 'logs', 'grid_cert.log'), 'utf8')
}

test('a storage whose certificate was revoked is refused by the list that fetch-crl has brought', async () => {
  const dir = await authorities()
  const cert = show(ca, 'revoked')
  const list = crlOf(ca, [cert], await temporary(), new Date(Date.now() + day))
  const web = createServer((_, response) => response.end(list))
  await new Promise<void>(done => web.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/list.pem`
  await writeFile(join(dir, `${ca.hash}.crl_url`), `${url}\n`)
  const crlDir = join(await temporary(), 'lists')
  const job = await start({ X509_CERT_DIR: dir, CRL_DIR: crlDir, XDG_CACHE_HOME: await temporary() })
  let seen: unknown
  await until(
    60,
    async () => {
      const { authorities: now } = await job.status()
      seen = now
      return now?.update.ended != null && now.crl?.fresh === 1
    },
    () => JSON.stringify(seen),
  )
  web.close()
  assert.is((await readFile(join(crlDir, `${ca.hash}.r0`), 'utf8')).includes('X509 CRL'), true)
  const { authorities: state } = await job.status()
  assert.equal([state?.crl, state?.warnings], [{ fresh: 1, stale: 0, missing: 0 }, []])
  assert.equal([state?.update.by, state?.update.error], ['fetch-crl', null])
  assert.match(await log(job), 'fetch-crl ended well')
  // Rucio's own certificate is of the same authority and is not on the list.
  await job.want(did)
  assert.match(await refusal(job), /cannot be trusted: its authority has revoked it .*CERT_REVOKED/)
})

test('a list that has run out warns in /status and in the log, and what it does not name still comes', async () => {
  const dir = await authorities()
  const old = crlOf(ca, [], await temporary(), new Date(Date.now() - 3_600_000))
  await writeFile(join(dir, `${ca.hash}.r0`), old)
  const job = await start({ X509_CERT_DIR: dir, CERT_UPDATE: '0' })
  await job.want(did)
  await arrives(job)
  const { authorities: state } = await job.status()
  assert.equal(state?.crl, { fresh: 0, stale: 1, missing: 0 })
  assert.match(state?.warnings.join() ?? '', '1 one that has run out')
  assert.match(await log(job), '1 one that has run out')
})

test('in strict mode a fresh list lets it come, and one that has run out stops all', async () => {
  const dir = await authorities()
  const place = await temporary()
  await writeFile(join(dir, `${ca.hash}.r0`), crlOf(ca, [], place, new Date(Date.now() + day)))
  const job = await start({ X509_CERT_DIR: dir, CERT_UPDATE: '0', CRL_STRICT: '1' })
  await job.want(did)
  await arrives(job)
  await job.daemon.end()
  await writeFile(join(dir, `${ca.hash}.r0`), crlOf(ca, [], place, new Date(Date.now() - 3_600_000)))
  const stopped = await start({ X509_CERT_DIR: dir, CERT_UPDATE: '0', CRL_STRICT: '1' })
  await stopped.want(did)
  await until(
    30,
    async () => /CRL_HAS_EXPIRED/.test(JSON.stringify(await stopped.look(did))),
    () => 'not refused',
  )
})

test('an authority that is added while the daemon runs is taken up', async () => {
  const dir = await authorities()
  const another = anotherCa(await temporary())
  show(another, 'another-host')
  const job = await start({ X509_CERT_DIR: dir, CERT_UPDATE: '0' })
  await job.want(did)
  assert.match(await refusal(job), /cannot be trusted: .*(UNABLE_TO|SELF_SIGNED)/)
  await copyFile(another.cert, join(dir, `${another.hash}.0`))
  // A wait between two tries is five minutes at most; a new wish does not shorten it.
  for (let i = 0; i < 6 && (await job.word(did, 60)) !== 'local'; i++);
  await arrives(job)
})

test.run()
