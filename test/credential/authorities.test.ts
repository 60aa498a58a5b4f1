import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuthoritiesOptions, openAuthorities } from '../../src/credential/authorities.ts'
import { type Credential, openCredential } from '../../src/credential/credential.ts'
import { ask, bodyText, type Identity, setLoopbackAllowed } from '../../src/outside/request.ts'
import { RawLine } from '../../src/transfer/raw-line.ts'
import { parsePfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'
import { sweep, temporary } from '../help/data.ts'
import { type Authority, authority } from '../help/issue.ts'

const test = suite('authorities and their lists')
const one = authority('One')
const two = authority('Two')
const opened: Credential[] = []
const servers: Server[] = []
const limits = { connectMs: 5_000, headersMs: 5_000, idleMs: 5_000 }
const hour = 3_600_000

test.before(() => setLoopbackAllowed(true, new Set()))
test.after(async () => {
  for (const each of opened) each.close()
  for (const server of servers) server.close().closeAllConnections()
  await sweep()
})

/** A directory with the two authorities; `files` beside them. */
async function dirOf(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = await temporary()
  for (const [name, text] of Object.entries({ '1a.0': one.pem, '2a.0': two.pem, ...files }))
    await writeFile(join(dir, name), text)
  return dir
}

async function open(options: AuthoritiesOptions) {
  const clock = { at: Date.now() }
  const world = { now: () => clock.at, chance: () => 0.5 }
  const credential = await openCredential({ authType: 'userpass', env: {}, ...options }, world)
  opened.push(credential)
  return { credential, clock }
}

async function serverOf(
  by: Authority,
  serial: string,
  { above = '', maxVersion = 'TLSv1.3' }: { above?: string; maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
): Promise<number> {
  const { cert, key } = by.host(serial)
  const server = createServer({ cert: cert + above, key, maxVersion }, (_, response) => response.end('data'))
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

/** 'data', or what went wrong, in the same words on both ways. */
async function met({ agent, secureContext }: Identity, port: number): Promise<string> {
  const signal = new AbortController().signal
  const what = { method: 'GET', scheme: 'https', host: 'localhost', port, path: '/', limits, signal } as const
  const usual = await ask({ ...what, agent })
    .then(answer => bodyText(answer, 10))
    .catch(wordsOf)
  const pfn = parsePfn(`https://localhost:${port}/`)
  if (pfn instanceof Trouble) throw pfn
  const line = new RawLine()
  const raw = await new Promise<string>(done => {
    const reader = {
      room: () => line.scratch,
      came: () => true,
      broke: (error: unknown) => done(wordsOf(error)),
    }
    line.open(pfn, secureContext, reader)
    line.onConnected(() => done('data'))
  })
  line.close()
  assert.is(raw, usual, 'node:https and the raw line agree')
  return usual
}

function wordsOf(error: unknown): string {
  return error instanceof Trouble ? `${error.reason}: ${error.detail}` : `no Trouble: ${String(error)}`
}

test('a revoked host is refused, one that is not and one whose authority has no list are taken', async () => {
  const dir = await dirOf({ '1a.r0': one.crl(['0a', '0b']) })
  const { credential } = await open({ caDir: dir })
  const identity = await credential.identity()
  assert.match(
    await met(identity, await serverOf(one, '0a')),
    /^refused: the certificate of localhost:\d+ cannot be trusted: its authority has revoked it \(serial a\) \(CERT_REVOKED\)$/,
  )
  assert.is(await met(identity, await serverOf(one, '0c')), 'data')
  // The same serial of another authority.
  assert.is(await met(identity, await serverOf(two, '0a')), 'data')
  assert.equal((await credential.state()).crl, { fresh: 1, stale: 0, missing: 1 })
  assert.is((await credential.state()).is_good, true)
})

test('a refusal leaves no session behind that the next connection would resume', async () => {
  const dir = await dirOf({ '1a.r0': one.crl(['0a']) })
  const { credential } = await open({ caDir: dir })
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const port = await serverOf(one, '0a', { maxVersion })
    for (let i = 0; i < 3; i++) assert.match(await met(await credential.identity(), port), 'CERT_REVOKED')
  }
})

test('a list that has run out warns, and what it revokes stays revoked', async () => {
  const until = new Date(Date.now() - 1000)
  const dir = await dirOf({ '1a.r0': one.crl(['0a'], { until }), '2a.r0': two.crl([]) })
  const { credential, clock } = await open({ caDir: dir })
  assert.equal((await credential.state()).crl, { fresh: 1, stale: 1, missing: 0 })
  const identity = await credential.identity()
  assert.match(await met(identity, await serverOf(one, '0a')), 'CERT_REVOKED')
  assert.is(await met(identity, await serverOf(one, '0c')), 'data')
  // A fresh one beside it, of the same authority: /HASH.r1.
  await writeFile(join(dir, '1a.r1'), one.crl(['0b']))
  clock.at += 6_000
  const later = await credential.identity()
  assert.equal((await credential.state()).crl, { fresh: 2, stale: 0, missing: 0 })
  for (const serial of ['0a', '0b'])
    assert.match(await met(later, await serverOf(one, serial)), 'CERT_REVOKED')
})

test('in strict mode a list that is missing or has run out stops, a fresh one does not', async () => {
  const until = new Date(Date.now() + hour)
  const dir = await dirOf({ '1a.r0': one.crl([], { until }) })
  const { credential, clock } = await open({ caDir: dir, strictCrl: true })
  const [first, second] = [await serverOf(one, '0c'), await serverOf(two, '0c')]
  assert.is(await met(await credential.identity(), first), 'data')
  assert.match(
    await met(await credential.identity(), second),
    'no revocation list of its authority (UNABLE_TO_GET_CRL)',
  )
  clock.at += 2 * hour
  assert.match(
    await met(await credential.identity(), await serverOf(one, '0c')),
    'has run out (CRL_HAS_EXPIRED)',
  )
})

test('a list that its authority has not signed counts for nothing', async () => {
  const dir = await dirOf({ '1a.r0': two.crl(['0a'], { name: 'One' }), '2a.r0': 'garbage' })
  const { credential } = await open({ caDir: dir })
  assert.is(await met(await credential.identity(), await serverOf(one, '0a')), 'data')
  assert.equal((await credential.state()).crl, { fresh: 0, stale: 0, missing: 2 })
  assert.is((await credential.authorities.look()).broken, 1)
})

test('an authority between that was revoked takes those below it along', async () => {
  const between = one.below('Between', '77')
  const above = between.pem
  const dir = await dirOf({ '3a.0': between.pem, '1a.r0': one.crl(['77']), '3a.r0': between.crl([]) })
  const { credential } = await open({ caDir: dir })
  assert.match(await met(await credential.identity(), await serverOf(between, '05', { above })), 'serial 77')
  await writeFile(join(dir, '1a.r0'), one.crl([]))
  credential.authorities.renew()
  const again = await open({ caDir: dir })
  assert.is(await met(await again.credential.identity(), await serverOf(between, '05', { above })), 'data')
})

test('two authorities of one name, as when one takes the place of the other, keep their lists apart', async () => {
  const next = authority('One')
  const dir = await dirOf({ '1a.1': next.pem, '1a.r0': one.crl(['0a']), '1a.r1': next.crl(['0b']) })
  const { credential } = await open({ caDir: dir })
  const identity = await credential.identity()
  assert.is(await met(identity, await serverOf(one, '0b')), 'data')
  assert.is(await met(identity, await serverOf(next, '0a')), 'data')
  assert.match(await met(identity, await serverOf(next, '0b')), 'CERT_REVOKED')
  assert.equal((await credential.state()).crl, { fresh: 2, stale: 0, missing: 1 })
})

test('a connection and a session of before a list came are not used again', async () => {
  const dir = await dirOf()
  const { credential, clock } = await open({ caDir: dir })
  const port = await serverOf(one, '0a')
  const before = await credential.identity()
  for (let i = 0; i < 3; i++) assert.is(await met(before, port), 'data')
  await writeFile(join(dir, '1a.r0'), one.crl(['0a']))
  clock.at += 6_000
  const after = await credential.identity()
  assert.is.not(after, before)
  for (let i = 0; i < 3; i++) assert.match(await met(after, port), 'CERT_REVOKED')
})

test('an authority that is added is taken up, and one whose file is written anew in place within a minute', async () => {
  const dir = await dirOf()
  const three = authority('Three')
  const { credential, clock } = await open({ caDir: dir })
  const port = await serverOf(three, '01')
  assert.match(await met(await credential.identity(), port), /^refused: .*UNABLE_TO/)
  await writeFile(join(dir, '3a.0'), two.pem)
  clock.at += 6_000
  await credential.identity()
  await writeFile(join(dir, '3a.0'), three.pem)
  clock.at += 61_000
  assert.is(await met(await credential.identity(), port), 'data')
  await writeFile(join(dir, '3a.0'), two.pem)
  // Told of it, it waits no second.
  credential.authorities.renew()
  assert.match(await met(await credential.identity(), port), /^refused: .*UNABLE_TO/)
})

test('lists may lie in a directory of their own, which need not be there yet', async () => {
  const [dir, place] = [await dirOf(), await temporary()]
  const crlDir = join(place, 'lists')
  const keeper = openAuthorities({ caDir: dir, crlDir }, { now: () => Date.now(), chance: () => 0.5 })
  assert.equal((await keeper.look()).newestListAt, undefined)
  await mkdir(crlDir)
  await writeFile(join(crlDir, '1a.r0.new'), one.crl([]))
  await utimes(join(crlDir, '1a.r0.new'), 1_800_000_000, 1_800_000_000)
  await rename(join(crlDir, '1a.r0.new'), join(crlDir, '1a.r0'))
  // A certificate has no business there.
  await writeFile(join(crlDir, '9a.0'), authority('Nine').pem)
  const found = await keeper.look()
  assert.is(found.newestListAt, 1_800_000_000_000)
  assert.equal(found.revocations?.counts(Date.now()), { fresh: 1, stale: 0, missing: 1 })
  assert.is(found.pems.length, 2)
  await rm(crlDir, { recursive: true })
  assert.equal((await keeper.look()).revocations?.counts(Date.now()), { fresh: 0, stale: 0, missing: 2 })
})

test('both hashes of a list are one list, an expired authority needs none, a folder is no file', async () => {
  const old = authority('Old', { until: new Date(Date.now() - hour) })
  const dir = await dirOf({ '3a.0': old.pem, 'lists.pem': one.crl([]) })
  for (const name of ['1a.r0', '1b.r0']) await symlink('lists.pem', join(dir, name))
  await symlink('nothing', join(dir, '4a.0'))
  await mkdir(join(dir, '5a.0'))
  const keeper = openAuthorities({ caDir: dir }, { now: () => Date.now(), chance: () => 0.5 })
  const { revocations, expired, broken, pems } = await keeper.look()
  assert.equal(revocations?.counts(Date.now()), { fresh: 1, stale: 0, missing: 1 })
  assert.equal([expired, broken, pems.length], [1, 2, 2])
})

test('of one bundle no list is missing, and the public web needs none', async () => {
  const path = join(await temporary(), 'ca.pem')
  await writeFile(path, one.pem + two.pem)
  const { credential } = await open({ caBundle: path })
  assert.is((await credential.state()).crl, undefined)
  assert.is(await met(await credential.identity(), await serverOf(two, '0a')), 'data')
  const keeper = openAuthorities({}, { now: () => 0, chance: () => 0.5 })
  assert.is((await keeper.look()).revocations, undefined)
})

test.run()
