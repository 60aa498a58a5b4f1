import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OidcOptions } from '../../src/catalogue/oidc.ts'
import { type OidcLogin, openOidcLogin } from '../../src/catalogue/oidc-login.ts'
import { openRucio, type Rucio, type RucioOptions } from '../../src/catalogue/rucio.ts'
import { parseServer } from '../../src/catalogue/server.ts'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { setLoopbackAllowed } from '../../src/outside/request.ts'
import { caPem } from '../../src/practice/certificates.ts'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { Trouble } from '../../src/words/reason.ts'
import { browse } from '../help/browse.ts'
import { sweep, temporary } from '../help/data.ts'
import { closeAll, liar, never, split, troubleOf } from './open.ts'

const test = suite('login with a browser')
const identity = makeIdentity({ certificate: undefined, bare: createSecureContext({ ca: caPem }) })
let grid: PracticeGrid
const logins: OidcLogin[] = []

test.before(async () => {
  // The practice grid stands on loopback, and its address is one that a server has given.
  setLoopbackAllowed(true, new Set())
  grid = await startPracticeGrid({
    rses: ['ONE'],
    seed: { datasets: [{ scope: 's', name: 'n', open: false, files: [] }], containers: [] },
  })
})
test.after.each(async () => {
  for (const each of logins.splice(0)) each.close()
  await grid.setCatalogue({ tokenLifeSeconds: 3600 })
})
test.after(async () => {
  setLoopbackAllowed(false, new Set())
  retireIdentity(identity)
  closeAll()
  await grid.stop()
  await sweep()
})

type Opened = {
  readonly rucio: Rucio
  readonly login: OidcLogin
  readonly logged: string[]
  readonly reports: (string | undefined)[]
  readonly clock: { at: number }
  /** resolves with the next login */
  readonly loggedIn: () => Promise<void>
  readonly keptAt: string
}

async function openBrowserless(
  more: { readonly oidc?: Partial<OidcOptions>; readonly bearer?: string; readonly url?: string } = {},
): Promise<Opened> {
  const keptAt = join(await temporary(), 'state', 'token')
  const oidc: OidcOptions = {
    scope: 'openid profile offline_access',
    polling: true,
    refresh: true,
    refreshBeforeMs: 1_200_000,
    keptAt,
    ...more.oidc,
  }
  const url = more.url ?? grid.url
  const options: RucioOptions = { rucioHost: url, authHost: url, authType: 'oidc', account: 'jdoe', oidc }
  const server = parseServer(url)
  if (server instanceof Trouble) throw server
  const clock = { at: Date.now() }
  const world = { now: () => clock.at, chance: () => 0.5 }
  const logged: string[] = []
  const reports: (string | undefined)[] = []
  let isIn: () => void = () => {}
  const login = openOidcLogin(options, oidc, server, {
    identity: async () => identity,
    bearer: async () => more.bearer,
    loggedIn: () => isIn(),
    log: (_, text) => logged.push(text),
    world,
    times: { pollMs: 10, slowPollMs: 10 },
  })
  logins.push(login)
  const credential = {
    identity: async () => identity,
    report: (text: string | undefined) => void reports.push(text),
  }
  const rucio = openRucio(options, credential, (_, text) => logged.push(text), world, login)
  const loggedIn = () =>
    new Promise<void>(resolve => {
      isIn = resolve
    })
  return { rucio, login, logged, reports, clock, loggedIn, keptAt }
}

const ask = ({ rucio }: Opened) => rucio.contents(split('s:n'), () => {}, never)

/** Somebody opens the address that is shown now. */
async function logIn({ login, loggedIn }: Opened): Promise<void> {
  const isIn = loggedIn()
  await browse(login.url() ?? '')
  await isIn
}

async function openLoggedIn(...more: Parameters<typeof openBrowserless>): Promise<Opened> {
  const opened = await openBrowserless(...more)
  await troubleOf(ask(opened))
  await logIn(opened)
  return opened
}

test('while nobody is logged in it says what to do, and once somebody is it goes on by itself', async () => {
  const opened = await openBrowserless()
  assert.is(opened.login.url(), undefined)
  const { reason, detail } = await troubleOf(ask(opened))
  assert.is(reason, 'auth')
  assert.match(detail, 'login_url')
  assert.match(detail, 'desktop-rucio login')
  assert.match(opened.reports.at(-1) ?? '', 'nobody is logged in')
  const url = opened.login.url() ?? ''
  assert.match(url, `${grid.url}/auth/oidc_redirect?`)
  assert.is((await troubleOf(ask(opened))).reason, 'auth')
  assert.is(opened.login.url(), url, 'one login is held open, however many ask')
  await logIn(opened)
  assert.is(opened.login.url(), undefined)
  assert.is((await ask(opened)).kind, 'listed')
  assert.is(opened.reports.at(-1), undefined)
})

test('the token is kept with mode 0600, and no log has it nor the address', async () => {
  const opened = await openLoggedIn()
  const token = await readFile(opened.keptAt, 'latin1')
  assert.is((await stat(opened.keptAt)).mode & 0o777, 0o600)
  assert.is((await stat(join(opened.keptAt, '..'))).mode & 0o777, 0o700)
  assert.equal(await readdir(join(opened.keptAt, '..')), ['token'])
  const said = [...opened.logged, ...opened.reports].join('\n')
  assert.not.match(said, token)
  assert.not.match(said, 'oidc_redirect')
})

test('a token that the command line has left there ends the wait, and outlives the daemon', async () => {
  const first = await openLoggedIn()
  const second = await openBrowserless()
  await troubleOf(ask(second))
  const found = second.loggedIn()
  await mkdir(join(second.keptAt, '..'))
  await writeFile(second.keptAt, await readFile(first.keptAt))
  await found
  assert.is((await ask(second)).kind, 'listed')
})

test('twenty minutes before its end the token is renewed, and the new one is kept', async () => {
  const opened = await openLoggedIn()
  await ask(opened)
  const first = await readFile(opened.keptAt, 'latin1')
  const refreshes = () => grid.calls().filter(each => each === 'GET /auth/oidc_refresh').length
  const before = refreshes()
  opened.clock.at += 2_300_000
  await ask(opened)
  assert.is(refreshes(), before)
  opened.clock.at += 200_000
  await ask(opened)
  assert.is(refreshes(), before + 1)
  assert.is.not(await readFile(opened.keptAt, 'latin1'), first)
})

test('what cannot be renewed is used to its end, then somebody has to log in again', async () => {
  const opened = await openLoggedIn({ oidc: { scope: 'openid profile' } })
  opened.clock.at += 3_590_000
  assert.is((await ask(opened)).kind, 'listed')
  opened.clock.at += 20_000
  assert.match((await troubleOf(ask(opened))).detail, 'nobody is logged in')
})

test('a token that Rucio has forgotten is not shown again: a new login is held open', async () => {
  const opened = await openLoggedIn()
  await ask(opened)
  await grid.setCatalogue({ forgetTokens: true })
  const calls = grid.calls().length
  assert.match((await troubleOf(ask(opened))).detail, 'nobody is logged in')
  assert.is(
    grid
      .calls()
      .slice(calls)
      .filter(each => each.startsWith('GET /dids')).length,
    1,
  )
  assert.type(opened.login.url(), 'string')
})

test('a bearer token that is found goes first, and is left when Rucio does not take it', async () => {
  const opened = await openBrowserless({ bearer: 'a.storage.token' })
  assert.match((await troubleOf(ask(opened))).detail, 'nobody is logged in')
  await logIn(opened)
  assert.is((await ask(opened)).kind, 'listed')
})

test('the address is renewed before Rucio forgets it, while somebody waits for it', async () => {
  const opened = await openBrowserless()
  await troubleOf(ask(opened))
  const first = opened.login.url()
  opened.clock.at += 295_000
  const end = performance.now() + 5000
  while (opened.login.url() === first && performance.now() < end) await new Promise(setImmediate)
  assert.is.not(opened.login.url(), first)
  await logIn(opened)
})

test('with oidc_polling off no login is held open: a code has to be typed', async () => {
  const opened = await openBrowserless({ oidc: { polling: false } })
  const before = grid.calls().length
  const { detail } = await troubleOf(ask(opened))
  assert.match(detail, 'desktop-rucio login')
  assert.not.match(detail, 'login_url')
  assert.is(grid.calls().length, before)
})

test('an address that is not https, or none, is refused', async () => {
  for (const address of [
    'http://rucio.example.org/auth/x',
    'javascript:alert(1)',
    'https://x/ y',
    undefined,
  ]) {
    const url = await liar((_, response) => {
      if (address !== undefined) response.setHeader('X-Rucio-OIDC-Auth-URL', address)
      response.end()
    }, 'auth too')
    const opened = await openBrowserless({ url })
    assert.is((await troubleOf(ask(opened))).reason, 'auth')
    assert.is(opened.login.url(), undefined)
  }
})

test.run()
