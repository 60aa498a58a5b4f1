// One try to make a proxy, against a client that says one thing and does another.

import { createPrivateKey } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeProxy, type Outcome, type ProxyOptions } from '../../src/credential/attempt.ts'
import { readPair } from '../../src/credential/certificate.ts'
import { removeOrphanedKeys } from '../../src/credential/proxy-place.ts'
import { userKeyPem } from '../../src/practice/certificates.ts'
import { Trouble } from '../../src/words/reason.ts'
import { parseVoms } from '../../src/words/voms.ts'
import { sweep, temporary } from '../help/data.ts'
import { proxyPem } from '../help/proxy.ts'
import { type FakeClient, fakeClient, type Scene } from '../help/voms-client.ts'

const test = suite('a try to make a proxy')
test.after(sweep)

/** Its attributes of testvo end at 17:07:06, the proxy itself after midnight. */
const now = Date.parse('2026-11-24T15:00:00Z')
const never = new AbortController().signal

type Stage = { readonly client: FakeClient; readonly options: ProxyOptions; readonly said: string[] }

async function stage(voms = 'testvo'): Promise<Stage> {
  const dir = await temporary()
  const client = await fakeClient(dir)
  const wishes = parseVoms(voms)
  if (wishes instanceof Trouble) throw wishes
  return {
    client,
    said: [],
    options: {
      proxyPath: join(dir, 'place', 'x509up_1.pem'),
      certPath: join(client.certs, 'usercert.pem'),
      keyPath: join(client.certs, 'userkey.pem'),
      voms: wishes,
      valid: '24:00',
      copyKey: false,
      env: { PATH: client.bin, HOME: dir },
    },
  }
}

async function play(
  { client, options, said }: Stage,
  scene: Scene,
  known: Partial<Parameters<typeof makeProxy>[1]> = {},
): Promise<Outcome> {
  await client.plays(scene)
  const all = { password: 'pass word', held: undefined, now: () => now, ...known }
  return await makeProxy(options, all, line => said.push(line), never)
}

function messageOf(outcome: Outcome): string {
  return outcome.kind === 'refused' ? outcome.message : `it was ${outcome.kind}`
}

test('a good proxy gets its name, mode 0600, in a directory of this user alone, and nothing else stays', async () => {
  const on = await stage()
  const outcome = await play(on, { writes: proxyPem, says: '........+....+++\nYour proxy is valid' })
  assert.is(outcome.kind, 'made')
  const { proxyPath } = on.options
  assert.is(await readFile(proxyPath, 'utf8'), proxyPem)
  assert.is((await stat(proxyPath)).mode & 0o777, 0o600)
  assert.is((await stat(join(proxyPath, '..'))).mode & 0o777, 0o700)
  assert.equal(await readdir(join(proxyPath, '..')), ['x509up_1.pem'])
  assert.equal(on.said, ['Your proxy is valid'])
})

test('the password goes to standard input alone, and out of all that the client says', async () => {
  const on = await stage()
  const outcome = await play(
    on,
    { says: 'I was given "canary-7431"\n', code: 1 },
    { password: 'canary-7431' },
  )
  const [run] = await on.client.runs()
  assert.is(run?.input, 'canary-7431\n')
  assert.not.match(JSON.stringify([run?.args, run?.env, on.said, outcome]), 'canary')
  assert.equal(Object.keys(run?.env ?? {}).sort(), ['HOME', 'LC_ALL', 'PATH'])
})

test('a good proxy counts whatever the exit code, and what the client complained of is told', async () => {
  const outcome = await play(await stage(), {
    writes: proxyPem,
    says: 'Cannot verify AC signature!',
    code: 1,
  })
  assert.is(outcome.kind === 'made' ? /\.lsc/.test(outcome.complaint ?? '') : messageOf(outcome), true)
})

test('half a file that comes with exit code 0 never takes the place of a good one', async () => {
  const on = await stage()
  await mkdir(join(on.options.proxyPath, '..'))
  await writeFile(on.options.proxyPath, proxyPem)
  for (const writes of [proxyPem.slice(0, 2000), '', proxyPem.slice(0, -1400)]) {
    const outcome = await play(on, { writes })
    assert.is(outcome.kind, 'refused', String(writes.length))
    assert.is(await readFile(on.options.proxyPath, 'utf8'), proxyPem)
  }
})

test('one without what was asked for is none', async () => {
  assert.match(messageOf(await play(await stage('other'), { writes: proxyPem })), /lacks other/)
  const role = await stage('testvo:/testvo/Role=production')
  assert.match(messageOf(await play(role, { writes: proxyPem })), /lacks testvo:\/testvo\/Role=production/)
})

test('one that has ended, and one from the future, are none', async () => {
  const late = { now: () => Date.parse('2026-11-24T18:00:00Z') }
  assert.match(
    messageOf(await play(await stage(), { writes: proxyPem, code: 1 }, late)),
    /made no proxy|ended/,
  )
  const early = { now: () => Date.parse('2026-11-24T13:57:00Z') }
  assert.match(
    messageOf(await play(await stage(), { writes: proxyPem }, early)),
    /clock of this machine is behind/,
  )
})

test('the time at which it is judged is that of its end, not of its begin', async () => {
  const times = [Date.parse('2026-11-24T14:06:50Z'), Date.parse('2026-11-24T14:07:10Z')]
  const known = { now: () => times.shift() ?? now }
  assert.is((await play(await stage(), { writes: proxyPem }, known)).kind, 'made')
})

test('one that lasts no longer than the one that we hold is not taken', async () => {
  const held = readPair(proxyPem, proxyPem, 'the held one')
  if (held instanceof Trouble) throw held
  assert.is((await play(await stage(), { writes: proxyPem }, { held })).kind, 'same')
})

test('what can be known before is said without asking anybody', async () => {
  const on = await stage()
  const { certPath, keyPath } = on.options
  const refused = async (known: Partial<Parameters<typeof makeProxy>[1]> = {}): Promise<string> =>
    messageOf(await play(on, { writes: proxyPem }, known))
  assert.match(
    await refused({ password: undefined }),
    /has a password, and none was given: .*GRID_PASSWORD_FILE/,
  )
  assert.match(await refused({ now: () => Date.parse('2037-01-01') }), /your certificate ended 2036-11-21/)
  assert.match(await refused({ now: () => Date.parse('2020-01-01') }), /only from 2026-11-24.*clock/)
  await chmod(keyPath, 0o644)
  assert.match(await refused(), /has mode 0644.*chmod 400/)
  await chmod(keyPath, 0o600)
  await writeFile(keyPath, userKeyPem)
  await chmod(keyPath, 0o400)
  assert.match(await refused(), /is not the key of/)
  await writeFile(certPath, 'nothing')
  assert.match(await refused(), /holds no certificate/)
  const gone = { ...on, options: { ...on.options, certPath: `${certPath}.gone` } }
  assert.match(messageOf(await play(gone, {})), /is not there/)
  assert.equal(await on.client.runs(), [])
})

test('a wrong password is told without asking anybody', async () => {
  const on = await stage()
  const locked = createPrivateKey(userKeyPem).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'right',
  })
  await chmod(on.options.keyPath, 0o600)
  await writeFile(on.options.keyPath, locked)
  assert.match(
    messageOf(await play(on, { writes: proxyPem }, { password: 'wrong' })),
    /password of the private key is wrong/,
  )
  // The right one opens it, and shows that it is another's.
  assert.match(messageOf(await play(on, { writes: proxyPem }, { password: 'right' })), /is not the key of/)
  assert.equal(await on.client.runs(), [])
})

test('a key on a share that shows it to all is copied, with mode 0400, for the try alone', async () => {
  const on = await stage()
  await chmod(on.options.keyPath, 0o777)
  const copying = { ...on, options: { ...on.options, copyKey: true } }
  assert.is((await play(copying, { writes: proxyPem })).kind, 'made')
  const [run] = await on.client.runs()
  assert.is(run?.args[(run?.args.indexOf('-key') ?? 0) + 1], `${on.options.proxyPath}.key`)
  assert.equal(await readdir(join(on.options.proxyPath, '..')), ['x509up_1.pem'])
  assert.is((await stat(on.options.keyPath)).mode & 0o777, 0o777)
})

test('a key of mode 0400 is copied as well', async () => {
  const on = await stage()
  await chmod(on.options.keyPath, 0o400)
  // Only a user who is not root can be refused here; test/container does it as one, with a .p12.
  const outcome = await play({ ...on, options: { ...on.options, copyKey: true } }, { writes: proxyPem })
  assert.is(outcome.kind, 'made')
})

test('without a voms-proxy-init it is told what to install, and that it is of no use to try again', async () => {
  const on = await stage()
  const bare = { ...on, options: { ...on.options, env: { PATH: '/nowhere' } } }
  const outcome = await play(bare, {})
  assert.match(messageOf(outcome), /there is no voms-proxy-init on this machine: install it \(voms-clients/)
  assert.is(outcome.kind === 'refused' && outcome.again, 'change')
})

test('the bare key that the client leaves in /tmp goes with it, and those of clients that are gone', async () => {
  await play(await stage(), { writes: proxyPem, leavesKey: true })
  const uid = process.getuid?.() ?? 0
  const left = async () => (await readdir('/tmp')).filter(name => name.startsWith(`tmp_x509up_u${uid}_`))
  const mine = `tmp_x509up_u${uid}_${process.pid}`
  // The highest pid that a kernel gives is below 2^22.
  const dead = `tmp_x509up_u${uid}_4999999`
  for (const name of [mine, dead]) await writeFile(join('/tmp', name), 'key', { mode: 0o600 })
  await removeOrphanedKeys()
  const names = await left()
  assert.equal([names.includes(mine), names.includes(dead)], [true, false])
  await unlink(join('/tmp', mine))
})

test.run()
