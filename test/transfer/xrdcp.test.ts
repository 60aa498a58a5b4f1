// xrdcp as an engine, played by a script that behaves as 5.5.3 was measured to; test/grid/xrdcp.grid.ts has the real one.

import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { lifeMark } from '../../src/outside/leftovers.ts'
import { openPrograms } from '../../src/transfer/programs.ts'
import { isAlive } from '../help/alive.ts'
import { sweep } from '../help/data.ts'
import { bytes, good, openStage, outcomeOf } from './played.ts'
import { endScenes, MiB, never, openScene, type Scene, until } from './scene.ts'

const test = suite('xrdcp')
test.after.each(endScenes)
test.after(sweep)

type Call = {
  readonly args: string[]
  readonly env: Record<string, string>
  readonly url: string
  readonly from: number
  readonly pid: number
  readonly token: string | null
}

type Played = {
  readonly scene: Scene
  calls(): Promise<readonly Call[]>
  change(code: string): Promise<void>
}

/** @param code of node, run with `from` (length of the file at first), `give(from, to)`, `fail(code, line)`, `n` (calls before);
 *  undefined = there is no such program
 *  @param options.https a davs replica beside it, and what is the matter with it */
async function play(
  code: string | undefined,
  options: Omit<Parameters<typeof openScene>[1] & object, 'programs'> & {
    readonly https?: boolean
    readonly token?: string
    /** false: it is still to be made */
    readonly hasProxy?: boolean
    readonly windowBytes?: number
    readonly env?: Record<string, string>
  } = {},
): Promise<Played> {
  const { dir, calls, put } = await openStage<Call>('xrdcp')
  const change = (what: string): Promise<void> => put(script(dir, what))
  if (options.hasProxy !== false) await writeFile(join(dir, 'proxy'), '')
  if (code !== undefined) await change(code)
  const scene = await openScene(options.https === true ? { A: 'good', R: 'good' } : { R: 'good' }, {
    bytes,
    ...options,
    schemes: { R: ['root'], A: ['davs'] },
    programs: root =>
      openPrograms({
        xrdcp: {
          root,
          shown: async () => ({ proxyPath: join(dir, 'proxy'), caDir: '/etc/ca' }),
          token: async () => options.token,
          env: {
            PATH: dir,
            XDG_RUNTIME_DIR: dir,
            BEARER_TOKEN: 'canary',
            GRID_PASSWORD: 'canary',
            XRD_LOGLEVEL: 'Dump',
            XRD_NETWORKSTACK: 'IPv4',
            ...options.env,
          },
          ...(options.windowBytes === undefined ? {} : { windowBytes: options.windowBytes }),
        },
      }),
  })
  return { scene, change, calls }
}

function script(dir: string, code: string): string {
  return `const fs = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const args = process.argv.slice(2)
const at = args.indexOf('--infiles')
const url = at < 0 ? args.at(-2) : fs.readFileSync(args[at + 1], 'utf8').trim()
const path = args.at(-1)
const file = fs.openSync(path, 'r+') // with --continue it makes none
const from = fs.fstatSync(file).size
const { BEARER_TOKEN_FILE: place } = process.env
const token = place === undefined ? null : fs.readFileSync(place, 'utf8') + ' ' + (fs.statSync(place).mode & 0o777).toString(8)
const log = ${JSON.stringify(join(dir, 'calls'))}
const n = fs.readFileSync(log, 'utf8').split('\\n').length - 1
fs.appendFileSync(log, JSON.stringify({ args, env: process.env, url, from, pid: process.pid, token }) + '\\n')
const good = fs.readFileSync(${JSON.stringify(join(dir, 'good'))})
const give = (from, to) => fs.writeSync(file, good, from, to - from, from)
const fail = (code, line) => { console.error('Run: ' + line); process.exit(code) }
const forever = () => setInterval(() => {}, 1000)
;(async () => { ${code} })()`
}

test('a file that only XRootD has comes by xrdcp, without a secret among its arguments', async () => {
  const played = await play('give(from, good.length)', { token: 'a.b.canary' })
  assert.is(await outcomeOf(played), 'finished')
  assert.ok(await played.scene.isRight())
  const [call] = await played.calls()
  assert.equal(call?.args.slice(0, 3), ['--continue', '--nopbar', '--silent'])
  assert.match(call?.url ?? '', /^root:\/\/.*\/rucio\/.*a\.root$/)
  assert.is(call?.token, 'a.b.canary 600')
  const { env = {} } = call ?? {}
  assert.not.match(JSON.stringify([call?.args, env]), /canary/)
  assert.match(env['X509_USER_PROXY'] ?? '', /\/proxy$/)
  assert.equal([env['XrdSecGSIUSERPROXY'], env['X509_CERT_DIR']], [env['X509_USER_PROXY'], '/etc/ca'])
  // So that the next start knows it, where this daemon is killed.
  assert.equal({ ...env, ...lifeMark(played.scene.root.bootId) }, env)
  assert.equal([env['XRD_NETWORKSTACK'], env['XRD_LOGLEVEL'], env['HOME']], ['IPv4', undefined, undefined])
  assert.equal(await readdir(layout.staging(played.scene.root)), [])
})

test('an address whose query may hold a secret is no argument either', async () => {
  const played = await play('give(from, good.length)')
  const [replica] = played.scene.replicas.replicas
  const replicas = [{ ...replica, pfn: { ...replica?.pfn, query: '?authz=canary' } }]
  Object.assign(played.scene, { replicas: { ...played.scene.replicas, replicas } })
  assert.is(await outcomeOf(played), 'finished')
  const [call] = await played.calls()
  assert.match(call?.url ?? '', /a\.root\?authz=canary$/)
  assert.not.match(JSON.stringify([call?.args, call?.env]), /canary/)
  assert.is(existsSync(call?.args[4] ?? ''), false)
})

test('with a token xrdcp goes nowhere but to the host of its address, and one that sends it on is shown none', async () => {
  const played = await play(
    `if (process.env.XRD_REDIRECTLIMIT === '0') fail(53, '[FATAL] Redirect limit has been reached:  (source)'); give(from, good.length)`,
    { token: 'a.b.canary' },
  )
  assert.is(await outcomeOf(played), 'finished')
  assert.ok(await played.scene.isRight())
  const calls = await played.calls()
  assert.equal(
    calls.map(({ token, env }) => [token, env['XRD_REDIRECTLIMIT']]),
    [
      ['a.b.canary 600', '0'],
      [null, undefined],
    ],
  )
})

test('where a token is wanted behind such a storage it stays here, and the sentence says so', async () => {
  const played = await play(
    `if (process.env.XRD_REDIRECTLIMIT === '0') fail(53, '[FATAL] Redirect limit has been reached:  (source)'); fail(52, '[FATAL] Auth failed: No protocols left to try (source)')`,
    { token: 'a.b.canary' },
  )
  const fetched = await played.scene.fetch()
  assert.match(
    fetched.kind === 'failed' ? fetched.failure.message : '',
    /sends us on to other hosts, and a token is shown to no host but/,
  )
  assert.is((await played.calls()).length, 2)
})

test('without plain data xrdcp is told to encrypt, whatever the address and the settings of the site say', async () => {
  const played = await play('give(from, good.length)', { env: { XRD_NOTLSOK: '1', XRD_TLSNODATA: '1' } })
  assert.is((await played.scene.fetch(never, { plain_data: false })).kind, 'finished')
  const [call] = await played.calls()
  assert.match(call?.url ?? '', /^roots:\/\/.*\/rucio\/.*a\.root$/)
  assert.equal([call?.env['XRD_NOTLSOK'], call?.env['XRD_TLSNODATA']], ['0', '0'])
})

test('a cache that answers and brings nothing is left in peace: the storage behind it may be down', async () => {
  const played = await play('forever()', { limits: { idleMs: 1000 } })
  const [replica] = played.scene.replicas.replicas
  const twofold = { ...replica, pfn: { ...replica?.pfn, path: '//root://storage.example.org//f' } }
  const plain = played.scene.replicas
  Object.assign(played.scene, { replicas: { ...plain, replicas: [twofold] } })
  assert.match(await outcomeOf(played), /^stalled/)
  assert.is(played.scene.transfer.resting().size, 0)
  Object.assign(played.scene, { replicas: plain })
  assert.match(await outcomeOf(played), /^stalled/)
  assert.is(played.scene.transfer.resting().size, 1)
  assert.match((await played.calls())[0]?.url ?? '', /^root:\/\/\S+\/\/root:\/\/storage\.example\.org\/\/f$/)
})

test('a proxy that is still to be made is not named, and nothing in the home of its user is looked for', async () => {
  const played = await play('give(from, good.length)', { hasProxy: false })
  assert.is(await outcomeOf(played), 'finished')
  const env = (await played.calls())[0]?.env ?? {}
  // With a name that leads nowhere in one of these xrdcp makes no TLS connection.
  assert.equal(
    ['PROXY', 'CERT', 'KEY'].map(each => env[`X509_USER_${each}`]),
    [undefined, undefined, undefined],
  )
  for (const each of ['PROXY', 'CERT', 'KEY']) assert.match(env[`XrdSecGSIUSER${each}`] ?? '', 'nonexistent')
})

test('where nothing is installed it says what to install', async () => {
  const played = await play(undefined)
  const fetched = await played.scene.fetch()
  assert.is(fetched.kind === 'failed' ? fetched.failure.reason : '', 'unsupported')
  assert.match(fetched.kind === 'failed' ? fetched.failure.message : '', /root only, and .*xrootd-client/)
})

test('https comes first, and what it leaves xrdcp brings from where it ended', async () => {
  const played = await play('give(from, good.length)', {
    https: true,
    faults: { A: { stallAfter: MiB } },
  })
  assert.is(await outcomeOf(played), 'finished')
  const [call] = await played.calls()
  const came = played.scene.sent('A')
  assert.ok(came > 0 && came < bytes && (call?.from ?? 0) > 0)
  assert.ok((call?.from ?? 0) <= came)
  assert.ok(await played.scene.isRight())
})

test('what xrdcp leaves https brings from where it ended', async () => {
  const played = await play(
    `if (n === 0) give(0, 2 ** 20 + 5); fail(51, '[FATAL] Connection error:  (source)')`,
    { https: true, faults: { A: { status: 404 } } },
  )
  assert.match(await outcomeOf(played), /^host_down/)
  assert.is((await played.scene.sidecar())?.ranges.at(-1)?.to, MiB + 5)
  await played.scene.grid.setFaults('A', { status: 0 })
  assert.is(await outcomeOf(played), 'finished')
  assert.is(played.scene.sent('A'), bytes - MiB - 5)
  assert.ok(await played.scene.isRight())
})

test('it goes on from the bytes that lie there after a kill, and asks for no byte twice', async () => {
  const played = await play('give(from, 2 * 2 ** 20); forever()', { limits: { checkpointMs: 20 } })
  const stop = new AbortController()
  const fetching = played.scene.fetch(stop.signal)
  await until(async () => (await played.scene.sidecar())?.ranges.at(-1)?.to === 2 * MiB)
  stop.abort()
  assert.is((await fetching).kind, 'stopped')
  const [first] = await played.calls()
  assert.is(isAlive(first?.pid ?? 0), false)
  assert.equal(await readdir(layout.staging(played.scene.root)), [])
  await played.scene.restart()
  await played.change('give(from, good.length)')
  assert.is(await outcomeOf(played), 'finished')
  assert.equal(
    (await played.calls()).map(each => each.from),
    [0, 2 * MiB],
  )
  assert.ok(await played.scene.isRight())
})

test('a connection that breaks in mid-file is gone on with at once, from there', async () => {
  const played =
    await play(`if (n === 0) { give(0, 2 ** 20); fail(51, '[FATAL] Socket error: connection reset by peer:  (source)') }
    give(from, good.length)`)
  assert.is(await outcomeOf(played), 'finished')
  assert.equal(
    (await played.calls()).map(each => each.from),
    [0, MiB],
  )
})

test('what stalls is given up and ended, and its host is left alone', async () => {
  const played = await play('give(0, 100000); forever()')
  assert.is(await outcomeOf(played), 'stalled free')
  const [call] = await played.calls()
  assert.is(isAlive(call?.pid ?? 0), false)
  assert.is(played.scene.transfer.resting().size, 1)
})

test('what drips is given up', async () => {
  const played = await play('for (let i = 0; ; i++) { give(i, i + 1); await sleep(20) }', {
    limits: { slowMs: 400, slowBytes: 4000 },
  })
  assert.match(await outcomeOf(played), /^stalled/)
})

test('its own file does not grow beyond a window', async () => {
  const played = await play('give(from, Math.min(good.length, from + 1.5 * 2 ** 20)); forever()', {
    windowBytes: MiB,
  })
  assert.is(await outcomeOf(played), 'finished')
  // How far a write has come when it is seen is the disk's affair.
  const starts = (await played.calls()).map(each => each.from)
  assert.is(starts.length, 3)
  for (const [i, from] of starts.entries())
    assert.ok(i === 0 ? from === 0 : from - (starts[i - 1] ?? 0) >= MiB, starts.join(' '))
  assert.ok(await played.scene.isRight())
})

test('what lies beside a gap of several connections stays, and the gap alone is asked for', async () => {
  const played = await play('give(from, good.length)')
  const { scene } = played
  // Two stretches of another storage, as its connections left them.
  const { AdlerMemory, printAdler32 } = await import('../../src/words/adler32.ts')
  const memory = new AdlerMemory(MiB)
  const rangeOf = (from: number, to: number) => {
    memory.bytes.set(good.subarray(from, to))
    return { from, to, adler32: printAdler32(memory.sum(1, 0, to - from)), rse: 'A' }
  }
  const ranges = [rangeOf(0, 1000), rangeOf(2 * MiB, 3 * MiB)]
  const part = Buffer.alloc(3 * MiB)
  for (const { from, to } of ranges) Buffer.from(good).copy(part, from, from, to)
  await writeFile(layout.part(scene.root, 'user.test.ds', 'a.root'), part)
  await writeFile(
    layout.sidecar(scene.root, 'user.test.ds', 'a.root'),
    JSON.stringify({
      format: 1,
      did: 'user.test:a.root',
      bytes,
      ranges,
      source: null,
      tries: 0,
      strikes: [],
    }),
  )
  assert.is(await outcomeOf(played), 'finished')
  assert.equal(
    (await played.calls()).map(each => each.from),
    [1000, 3 * MiB],
  )
  assert.ok(await scene.isRight())
})

test('wrong bytes are found by our own sum, and the replica gets its strikes', async () => {
  const played = await play('good[5] ^= 1; give(from, good.length)')
  assert.match(await outcomeOf(played), /^corrupt/)
  assert.is((await played.scene.sidecar())?.strikes[0]?.rse, 'R')
})

test('a file that is longer or shorter than it should be is a strike', async () => {
  const longer = await play('give(0, good.length); fs.writeSync(file, "x", good.length); forever()')
  assert.match(await outcomeOf(longer), /^corrupt/)
  const shorter = await play('give(0, 1000)')
  assert.match(await outcomeOf(shorter), /^corrupt/)
})

test('what it says becomes one of our reasons', async () => {
  const said: readonly (readonly [number, string, string])[] = [
    [
      54,
      '[ERROR] Server responded with an error: [3011] Unable to open /x; no such file or directory  (source)',
      'no_replica costs',
    ],
    [
      54,
      "[ERROR] Server responded with an error: [3010] Opening path '/x' is disallowed.  (source)",
      'refused costs',
    ],
    [
      54,
      '[ERROR] Server responded with an error: [3016] Unable to open /x; is a directory  (source)',
      'corrupt costs',
    ],
    [54, '[ERROR] Local error: no space left on device:  (destination)', 'disk_full free'],
    [52, '[FATAL] Auth failed: No protocols left to try (source)', 'auth free'],
    [51, '[FATAL] Connection error:  (source)', 'host_down free'],
    [51, '[FATAL] TLS error: resource temporarily unavailable:  (source)', 'refused costs'],
  ]
  for (const [code, line, reason] of said) {
    const played = await play(`fail(${code}, ${JSON.stringify(line)})`)
    assert.is(await outcomeOf(played), reason, line)
    assert.equal(await readdir(layout.staging(played.scene.root)), [])
  }
})

test.run()
