// The command `login`, and the daemon that finds what it left.

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { logInOnce } from '../src/login.ts'
import { readLoginOptions } from '../src/options.ts'
import { setLoopbackAllowed } from '../src/outside/request.ts'
import { type PracticeGrid, startPracticeGrid } from '../src/practice/grid.ts'
import { browse } from './help/browse.ts'
import { type Clock, openClock } from './help/clock.ts'
import { temporary } from './help/data.ts'
import { dataset, endAll, openHome, until } from './help/home.ts'
import { practiceEnv } from './help/practice-env.ts'

const test = suite('login')
const one = dataset('hands.x')
let clock: Clock
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({ rses: ['FAST'], seed: { datasets: [one], containers: [] } })
  // The daemon asks every 2 s whether somebody has logged in.
  clock = openClock(8)
})
test.after(async () => {
  setLoopbackAllowed(false, new Set())
  await endAll(grid, clock)
})

type Ran = { readonly said: string[]; readonly complained: string[]; readonly code: Promise<number> }

async function run(env: Record<string, string>, typed = new PassThrough()): Promise<Ran> {
  const said: string[] = []
  const complained: string[] = []
  const all = { ...(await practiceEnv(grid, await temporary())), ...env }
  const code = logInOnce(await readLoginOptions([], all), {
    world: clock.world,
    signal: new AbortController().signal,
    say: line => void said.push(line),
    complain: line => void complained.push(line),
    input: typed,
    pollMs: 10,
  })
  return { said, complained, code }
}

async function addressOf({ said }: Ran): Promise<string> {
  let found: string | undefined
  await until(async () => {
    found = said.find(each => each.includes('oidc_redirect'))?.trim()
    return found !== undefined || said.join('\n')
  })
  return found ?? ''
}

async function tokenPlace(): Promise<string> {
  return join(await temporary(), 'rucio', 'token')
}

test('it shows the address, waits, and leaves the token for the daemon, which fetches with it', async () => {
  const place = await tokenPlace()
  const env = { RUCIO_AUTH_TYPE: 'oidc', RUCIO_CLIENT_AUTH_TOKEN_FILE_PATH: place }
  const ran = await run(env)
  await browse(await addressOf(ran))
  assert.is(await ran.code, 0)
  assert.equal(ran.complained, [])
  assert.match(ran.said.join('\n'), `the token lies in ${place}`)
  const token = await readFile(place, 'latin1')
  assert.not.match(ran.said.join('\n'), token)
  assert.is((await stat(place)).mode & 0o777, 0o600)
  const home = await openHome({ grid, world: clock.world, env })
  await home.ds('POST', 'hands:hands.x')
  await home.says('hands:hands.x', 'local')
  const { json } = await home.get('/status')
  assert.is(json['login_url'], null)
  await home.end()
})

test('GET /status has the address while nobody is logged in; no file and no log has it', async () => {
  const place = await tokenPlace()
  const env = { RUCIO_AUTH_TYPE: 'oidc', RUCIO_CLIENT_AUTH_TOKEN_FILE_PATH: place }
  const home = await openHome({ grid, world: clock.world, env })
  await home.ds('POST', 'hands:hands.x')
  let url = ''
  await until(async () => {
    const { json } = await home.get('/status')
    url = String(json['login_url'] ?? '')
    const cert = json['grid_cert'] as { is_good: boolean; error: string | null }
    return (url !== '' && !cert.is_good && cert.error?.includes('nobody is logged in') === true) || 'not yet'
  })
  for (const file of ['status/grid_cert.json', 'logs/grid_cert.log', 'logs/rucio_downloader.log'])
    assert.not.match(await readFile(home.path('.rucio', file), 'utf8').catch(() => ''), 'oidc_redirect')
  await browse(url)
  await home.says('hands:hands.x', 'local')
  assert.match(await readFile(home.path('.rucio', 'logs', 'grid_cert.log'), 'utf8'), 'somebody has logged in')
  await home.end()
})

test('with oidc_polling off the code that the browser shows is typed', async () => {
  const place = await tokenPlace()
  const typed = new PassThrough()
  const ran = await run(
    {
      RUCIO_AUTH_TYPE: 'oidc',
      RUCIO_CLIENT_OIDC_POLLING: 'False',
      RUCIO_CLIENT_AUTH_TOKEN_FILE_PATH: place,
    },
    typed,
  )
  const page = await browse(await addressOf(ran))
  const code = /code ([0-9a-f]+)/.exec(page)?.[1] ?? ''
  typed.write('wrong\n')
  await until(async () => ran.complained.length > 0 || 'no complaint')
  assert.match(ran.complained.join(), 'type it again')
  typed.write(`${code}\n`)
  assert.is(await ran.code, 0)
  assert.match(await readFile(place, 'latin1'), /^[\w-]+\.[\w-]+\.[\w-]+$/)
})

test('without a place for the token nobody is asked to log in', async () => {
  const ran = await run({ RUCIO_AUTH_TYPE: 'oidc' })
  assert.is(await ran.code, 2)
  assert.match(ran.complained.join(), 'XDG_STATE_HOME')
})

test('the other ways say whether the login is taken', async () => {
  const good = await run({})
  assert.is(await good.code, 0)
  assert.match(good.said.join(), /logged in to localhost:\d+ as jdoe/)
  const bad = await run({ RUCIO_CLIENT_PASSWORD: 'wrong' })
  assert.is(await bad.code, 1)
  assert.match(bad.complained.join(), 'CannotAuthenticate')
})

test('a token in the data directory is refused', async () => {
  const dir = await temporary()
  const cfg = join(await temporary(), 'rucio.cfg')
  await writeFile(
    cfg,
    `[client]\nrucio_host = https://x\nauth_type = oidc\nauth_token_file_path = ${join(dir, 'token')}\n`,
  )
  const read = await readLoginOptions(['--data', dir], { RUCIO_CONFIG: cfg })
  assert.match('message' in read ? read.message : '', 'may not lie in the data directory')
})

test.run()
