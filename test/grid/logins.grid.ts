// The other ways to log in, and traces, on a real Rucio server: an SSH key that a real ssh-keygen made, a browser and an identity
// provider, and what the server writes down of traces.

import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { Agent } from 'node:https'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { logInOnce } from '../../src/login.ts'
import { readLoginOptions } from '../../src/options.ts'
import { ask, login } from '../contract/subject.ts'
import { browse } from '../help/browse.ts'
import { type Daemon, startDaemon } from '../help/daemon.ts'
import { sweep, temporary, world } from '../help/data.ts'
import { type Idp, startIdp } from './idp.ts'
import { until } from './job.ts'
import { gridAgent, variable } from './seeded.ts'

const test = suite('logins, real grid')
const small = 'mc16_13TeV:mc16_13TeV.361107.Zmumu.DAOD_PHYS.e3601_s3126_r10201_p5855_tid01'
const lifeSeconds = 7200
const daemons: Daemon[] = []
const gone: (() => Promise<void>)[] = []
const ending = new AbortController()
let agent: Agent
let idp: Idp

test.before(async () => {
  agent = gridAgent()
  idp = await startIdp(lifeSeconds)
})
test.after(async () => {
  ending.abort()
  for (const each of daemons) if (!each.hasEnded()) await each.end()
  for (const each of gone) await each()
  await idp.stop()
  agent.destroy()
  await sweep()
})

/** An identity of jdoe for as long as these tests run. */
async function addIdentity(authtype: 'SSH' | 'OIDC', identity: string): Promise<void> {
  const rucioUrl = variable('RUCIO_URL')
  const root = { 'X-Rucio-Account': 'root', 'X-Rucio-Username': 'root', 'X-Rucio-Password': 'root-secret' }
  const token = String((await login({ rucioUrl, agent }, root)).headers['x-rucio-auth-token'])
  const send = (method: string) =>
    ask({
      url: `${rucioUrl}/accounts/jdoe/identities`,
      method,
      agent,
      headers: { 'X-Rucio-Auth-Token': token, 'Content-Type': 'application/json' },
      body: JSON.stringify({ identity, authtype, email: 'jdoe@localhost', default: true }),
    })
  const { status, body } = await send('POST')
  assert.is(status, 201, body.toString())
  gone.push(async () => void (await send('DELETE')))
}

const settings = (more: Record<string, string>): Record<string, string> => ({
  RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/rucio.cfg`,
  X509_CERT_DIR: variable('X509_CERT_DIR'),
  ...more,
})

async function start(
  more: Record<string, string>,
): Promise<{ readonly url: string; readonly data: string; readonly daemon: Daemon }> {
  const data = await temporary()
  const daemon = startDaemon({ data, env: settings(more) })
  daemons.push(daemon)
  return { url: await daemon.ready, data, daemon }
}

async function http(method: string, url: string): Promise<Record<string, unknown>> {
  return await new Promise((resolve, reject) => {
    request(url, { method }, answer => {
      let text = ''
      answer.on('data', chunk => {
        text += chunk
      })
      answer.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>))
    })
      .on('error', reject)
      .end()
  })
}

async function brings(url: string): Promise<void> {
  const ds = `${url}/ds?ds_name=${encodeURIComponent(small)}`
  await http('POST', ds)
  let last: unknown
  await until(
    30,
    async () => {
      last = await http('GET', ds)
      return (last as Record<string, unknown>)['status'] === 'local'
    },
    () => JSON.stringify(last),
  )
}

test('a key of ssh-keygen logs in, and one that Rucio does not know does not', async () => {
  const path = join(await temporary(), 'id_rsa')
  const made = spawnSync('ssh-keygen', [
    '-q',
    '-t',
    'rsa',
    '-b',
    '2048',
    '-N',
    '',
    '-C',
    'jane@laptop',
    '-f',
    path,
  ])
  let line: string
  if (made.error === undefined) {
    assert.is(made.status, 0, String(made.stderr))
    assert.match(await readFile(path, 'utf8'), 'BEGIN OPENSSH PRIVATE KEY')
    line = (await readFile(`${path}.pub`, 'utf8')).trim()
  } else {
    // No OpenSSH here: the same with a key as openssl writes it.
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await writeFile(path, privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
    const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
    const framed = (bytes: Buffer): Buffer => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }
    const number = (text: string): Buffer =>
      framed(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]))
    const blob = Buffer.concat([
      framed(Buffer.from('ssh-rsa')),
      framed(Buffer.from(e, 'base64url')),
      number(n),
    ])
    line = `ssh-rsa ${blob.toString('base64')} jane@laptop`
  }
  const env = { RUCIO_AUTH_TYPE: 'ssh', RUCIO_CLIENT_SSH_PRIVATE_KEY: path }
  const refused = await start(env)
  await http('POST', `${refused.url}/ds?ds_name=${encodeURIComponent(small)}`)
  let cert: unknown
  await until(
    20,
    async () => {
      cert = (await http('GET', `${refused.url}/status`))['grid_cert']
      return JSON.stringify(cert).includes('Cannot authenticate to account jdoe')
    },
    () => JSON.stringify(cert),
  )
  await refused.daemon.end()
  await addIdentity('SSH', line)
  const { url, daemon } = await start(env)
  await brings(url)
  const { grid_cert } = await http('GET', `${url}/status`)
  assert.is((grid_cert as { is_good: boolean }).is_good, true)
  await daemon.end()
})

test('a browser logs in by the address of GET /status, and the daemon goes on by itself', async () => {
  await addIdentity('OIDC', idp.identity)
  const place = join(await temporary(), 'state', 'token')
  const { url, daemon, data } = await start({
    RUCIO_AUTH_TYPE: 'oidc',
    RUCIO_CLIENT_AUTH_TOKEN_FILE_PATH: place,
    RUCIO_CLIENT_OIDC_SCOPE: 'openid profile offline_access',
  })
  await http('POST', `${url}/ds?ds_name=${encodeURIComponent(small)}`)
  let status: Record<string, unknown> = {}
  await until(
    20,
    async () => {
      status = await http('GET', `${url}/status`)
      return typeof status['login_url'] === 'string'
    },
    () => JSON.stringify(status),
  )
  await browse(String(status['login_url']), ca())
  await brings(url)
  status = await http('GET', `${url}/status`)
  assert.equal([status['login_url'], (status['grid_cert'] as { is_good: boolean }).is_good], [null, true])
  const token = await readFile(place, 'latin1')
  assert.is((await stat(place)).mode & 0o777, 0o600)
  await daemon.end()
  for (const name of ['grid_cert', 'web_server', 'rucio_downloader']) {
    const text = await readFile(join(data, '.rucio', 'logs', `${name}.log`), 'utf8').catch(() => '')
    assert.is(text.includes(token) || text.includes('oidc_redirect'), false, name)
  }
})

test('desktop-rucio login leaves a token with which the daemon works, and which it renews before its end', async () => {
  const place = join(await temporary(), 'state', 'token')
  // Longer before its end than it lives: it is renewed at once.
  const env = {
    RUCIO_AUTH_TYPE: 'oidc',
    RUCIO_CLIENT_AUTH_TOKEN_FILE_PATH: place,
    RUCIO_CLIENT_OIDC_SCOPE: 'openid profile offline_access',
    RUCIO_CLIENT_AUTH_OIDC_REFRESH_BEFORE_EXP: String(lifeSeconds / 60 + 1),
  }
  const said: string[] = []
  const code = logInOnce(await readLoginOptions([], settings(env)), {
    world,
    signal: ending.signal,
    say: line => void said.push(line),
    complain: line => void said.push(line),
    input: new PassThrough(),
  })
  await until(
    10,
    async () => said.some(each => each.includes('oidc_redirect')),
    () => said.join('\n'),
  )
  await browse((said.find(each => each.includes('oidc_redirect')) ?? '').trim(), ca())
  assert.is(await code, 0, said.join('\n'))
  const first = await readFile(place, 'latin1')
  // Rucio gives the same token again within five minutes, so it is made to believe that they are over.
  const { status, stderr } = spawnSync(`${variable('GRID_VENVS')}/venv-server/bin/python`, [
    '-c',
    'import sqlite3, sys\n' +
      "db = sqlite3.connect(sys.argv[1] + '/db/rucio.db', timeout=10)\n" +
      'n = db.execute("update tokens set updated_at = \'2020-01-01 00:00:00.000000\' where refresh_token is not null").rowcount\n' +
      'db.commit()\n' +
      'assert n > 0',
    variable('GRID_DIR'),
  ])
  assert.is(status, 0, String(stderr))
  const before = idp.given()
  const { url, daemon } = await start(env)
  await brings(url)
  assert.ok(idp.given() > before, 'the identity provider gave no new one')
  assert.is.not(await readFile(place, 'latin1'), first)
  await daemon.end()
})

test('the server takes the traces, and finds nothing wrong with their fields', async () => {
  const path = join(variable('GRID_DIR'), 'log', 'trace')
  const before = readFileSync(path, 'utf8').length
  const { url, daemon } = await start({})
  await brings(url)
  let text = ''
  await until(
    10,
    async () => {
      text = readFileSync(path, 'utf8').slice(before)
      return text.split('\n').filter(each => each.includes('"DONE"')).length >= 5
    },
    () => text,
  )
  assert.not.match(text, 'Problem validating schema')
  const traces = text
    .split('\n')
    .filter(each => each.startsWith('{'))
    .map(each => JSON.parse(each) as Record<string, unknown>)
  assert.is(new Set(traces.map(each => each['filename'])).size, 5)
  for (const each of traces) {
    assert.equal(
      [each['account'], each['eventType'], each['datasetScope']],
      ['jdoe', 'download', 'mc16_13TeV'],
    )
    assert.match(String(each['remoteSite']), /^XRD[12]$/)
  }
  await daemon.end()
})

function ca(): string {
  return readFileSync(variable('CA_FILE'), 'utf8')
}

test.run()
