// Bearer tokens over XRootD: a real server that takes tokens alone (ztn, SciTokens), one that sends on to a stranger, and one that asks for
// a token in the clear.

import { spawnSync } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { sumsOf } from './bytes.ts'
import { type Job, startJob, until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { variable } from './seeded.ts'
import { openStorage, type Placed, placeFile, type Storage, tlsLines } from './storage.ts'
import { type Issuer, openIssuer } from './wlcg-issuer.ts'

const test = suite('tokens over XRootD, real grid')
const mib = 2 ** 20
const mark = `t${Date.now().toString(36)}`
const exported = 'all.export /rucio\noss.localroot {}/data'
let issuer: Issuer
let storage: Storage

const jobs: Job[] = []
const others: { stop(): Promise<void> }[] = []
test.before(async () => {
  issuer = openIssuer(`${mark}-issuer`)
  storage = await guarded('storage')
})
test.after.each(async () => {
  for (const job of jobs.splice(0)) if (!job.daemon.hasEnded()) await job.daemon.end()
  for (const other of others.splice(0)) await other.stop()
})
test.after(async () => {
  await storage.kill()
  await sweep()
})

function guarded(name: string): Promise<Storage> {
  const config = `${exported}\n${tlsLines()}\n${issuer.config}`
  return openStorage(`${mark}-${name}`, config, issuer.env)
}

/** @param claims of the token that the daemon finds; undefined = there is none */
async function start(token: string | undefined): Promise<Job> {
  const place = join(await temporary(), 'token')
  if (token !== undefined) await writeFile(place, token, { mode: 0o600 })
  const job = await startJob(
    await temporary(),
    'rucio.cfg',
    token === undefined ? {} : { BEARER_TOKEN_FILE: place },
  )
  jobs.push(job)
  return job
}

function place(name: string, port: number, bytes = mib + 7): Placed {
  return placeFile({
    mark: `${mark}${name}`,
    folder: storage.folder,
    bytes,
    scheme: 'root',
    port,
    prefix: '//rucio/',
  })
}

async function isThere(job: Job, { did, name, md5 }: Placed): Promise<void> {
  assert.is(await job.word(did, 60), 'local', JSON.stringify((await job.look(did)).unfinished))
  assert.is((await sumsOf(join(job.data, (await job.look(did)).name, name)))?.md5, md5)
}

/** `reason: message` of its one file, once there is one. */
async function refusal(job: Job, { did }: Placed): Promise<string> {
  let said = ''
  await until(
    60,
    async () => {
      const [file] = (await job.look(did)).unfinished as readonly {
        readonly reason: string | null
        readonly message?: string
      }[]
      said = `${file?.reason}: ${file?.message}`
      return file?.reason != null
    },
    () => said,
  )
  return said
}

test('a storage that takes tokens alone gives its files, and the token lies in a file that its user alone may read', async () => {
  const relay: Relay = await openRelay({ listen: 0, target: storage.port, rate: 4e6 })
  others.push(relay)
  const file = place('a', relay.port, 12 * mib)
  const token = issuer.token()
  const job = await start(token)
  await job.want(file.did)
  await until(
    30,
    async () => relay.passed() > mib,
    () => `${relay.passed()} bytes came`,
  )
  const running = await xrdcpsOf(job)
  assert.ok(running.length > 0)
  for (const { args, env } of running) {
    assert.not.match(args + env.join('\n'), token.slice(0, 40))
    const handed = env.find(each => each.startsWith('BEARER_TOKEN_FILE='))?.slice(18) ?? ''
    assert.equal([await readFile(handed, 'utf8'), (await stat(handed)).mode & 0o777], [token, 0o600])
    assert.not.ok(handed.startsWith(job.data))
  }
  await isThere(job, file)
  assert.match(storage.log(), /login as jane/)
  assert.equal(await rest(running), [])
})

test('without a token, with one that has ended and with one for other files the reason is told', async () => {
  const file = place('b', storage.port)
  const none = await start(undefined)
  await none.want(file.did)
  assert.match(await refusal(none, file), /^auth: .*wants to know who asks/)
  const past = Math.floor(Date.now() / 1000) - 100
  const ended = await start(issuer.token({ exp: past, nbf: past - 100 }))
  await ended.want(file.did)
  assert.match(await refusal(ended, file), /^auth: /)
  const elsewhere = await start(issuer.token({ scope: 'storage.read:/other' }))
  await elsewhere.want(file.did)
  assert.match(await refusal(elsewhere, file), /^refused: .*does not let us read it/)
})

test('a storage that sends on to a stranger is not shown the token for it, though xrdcp by itself would show it', async () => {
  const stranger = await guarded('stranger')
  const door = await openStorage(
    `${mark}-door`,
    `${exported}\n${tlsLines()}\nxrootd.redirect localhost:${stranger.port} /rucio`,
  )
  others.push({ stop: stranger.kill }, { stop: door.kill })
  const file = placeFile({
    mark: `${mark}c`,
    folder: stranger.folder,
    bytes: mib,
    scheme: 'root',
    port: door.port,
    prefix: '//rucio/',
  })
  const token = issuer.token()
  const job = await start(token)
  await job.want(file.did)
  assert.match(
    await refusal(job, file),
    /^auth: .*sends us on to other hosts, and a token is shown to no host but/,
  )
  assert.not.match(stranger.log(), /login as|Validate/)
  const place = join(await temporary(), 'token')
  await writeFile(place, token, { mode: 0o600 })
  const alone = spawnSync('xrdcp', ['--silent', '--nopbar', file.pfn, '/dev/null', '-f'], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      X509_CERT_DIR: variable('X509_CERT_DIR'),
      BEARER_TOKEN_FILE: place,
    },
  })
  assert.is(alone.status, 0, alone.stderr)
  assert.match(stranger.log(), /login as jane/)
})

test('a storage that asks for a token in the clear is shown none', async () => {
  const { port, seen, server } = await openPlain()
  others.push({ stop: () => new Promise(resolve => server.close(() => resolve())) })
  const file = place('d', port)
  const token = issuer.token()
  const job = await start(token)
  await job.want(file.did)
  assert.match(await refusal(job, file), /^auth: /)
  assert.ok(seen().includes('xrdcp'), 'it was not asked')
  assert.not.match(seen(), token.slice(0, 20))
})

test.run()

/** A server that speaks as much XRootD as it takes to ask for a token without TLS (XProtocol.hh); the real one refuses to be set up so. */
async function openPlain(): Promise<{ port: number; seen: () => string; server: Server }> {
  let all = ''
  const server = createServer(socket => {
    let waiting = Buffer.alloc(0)
    let greeted = false
    const answer = (stream: Buffer, status: number, body: Buffer): void => {
      const head = Buffer.alloc(8)
      stream.copy(head, 0, 0, 2)
      head.writeUInt16BE(status, 2)
      head.writeUInt32BE(body.length, 4)
      socket.write(Buffer.concat([head, body]))
    }
    // Version 5.2.0 of the protocol, a server of data.
    const version = Buffer.from([0, 0, 5, 0x20, 0, 0, 0, 1])
    socket.on('error', () => socket.destroy())
    socket.on('data', chunk => {
      all += chunk.toString('latin1')
      waiting = Buffer.concat([waiting, chunk])
      if (!greeted && waiting.length >= 20) {
        greeted = true
        waiting = waiting.subarray(20)
        answer(Buffer.alloc(2), 0, version)
      }
      while (greeted && waiting.length >= 24 && waiting.length >= 24 + waiting.readUInt32BE(20)) {
        const stream = waiting.subarray(0, 2)
        const request = waiting.readUInt16BE(2)
        waiting = waiting.subarray(24 + waiting.readUInt32BE(20))
        if (request === 3006) answer(stream, 0, version)
        else if (request === 3007)
          answer(stream, 0, Buffer.concat([Buffer.alloc(16, 7), Buffer.from('&P=ztn,0:4096:\0')]))
        else answer(stream, 4003, Buffer.from('\0\0\x0b\xd6no\0', 'latin1'))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, seen: () => all, server }
}

type Running = { readonly args: string; readonly env: readonly string[] }

/** The xrdcp of this daemon. */
async function xrdcpsOf({ data }: Job): Promise<Running[]> {
  const found: Running[] = []
  for (const pid of (await readdir('/proc')).filter(each => /^\d+$/.test(each))) {
    const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '') // it has ended meanwhile
    const args = await read('cmdline')
    if (args.includes('--continue') && args.includes(data))
      found.push({ args, env: (await read('environ')).split('\0') })
  }
  return found
}

/** Of the files that were handed over, those that lie there still. */
async function rest(running: readonly Running[]): Promise<string[]> {
  const paths = running.flatMap(({ env }) => env.filter(each => each.startsWith('BEARER_TOKEN_FILE=')))
  const left: string[] = []
  for (const each of paths)
    if (
      await stat(each.slice(18)).then(
        () => true,
        () => false,
      )
    )
      left.push(each)
  return left
}
