import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { sweep, temporary } from '../help/data.ts'
import { closeAll, liar, never, open, split, troubleOf } from './open.ts'

const test = suite('login with an SSH key')
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['ONE'],
    seed: { datasets: [{ scope: 's', name: 'n', open: false, files: [] }], containers: [] },
  })
  await grid.setCatalogue({ sshKeys: [String(publicKey.export({ type: 'spki', format: 'pem' }))] })
})
test.after(async () => {
  closeAll()
  await grid.stop()
  await sweep()
})

async function keyFile(text: string, mode = 0o600): Promise<string> {
  const path = join(await temporary(), 'id_rsa')
  await writeFile(path, text, { mode })
  return path
}

function withKey(sshKeyPath: string, account = 'jdoe', url = grid.url) {
  const opened = open(url, { authType: 'ssh', sshKeyPath, account })
  return { ...opened, ask: () => opened.rucio.contents(split('s:n'), () => {}, never) }
}

test('a key as openssl writes it, and as ssh-keygen does, gives a token', async () => {
  for (const text of [
    String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    String(privateKey.export({ type: 'pkcs1', format: 'pem' })),
    opensshOf(privateKey),
  ]) {
    const { ask, reports } = withKey(await keyFile(text))
    assert.is((await ask()).kind, 'listed')
    assert.equal(reports, [undefined])
  }
})

test('a key that Rucio does not know is auth, and the challenge is not shown', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const { detail, reason } = await troubleOf(withKey(await keyFile(opensshOf(other))).ask())
  assert.is(reason, 'auth')
  assert.match(detail, 'Cannot authenticate to account jdoe')
  assert.not.match(detail, 'challenge-')
})

test('an account that is not there gets no challenge', async () => {
  const { detail } = await troubleOf(withKey(await keyFile(opensshOf(privateKey)), 'nobody').ask())
  assert.match(detail, 'Cannot generate challenge for account nobody')
})

test('what is wrong with a key is said before anybody is asked', async () => {
  const before = grid.calls().length
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
  const pem = (key: KeyObject): string => String(key.export({ type: 'pkcs8', format: 'pem' }))
  for (const [path, words] of [
    [await keyFile(pem(privateKey), 0o644), /others may read .* chmod 600/],
    [await keyFile(pem(ed25519)), /ed25519: Rucio takes RSA keys only/],
    [await keyFile(opensshOf(privateKey, { type: 'ssh-ed25519' })), /ssh-ed25519: Rucio takes RSA/],
    [await keyFile(String(privateKey.export(locked))), /has a passphrase/],
    [await keyFile(opensshOf(privateKey, { cipher: 'aes256-ctr' })), /has a passphrase/],
    [await keyFile('nonsense'), /is no private key/],
    [await keyFile(opensshOf(privateKey).replace(/\n.{70}\n/, '\n')), /is no private key/],
    [await temporary(), /is no SSH key/],
    [join(await temporary(), 'absent'), /cannot be read \(ENOENT\)/],
  ] as const) {
    const { reason, detail } = await troubleOf(withKey(path).ask())
    assert.is(reason, 'auth')
    assert.match(detail, words)
  }
  assert.is(grid.calls().length, before)
})

test('nothing but a challenge of Rucio is signed', async () => {
  for (const text of [undefined, '', 'ssh-userauth', 'challenge-\u00ff', 'challenge- with spaces']) {
    const asked: string[] = []
    const url = await liar((request, response) => {
      asked.push(request.url ?? '')
      if (text !== undefined) response.setHeader('X-Rucio-SSH-Challenge-Token', text)
      response.end()
    }, 'auth too')
    const { detail } = await troubleOf(withKey(await keyFile(opensshOf(privateKey)), 'jdoe', url).ask())
    assert.match(detail, 'gave no challenge')
    assert.equal(asked, ['/auth/ssh_challenge_token'])
  }
})

/** As ssh-keygen writes a key without a passphrase (openssh/PROTOCOL.key). */
function opensshOf(key: KeyObject, as: { type?: string; cipher?: string } = {}): string {
  const jwk = createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' })
  const number = (name: 'n' | 'e' | 'd' | 'qi' | 'p' | 'q'): Buffer => {
    const bytes = Buffer.from(jwk[name] ?? '', 'base64url')
    // SSH's numbers have a sign.
    return string((bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
  }
  const { type = 'ssh-rsa', cipher = 'none' } = as
  const check = Buffer.from('0badcafe0badcafe', 'hex')
  const halves = [number('n'), number('e'), number('d'), number('qi'), number('p'), number('q')]
  const secret = Buffer.concat([
    check,
    string(type),
    ...halves,
    string('jane@laptop'),
    Buffer.from([1, 2, 3]),
  ])
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[cipher, 'none', ''].map(string),
    Buffer.from([0, 0, 0, 1]),
    string(Buffer.concat([string('ssh-rsa'), number('e'), number('n')])),
    string(secret),
  ])
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? []
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

function string(bytes: Buffer | string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(Buffer.byteLength(bytes))
  return Buffer.concat([length, Buffer.from(bytes)])
}

test.run()
