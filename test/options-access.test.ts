import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { othersMayReach, readAccess } from '../src/options-access.ts'
import { sweep, temporary } from './help/data.ts'

const test = suite('options access')
test.after(sweep)

const token = 'fedcba9876543210'

test('nothing is asked for unless something is set', async () => {
  assert.equal(await readAccess(undefined, '/data', {}), {})
})

test('a token comes from the environment or from a file, whose first line counts', async () => {
  assert.equal(await readAccess(undefined, '/data', { API_TOKEN: token }), { token })
  const path = join(await temporary(), 'token')
  await writeFile(path, `\ufeff${token}\r\n`)
  assert.equal(await readAccess(undefined, '/data', { API_TOKEN_FILE: path, API_TOKEN: 'x' }), { token })
})

test('a token file that is empty or missing, and a short token, are refused', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'empty'), '\n')
  for (const [env, wanted] of [
    [{ API_TOKEN_FILE: join(dir, 'empty') }, /is empty/],
    [{ API_TOKEN_FILE: join(dir, 'none') }, /cannot be read \(ENOENT\)/],
    [{ API_TOKEN: 'short' }, /16 or more/],
    [{ API_TOKEN: 'with blanks in it, many' }, /16 or more/],
  ] as const) {
    const answer = await readAccess(undefined, '/data', env)
    assert.match('message' in answer ? answer.message : '', wanted)
  }
})

test('a socket has an absolute path that fits, outside of the data directory', async () => {
  assert.equal(await readAccess('/run/user/1/dr.sock', '/data', {}), { socketPath: '/run/user/1/dr.sock' })
  for (const [path, wanted] of [
    ['/data/dr.sock', /lies in the data directory/],
    [`/${'x'.repeat(103)}`, /too long/],
  ] as const) {
    const answer = await readAccess(path, '/data', {})
    assert.match('message' in answer ? answer.message : '', wanted)
  }
})

/** A machine on which these users have processes, and these are logged in. */
async function machine(processes: readonly number[], logins: readonly number[], lent = '') {
  const at = { proc: await temporary(), run: await temporary(), subuid: join(await temporary(), 'subuid') }
  await mkdir(join(at.proc, 'self'))
  for (const [i, uid] of processes.entries()) {
    await mkdir(join(at.proc, String(i + 1)))
    await chown(join(at.proc, String(i + 1)), uid, uid)
  }
  for (const uid of logins) await mkdir(join(at.run, String(uid)))
  if (lent !== '') await writeFile(at.subuid, lent)
  return at
}
const open = ['127.0.0.1']

test('it warns where others are logged in, even when their processes are hidden', async () => {
  assert.is(await othersMayReach({}, open, await machine([], [])), undefined)
  assert.match(
    String(await othersMayReach({}, open, await machine([], [4711, process.getuid?.() ?? 0]))),
    /^another user is at work.*--socket PATH/,
  )
  const none = { proc: '/none', run: '/none', subuid: '/none' }
  assert.is(await othersMayReach({}, open, none), undefined)
})

test('a token or a socket keeps others out: then it does not warn', async () => {
  const at = await machine([], [4711, 4712])
  assert.match(String(await othersMayReach({}, open, at)), /^2 other users are/)
  assert.is(await othersMayReach({ token }, open, at), undefined)
  assert.is(await othersMayReach({ socketPath: '/x' }, [], at), undefined)
  assert.match(String(await othersMayReach({ socketPath: '/x' }, open, at)), /^2 other users are/)
})

test('processes of people count, those of the system and of containers do not', async () => {
  if (process.getuid?.() !== 0) return // chown is root's
  for (const [because, processes, lent, warns] of [
    ['the system', [0, 33, 999, 60_578, 61_500, 65_534], '', false],
    ['a person, however many processes', [1000, 1000], '', true],
    ['a site that numbers its people beyond 65535', [104_711], '', true],
    ['containers of a user', [100_033, 165_535], 'jane:100000:65536\n', false],
    ['just after the ids that are lent', [165_536], 'jane:100000:65536\n', true],
    ['containers of systemd', [524_288, 1_879_048_191], '', false],
  ] as const)
    assert.is(
      (await othersMayReach({}, open, await machine(processes, [], lent))) !== undefined,
      warns,
      because,
    )
})

test.run()
