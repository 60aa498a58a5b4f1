import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Credential, type CredentialOptions, openCredential } from '../../src/credential/credential.ts'
import { caPem, expiredUserPem, hostKeyPem, userKeyPem, userPem } from '../../src/practice/certificates.ts'
import { sweep, temporary } from '../help/data.ts'
import { proxyPem } from '../help/proxy.ts'

const test = suite('credential')
const opened: Credential[] = []
const identity = '/DC=org/DC=desktop-rucio/OU=Users/CN=jdoe/CN=731042/CN=Jane Doe of the practice grid'
const proxyIdentity = '/DC=org/DC=gridtest/OU=Users/CN=jdoe/CN=731042/CN=Jane Doe'
// Within the proxy of help/proxy.ts: attributes end 17:07:06 on that day, the proxy itself at midnight.
const inProxy = Date.parse('2026-11-24T15:00:00Z')

/** A clock that tests set, and a new file in `dir` for each text. */
async function open(options: Partial<CredentialOptions>, start = inProxy) {
  const clock = { at: start }
  const credential = await openCredential(
    { authType: 'x509_proxy', env: {}, ...options },
    { now: () => clock.at, chance: () => 0.5 },
  )
  opened.push(credential)
  return { credential, clock }
}

let files = 0
async function file(text: string): Promise<string> {
  const path = join(await temporary(), `file-${files++}.pem`)
  await writeFile(path, text)
  return path
}

async function errorOf(options: Partial<CredentialOptions>, start?: number): Promise<string> {
  const { credential } = await open(options, start)
  const state = await credential.state()
  assert.is(state.is_good, false)
  assert.is((await credential.identity()).hasCertificate, false)
  return state.error ?? ''
}

test.after(async () => {
  for (const each of opened) each.close()
  await sweep()
})

test('with nothing configured nothing is known to be bad', async () => {
  const { credential } = await open({ authType: 'userpass' })
  assert.equal(await credential.state(), {
    is_good: true,
    identity: null,
    proxy_ends: null,
    certificate_ends: null,
    token_ends: null,
    error: null,
    warnings: [],
    vo: null,
    fqans: [],
    voms_ends: null,
    proxy_path: null,
  })
  assert.is((await credential.identity()).hasCertificate, false)
})

test('a proxy ends with the first of what it is made of, its VOMS attributes too', async () => {
  const { credential } = await open({ proxyPath: await file(proxyPem) })
  const state = await credential.state()
  assert.is(state.is_good, true)
  assert.is(state.identity, proxyIdentity)
  assert.is(state.proxy_ends, '2026-11-24T17:07:06.000Z')
  assert.is(state.certificate_ends, '2036-11-21T13:33:19.000Z')
  const { hasCertificate, attributes } = await credential.identity()
  assert.equal([hasCertificate, attributes], [true, ['/testvo']])
})

test('a proxy whose attributes have ended is reported and still shown, one that has ended itself is not', async () => {
  const { credential, clock } = await open({ proxyPath: await file(proxyPem) })
  clock.at = Date.parse('2026-11-24T18:00:00Z')
  assert.match((await credential.state()).error ?? '', 'VOMS attributes')
  assert.is((await credential.identity()).hasCertificate, true)
  clock.at = Date.parse('2026-11-25T01:00:00Z')
  assert.match((await credential.state()).error ?? '', 'ended 2026-11-25T00:07:07.000Z: renew it')
  assert.is((await credential.identity()).hasCertificate, false)
})

test('a certificate from the future points at the clock', async () => {
  assert.match(
    await errorOf({ proxyPath: await file(proxyPem) }, Date.parse('2026-01-01T00:00:00Z')),
    'clock',
  )
})

test('a certificate and its key work apart and in one file', async () => {
  const apart = { certPath: await file(userPem), keyPath: await file(userKeyPem) }
  for (const paths of [apart, { certPath: await file(userPem + userKeyPem) }]) {
    const { credential } = await open({ authType: 'x509', ...paths })
    const state = await credential.state()
    assert.is(state.identity, identity)
    assert.is(state.proxy_ends, null)
    assert.is(state.certificate_ends, '2120-01-01T00:00:00.000Z')
    assert.is((await credential.identity()).hasCertificate, true)
  }
})

test('what cannot be used is said in a sentence and never offered', async () => {
  const cert = await file(userPem)
  const x509 = (certPath: string, keyPath: string) => errorOf({ authType: 'x509', certPath, keyPath })
  assert.match(await x509(await file(expiredUserPem), await file(userKeyPem)), 'ended 2021-01-01')
  assert.match(await x509(cert, await file(hostKeyPem)), 'not that of the certificate')
  assert.match(await x509(cert, await file('')), 'no private key')
  const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'
  assert.match(await x509(cert, await file(locked)), 'has a password')
  const old =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n'
  assert.match(await x509(cert, await file(old)), 'has a password')
  assert.match(await errorOf({ proxyPath: '/nowhere/x509up' }), 'is not there')
  assert.match(await errorOf({ proxyPath: await file('hello') }), 'holds no certificate')
  assert.match(await errorOf({ proxyPath: await temporary() }), 'is no proxy file')
})

test('a proxy file cut at any line is never offered', async () => {
  const lines = proxyPem.split('\n')
  const path = await file('')
  for (let kept = 0; kept < lines.length - 2; kept += 7) {
    await writeFile(path, lines.slice(0, kept).join('\n'))
    const { credential } = await open({ proxyPath: path })
    assert.is((await credential.identity()).hasCertificate, false, `${kept} lines`)
    assert.is((await credential.state()).is_good, false)
  }
})

test('new files make a new identity within five seconds, unchanged ones keep it', async () => {
  const [certPath, keyPath] = [await file(expiredUserPem), await file(userKeyPem)]
  const { credential, clock } = await open({ authType: 'x509', certPath, keyPath })
  const before = await credential.identity()
  clock.at += 6_000
  assert.is(await credential.identity(), before)
  await writeFile(certPath, userPem)
  assert.is(await credential.identity(), before)
  clock.at += 6_000
  const after = await credential.identity()
  assert.is(after.hasCertificate, true)
  assert.is.not(after, before)
  assert.is(before.agent.maxFreeSockets, 0)
})

test('half a file in one look is a proxy being replaced; in two it is gone', async () => {
  const proxyPath = await file(proxyPem)
  const { credential, clock } = await open({ proxyPath })
  const held = await credential.identity()
  await writeFile(proxyPath, proxyPem.slice(0, 700))
  clock.at += 6_000
  assert.is(await credential.identity(), held)
  assert.is((await credential.state()).is_good, true)
  clock.at += 6_000
  assert.is((await credential.identity()).hasCertificate, false)
  assert.is((await credential.state()).is_good, false)
})

test('authorities: each file once, what is broken or expired skipped, nothing else trusted', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'practice.pem'), caPem)
  await symlink('practice.pem', join(dir, '1234abcd.0'))
  await symlink('practice.pem', join(dir, 'abcd1234.0'))
  await writeFile(join(dir, '00000000.0'), 'garbage')
  await writeFile(join(dir, '11111111.0'), expiredUserPem)
  await writeFile(join(dir, '1234abcd.r0'), 'a revocation list')
  const { credential } = await open({ authType: 'userpass', caDir: dir })
  assert.is((await credential.state()).is_good, true)

  await rm(join(dir, '1234abcd.0'))
  await rm(join(dir, 'abcd1234.0'))
  assert.match(await errorOf({ authType: 'userpass', caDir: dir }), 'servers cannot be verified')
  await mkdir(join(dir, 'empty'))
  assert.match(await errorOf({ authType: 'userpass', caDir: join(dir, 'empty') }), '0 expired, 0 unreadable')
  assert.match(await errorOf({ authType: 'userpass', caBundle: '/nowhere/ca.pem' }), '/nowhere/ca.pem')
})

function jwt(exp: number): string {
  return `e30.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.sig`
}

test('a token is looked for where WLCG says, anew before each use', async () => {
  const dir = await temporary()
  const uid = process.getuid?.()
  const found = jwt(inProxy / 1000 + 60)
  const path = await file(`${found}\n`)
  const env = { BEARER_TOKEN: ' ', BEARER_TOKEN_FILE: path, XDG_RUNTIME_DIR: dir }
  const { credential, clock } = await open({ authType: 'userpass', env })
  assert.is(await credential.token(), found)
  assert.is((await credential.state()).token_ends, '2026-11-24T15:01:00.000Z')
  await writeFile(path, 'another')
  assert.is(await credential.token(), 'another')
  await writeFile(join(dir, `bt_u${uid}`), 'lying-there')
  await rm(path)
  assert.is(await credential.token(), 'lying-there')
  await writeFile(path, found)
  clock.at += 120_000
  assert.is(await credential.token(), undefined)
  assert.match((await credential.state()).error ?? '', 'the bearer token ended')
  const direct = await open({ authType: 'userpass', env: { ...env, BEARER_TOKEN: 'direct' } })
  assert.is(await direct.credential.token(), 'direct')
  const hostile = await open({ authType: 'userpass', env: { BEARER_TOKEN: 'a\r\nHost: b' } })
  assert.is(await hostile.credential.token(), undefined)
  assert.match((await hostile.credential.state()).error ?? '', 'holds no token')
})

test('an old token that merely lies there makes nothing bad', async () => {
  const dir = await temporary()
  await writeFile(join(dir, `bt_u${process.getuid?.()}`), jwt(1000))
  const { credential } = await open({ authType: 'userpass', env: { XDG_RUNTIME_DIR: dir } })
  assert.is(await credential.token(), undefined)
  assert.is((await credential.state()).is_good, true)
})

test('a refusal that a server reported counts until it is taken back or the credential is another', async () => {
  const [certPath, keyPath] = [await file(userPem), await file(userKeyPem)]
  const { credential, clock } = await open({ authType: 'x509', certPath, keyPath })
  credential.report('Rucio refused the login')
  assert.is((await credential.state()).error, 'Rucio refused the login')
  credential.report(undefined)
  assert.is((await credential.state()).is_good, true)
  credential.report('Rucio refused the login')
  await writeFile(certPath, expiredUserPem)
  await writeFile(certPath, `${userPem}\n`)
  await utimes(certPath, 1, 1)
  clock.at += 6_000
  assert.is((await credential.state()).is_good, false)
  await writeFile(certPath, userPem + caPem)
  clock.at += 6_000
  assert.is((await credential.state()).is_good, true)
})

test.run()
