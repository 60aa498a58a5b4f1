import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCredential } from '../src/credential/credential.ts'
import { examine } from '../src/doctor/examine.ts'
import { runDoctor } from '../src/doctor.ts'
import { readOptions } from '../src/options.ts'
import type { Checkup, Finding } from '../src/words/checkup.ts'
import { temporary, world } from './help/data.ts'
import { endAll, type Home, openHome } from './help/home.ts'
import { type PracticeChild, startPracticeChild } from './help/practice-child.ts'
import { practiceEnv } from './help/practice-env.ts'
import { complaintsOf } from './help/schema.ts'
import { ask } from './help/site.ts'

const test = suite('doctor')
const schema = fileURLToPath(new URL('../../src/web/schemas/doctor.json', import.meta.url))
let grid: PracticeChild
let home: Home
let bin: string

test.before(async () => {
  grid = await startPracticeChild({ seed: { datasets: [], containers: [] }, rses: ['FAST'] })
  bin = await programs({ xrdcp: 'echo v5.9.9 >&2', rucio: 'echo rucio 41.0.0' })
  home = await openHome({ grid, world, env: { PATH: bin } })
})
test.after(() => endAll(grid))

/** A directory for PATH with these little scripts. */
async function programs(texts: Readonly<Record<string, string>>): Promise<string> {
  const dir = await temporary()
  for (const [name, text] of Object.entries(texts))
    await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return dir
}

/** `desktop-rucio doctor` with the practice grid's settings and these. */
async function doctor(env: Readonly<Record<string, string>>, data: string, seenBy = world) {
  const all = { ...(await practiceEnv(grid, await temporary())), PATH: bin, ...env }
  const lines: string[] = []
  const place = {
    world: seenBy,
    signal: new AbortController().signal,
    say: (line: string) => void lines.push(line),
  }
  const code = await runDoctor(await readOptions(['--data', data], all), all, place)
  return {
    code,
    lines,
    line: (check: string) => lines.find(each => each.includes(` ${check} `)) ?? 'no such line',
  }
}

function stateOf({ findings }: Checkup, check: string): Finding['state'] | undefined {
  return findings.find(each => each.check === check)?.state
}

test('beside a daemon that is at work all is well, the lease stays where it is, and nothing is left behind', async () => {
  const staged = async (): Promise<string[]> => await readdir(home.path('.rucio', 'staging'))
  const before = await staged()
  const { code, lines, line } = await doctor({}, home.dir)
  assert.is(code, 0, lines.join('\n'))
  assert.match(line('xrdcp'), /^good +xrdcp +5\.9\.9, \//)
  assert.match(line('login'), /^good .*userpass, account jdoe/)
  for (const check of [
    'configuration',
    'clock',
    'data directory',
    'Rucio server',
    'credential',
    'authorities',
  ])
    assert.match(line(check), /^good /, check)
  assert.match(lines.at(-1) ?? '', 'All that a transfer needs is there')
  assert.equal(await staged(), before)
  assert.is(await home.ds('GET', 'hands:none'), 'not_on_server')
})

test('GET /doctor says the same, and many who ask at once start it once', async () => {
  const counting = await programs({ xrdcp: `echo x >> "${bin}/count"; echo v5.9.9`, rucio: 'echo 1.0' })
  const own = await openHome({ grid, world, env: { PATH: counting } })
  const answers = await Promise.all([1, 2, 3, 4].map(() => own.get('/doctor')))
  const checkup = answers[0]?.json as unknown as Checkup
  assert.equal(
    answers.map(({ status, json }) => [status, json['at']]),
    answers.map(() => [200, checkup.at]),
  )
  assert.equal(complaintsOf(schema, checkup), [])
  assert.is(checkup.healthy, true, JSON.stringify(checkup))
  assert.equal([stateOf(checkup, 'login'), stateOf(checkup, 'data directory')], ['good', 'good'])
  assert.is((await readdir(bin)).includes('count'), true)
  assert.is(await readFile(join(bin, 'count'), 'utf8'), 'x\n')
  await own.end()
})

test('no page of another site, and no link to it, starts GET /doctor; other methods are refused', async () => {
  const port = Number(new URL(home.url()).port)
  const from = (headers: Readonly<Record<string, string>>) =>
    ask(port, 'GET', '/doctor', [
      `Host: localhost:${port}`,
      ...Object.entries(headers).map(each => each.join(': ')),
    ])
  assert.is((await from({ 'Sec-Fetch-Site': 'cross-site' })).status, 403)
  assert.is((await from({ Origin: 'http://evil.example' })).status, 403)
  const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
  assert.is((await from(link)).status, 403)
  assert.is((await ask(port, 'POST', '/doctor')).status, 405)
})

test('what is missing or wrong is told with what to do, and the exit code is 1', async () => {
  const empty = await temporary()
  const place = await temporary()
  await writeFile(join(place, 'usercert.pem'), 'garbage')
  await writeFile(join(place, 'userkey.pem'), 'BEGIN ENCRYPTED PRIVATE KEY', { mode: 0o644 })
  const proxyDir = await temporary()
  const more = {
    ...{ PATH: empty, HOME: empty, DESKTOP_RUCIO_CERT_DIR: place, GRID_VOMS: 'testvo', X509_VOMS_DIR: empty },
    ...{ DESKTOP_RUCIO_PROXY_DIR: proxyDir, GRID_PASSWORD_FILE: join(place, 'nothing') },
  }
  const { code, lines, line } = await doctor(more, home.dir)
  assert.is(code, 1)
  for (const [check, what] of [
    ['voms-proxy-init', /^bad .*no proxy can be made/],
    ['xrdcp', /^warning .*root:\/\//],
    ['user certificate', /^bad .*cannot be read as a certificate/],
    ['private key', /^bad .*mode 644/],
    ['password', /^bad .*nothing is not there/],
    ['VO testvo', /^bad .*No address of its VOMS server/],
  ] as const)
    assert.match(line(check), what, lines.join('\n'))
  assert.match(lines.join('\n'), '-> chmod 400')
  assert.match(lines.join('\n'), 'VOMS_USERCONF')
})

test('a configuration that cannot be taken and a directory that is none are findings, too', async () => {
  assert.match((await doctor({ RUCIO_AUTH_TYPE: 'magic' }, home.dir)).line('configuration'), /^bad .*magic/)
  const other = await temporary()
  await mkdir(join(other, 'holiday pictures'))
  const { code, line } = await doctor({}, other)
  assert.match(line('data directory'), /^bad .*holds other things/)
  assert.is(code, 1)
  const empty = await doctor({}, await temporary())
  assert.match(empty.line('data directory'), /^warning .*It is empty/)
  assert.is(empty.code, 0)
})

test('a wrong password, a clock that is wrong and a server that is none are told apart', async () => {
  const wrong = await doctor({ RUCIO_CLIENT_PASSWORD: 'not-this' }, home.dir)
  assert.match(wrong.line('login'), /^bad /)
  assert.is(wrong.lines.join().includes('not-this'), false)
  const behind = await doctor({}, home.dir, { ...world, now: () => Date.now() - 3_600_000 })
  assert.match(behind.line('clock'), /^bad .*3(599|600|601) s behind/)
  const { code, line } = await doctor({ RUCIO_CLIENT_RUCIO_HOST: 'https://localhost:9' }, home.dir)
  assert.match(line('Rucio server'), /^bad .*refuses connections/)
  assert.match(line('login'), /^skipped/)
  assert.is(code, 1)
})

test('a server that says nothing, and a program that does not end, cost their time and no more', async () => {
  const silent = createServer(() => {})
  await new Promise<void>(done => silent.listen(0, '127.0.0.1', done))
  const { port } = silent.address() as AddressInfo
  const hanging = await programs({ xrdcp: 'exec sleep 60' })
  const env = {
    ...(await practiceEnv(grid, await temporary())),
    PATH: `${hanging}:/bin:/usr/bin`,
    RUCIO_CLIENT_RUCIO_HOST: `http://localhost:${port}`,
  }
  const options = await readOptions(['--data', home.dir], env)
  if ('message' in options) throw new Error(options.message)
  const credential = await openCredential(options.credential, world)
  const root = { message: 'none', isEmpty: false }
  const needs = { options, env, credential, rucio: undefined, root, world }
  const began = performance.now()
  const checkup = await examine(needs, new AbortController().signal, 400)
  assert.is(performance.now() - began < 2_000, true)
  assert.equal([stateOf(checkup, 'programs'), stateOf(checkup, 'Rucio server')], ['bad', 'bad'])
  assert.equal([stateOf(checkup, 'authorities'), checkup.healthy], ['good', false])
  credential.close()
  silent.close().closeAllConnections()
})

test.run()
