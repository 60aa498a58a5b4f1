// The official client as an engine, played by a script that leaves what the real one was seen to leave; test/grid/client.grid.ts has that.

import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { lifeMark } from '../../src/outside/leftovers.ts'
import { openPrograms } from '../../src/transfer/programs.ts'
import { isAlive } from '../help/alive.ts'
import { sweep, temporary } from '../help/data.ts'
import { bytes, openStage, outcomeOf } from './played.ts'
import { endScenes, never, openScene, type Scene, until } from './scene.ts'

const test = suite('official client')
test.after.each(endScenes)
test.after(sweep)

type Call = { readonly args: string[]; readonly env: Record<string, string>; readonly pid: number }

type Played = {
  readonly scene: Scene
  /** what it was called with, one call after the other */
  calls(): Promise<readonly Call[]>
  readonly refused: string[]
}

/** @param code of node, run with `dir`, `part`, `final`, `good` (a path), `say(line)`; undefined = there is no such program
 *  @param scheme of the only replica */
async function play(code: string | undefined, scheme = 'file', limits: object = {}): Promise<Played> {
  const { dir, program, calls, put } = await openStage<Call>('rucio')
  if (code !== undefined) await put(script(dir, code))
  const proxyPath = join(dir, 'x509up')
  await writeFile(proxyPath, '')
  const refused: string[] = []
  const scene = await openScene(
    { POSIX1: 'good' },
    {
      bytes,
      schemes: { POSIX1: [scheme] },
      limits,
      programs: (root, tell) =>
        openPrograms({
          rucio: {
            root,
            client: {
              program,
              rucio: {
                rucioHost: 'https://rucio.example.org',
                authHost: 'https://auth.example.org',
                account: 'jdoe',
              },
              credential: { proxyPath, caDir: '/etc/ca' },
              env: {
                PATH: process.env['PATH'],
                RUCIO_CLIENT_PASSWORD: 'canary',
                BEARER_TOKEN: 'canary',
                HOME: '/h',
              },
            },
            token: async () => 'jdoe-/CN=Jane Doe-canary',
            tokenRefused: (token, why) => refused.push(`${token} ${why.reason}`),
            tell,
          },
        }),
    },
  )
  return { scene, refused, calls }
}

function script(dir: string, code: string): string {
  return `const fs = require('node:fs')
const args = process.argv.slice(2)
const log = ${JSON.stringify(join(dir, 'calls'))}
fs.appendFileSync(log, JSON.stringify({ args, env: process.env, pid: process.pid }) + '\\n')
const good = ${JSON.stringify(join(dir, 'good'))}
const dir = args[args.indexOf('--dir') + 1]
const final = dir + '/' + args.at(-1).split(':')[1]
const part = final + '.part'
const say = line => console.error(line)
${code}`
}

async function staged({ scene }: Played): Promise<string[]> {
  return readdir(layout.staging(scene.root))
}

const brings = `fs.copyFileSync(good, part); fs.renameSync(part, final)
say('INFO File user.test:a.root successfully downloaded in 0.0 seconds')`

test('what it brings is verified, gets its name, and nothing of it stays', async () => {
  const played = await play(brings)
  const { scene } = played
  assert.equal(await scene.fetch(), { kind: 'finished', bytes })
  assert.ok(await scene.isRight())
  assert.is(scene.log.lines.get('a.root')?.adler32, scene.line.adler32)
  assert.equal(await staged(played), [])
  assert.ok(
    scene.logged.some(
      each => each === 'rucio: INFO File user.test:a.root successfully downloaded in 0.0 seconds',
    ),
  )
})

test('it gets one file of one storage, a token in a file that only we read, and no secret of ours', async () => {
  const seen = join(await temporary(), 'seen')
  const played = await play(`const cfg = fs.readFileSync(process.env.RUCIO_CONFIG, 'utf8')
const token = /auth_token_file_path = (.*)/.exec(cfg)[1]
const mode = path => fs.statSync(path).mode & 0o777
const modes = [process.env.TMPDIR, process.env.RUCIO_CONFIG, token].map(mode)
fs.writeFileSync(${JSON.stringify(seen)}, JSON.stringify([cfg, fs.readFileSync(token, 'utf8'), modes]))
${brings}`)
  await played.scene.fetch()
  const [call] = await played.calls()
  const dir = call?.args[call.args.indexOf('--dir') + 1] ?? ''
  assert.ok(dir.startsWith(layout.staging(played.scene.root)))
  assert.equal(
    call?.args.map(each => (each === dir ? 'DIR' : each)),
    [
      '--legacy',
      '-v',
      '--user-agent=pilot-desktop-rucio',
      'download',
      '--dir',
      'DIR',
      '--no-subdir',
      '--ignore-checksum',
      '--ndownloader',
      '1',
    ].concat([
      '--transfer-timeout',
      '604800',
      '--rses',
      'POSIX1',
      '--protocol',
      'file',
      '--',
      'user.test:a.root',
    ]),
  )
  const env = call?.env ?? {}
  assert.equal(
    [env['HOME'], env['X509_USER_PROXY']?.endsWith('/x509up'), env['X509_CERT_DIR']],
    ['/h', true, '/etc/ca'],
  )
  // So that the next start knows it, where this daemon is killed.
  assert.equal({ ...env, ...lifeMark(played.scene.root.bootId) }, env)
  assert.not.match(JSON.stringify(call), /canary/)
  const [cfg, token, modes] = JSON.parse(await readFile(seen, 'utf8'))
  assert.match(cfg, /^rucio_host = https:\/\/rucio\.example\.org$/m)
  assert.not.match(cfg, /canary|password/)
  assert.is(token, 'jdoe-/CN=Jane Doe-canary')
  assert.equal(modes, [0o700, 0o600, 0o600])
})

test('its exit code is not believed: a file that lies there is looked at, and 0 without one is a failure', async () => {
  assert.is(await outcomeOf(await play(`${brings}\nprocess.exitCode = 75`)), 'finished')
  const none = await play(
    `say('WARNING No available source found for file: user.test:a.root'); process.exitCode = 0`,
  )
  assert.is(await outcomeOf(none), 'no_replica costs')
  assert.equal(await staged(none), [])
})

test('wrong bytes are found by us, and so is a wrong size', async () => {
  const wrong = await play(`const b = fs.readFileSync(good); b[7] ^= 1; fs.writeFileSync(final, b)`)
  assert.is(await outcomeOf(wrong), 'corrupt costs')
  assert.is((await wrong.scene.sidecar())?.strikes[0]?.rse, 'POSIX1')
  const short = await play(`fs.writeFileSync(final, fs.readFileSync(good).subarray(1))`)
  assert.is(await outcomeOf(short), 'corrupt costs')
  assert.match((await short.scene.sidecar())?.error?.message ?? '', new RegExp(`brought ${bytes - 1} bytes`))
})

test('one that stalls is ended, and leaves nothing behind', async () => {
  const played = await play(
    `fs.writeFileSync(part, fs.readFileSync(good).subarray(0, 1000))
setInterval(() => {}, 1000)`,
    'file',
    { idleMs: 200 },
  )
  assert.is(await outcomeOf(played), 'stalled free')
  const [call] = await played.calls()
  assert.is(isAlive(call?.pid ?? 0), false)
  assert.equal(await staged(played), [])
})

test('one that never begins is ended, too', async () => {
  const played = await play(`setInterval(() => {}, 1000)`, 'file', { slowMs: 300 })
  assert.is(await outcomeOf(played), 'stalled free')
})

test('one that brings more than the file has is ended', async () => {
  const played = await play(`const b = Buffer.alloc(1 << 20)
const out = fs.openSync(part, 'w')
setInterval(() => fs.writeSync(out, b), 20)`)
  assert.is(await outcomeOf(played), 'corrupt costs')
  assert.equal(await staged(played), [])
})

test('a file that is not wanted any more ends it at once', async () => {
  const played = await play(`fs.writeFileSync(part, 'x'); setInterval(() => {}, 1000)`)
  const controller = new AbortController()
  const fetching = played.scene.fetch(controller.signal)
  await until(async () => (await played.calls()).length > 0)
  controller.abort()
  assert.equal(await fetching, { kind: 'stopped' })
  const [call] = await played.calls()
  assert.is(isAlive(call?.pid ?? 0), false)
  assert.equal(await staged(played), [])
})

test('where there is none its user is told what to install', async () => {
  const { scene } = await play(undefined)
  const fetched = await scene.fetch()
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'unsupported')
  assert.match(fetched.kind === 'failed' ? fetched.failure.message : '', /pip install rucio-clients/)
})

test('a token that it cannot use is thrown away, and costs the file no try', async () => {
  const played = await play(`say('ERROR Cannot authenticate.\\nDetails: x'); process.exitCode = 1`)
  const fetched = await played.scene.fetch()
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'auth')
  assert.is(fetched.kind === 'failed' && fetched.costs, false)
  assert.equal(played.refused, ['jdoe-/CN=Jane Doe-canary auth'])
})

test('an older one, which knows no --legacy, is called without it', async () => {
  const played = await play(`if (args[0] === '--legacy') {
  say('rucio: error: unrecognized arguments: --legacy')
  process.exit(2)
}
${brings}`)
  assert.is(await outcomeOf(played), 'finished')
  assert.equal(
    (await played.calls()).map(each => each.args[0]),
    ['--legacy', '-v'],
  )
})

test('with "engine": "rucio" it brings what we could bring ourselves, over the protocol that it likes best', async () => {
  const played = await play(brings, 'davs')
  assert.equal(await played.scene.fetch(never, { engine: 'rucio' }), { kind: 'finished', bytes })
  assert.is(played.scene.sent(), 0)
  assert.not((await played.calls())[0]?.args.includes('--protocol'))
})

test('the folder with the token goes when the daemon ends', async () => {
  const played = await play(brings)
  await played.scene.fetch()
  const [call] = await played.calls()
  const dir = call?.env['TMPDIR'] ?? ''
  assert.ok(dir.startsWith(tmpdir()))
  await stat(dir)
  await played.scene.transfer.close()
  let gone = false
  await stat(dir).catch(() => {
    gone = true
  })
  assert.ok(gone)
})

test.run()
