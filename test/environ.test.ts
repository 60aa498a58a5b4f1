import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { secretNames } from '../src/environ.ts'
import { startDaemon } from './help/daemon.ts'
import { sweep, temporary } from './help/data.ts'

const test = suite('secrets of the environment')
const environ = fileURLToPath(new URL('../src/environ.js', import.meta.url))
const canary = 'canary 7431=é"\\'

test.after(sweep)

test('they reach the options, and neither process.env nor what the kernel shows', () => {
  if (process.platform !== 'linux') return console.log('only Linux shows them')
  const script = `
    import { takeSecrets } from ${JSON.stringify(environ)}
    import { readFileSync } from 'node:fs'
    const { env, trouble } = takeSecrets()
    const shown = readFileSync('/proc/self/environ', 'utf8').split('\\0')
    console.log(JSON.stringify({ env, trouble, own: process.env, shown }))`
  const given = {
    FIRST: 'kept',
    ...Object.fromEntries(secretNames.map(name => [name, `${canary} ${name}`])),
    GRID_PASSWORD_FILE: '/a/path',
    LAST: 'kept=too',
  }
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: given,
    encoding: 'utf8',
  })
  assert.is(ran.status, 0, ran.stderr)
  const { env, trouble, own, shown } = JSON.parse(ran.stdout) as {
    readonly env: Record<string, string>
    readonly trouble?: string
    readonly own: Record<string, string>
    readonly shown: readonly string[]
  }
  assert.is(trouble, undefined)
  assert.equal(env, given)
  const { FIRST, GRID_PASSWORD_FILE, LAST } = given
  assert.equal(own, { FIRST, GRID_PASSWORD_FILE, LAST })
  assert.not.match(shown.join('\n'), /canary/)
  // The neighbours are as they were.
  for (const line of ['FIRST=kept', 'GRID_PASSWORD_FILE=/a/path', 'LAST=kept=too'])
    assert.ok(shown.includes(line), line)
})

test('a daemon shows no password in its own environment', async () => {
  if (process.platform !== 'linux') return console.log('only Linux shows them')
  const env = { GRID_PASSWORD: canary, RUCIO_CLIENT_PASSWORD: canary, PASSED_ON: 'canary of the search' }
  const daemon = startDaemon({
    data: await temporary(),
    env: { ...env, DESKTOP_RUCIO_PROXY_DIR: await temporary() },
    args: ['--rucio-host', 'https://localhost:1', '--cert-dir', '/nowhere'],
  })
  try {
    await daemon.ready
    const shown = readFileSync(`/proc/${daemon.pid}/environ`, 'utf8')
    assert.match(shown, /canary of the search/)
    assert.not.match(shown, /7431/)
    assert.not.match(daemon.said(), /7431|environ/)
  } finally {
    await daemon.end()
  }
})

test.run()
