import { mkdir, writeFile } from 'node:fs/promises'
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

test('it warns where others are at work, unless a token or a socket keeps them out', async () => {
  if (process.getuid?.() !== 0) return // chown is root's
  const { chown } = await import('node:fs/promises')
  const proc = await temporary()
  for (const [name, uid] of [
    ['1', 0],
    ['20', 33],
    ['self', 4711],
  ] as const) {
    await mkdir(join(proc, name))
    await chown(join(proc, name), uid, uid)
  }
  assert.is(await othersMayReach({}, ['127.0.0.1'], proc), undefined)
  for (const name of ['30', '31']) {
    await mkdir(join(proc, name))
    await chown(join(proc, name), 4711, 4711)
  }
  assert.match(
    String(await othersMayReach({}, ['127.0.0.1'], proc)),
    /^another user is at work.*--socket PATH/,
  )
  assert.is(await othersMayReach({ token }, ['127.0.0.1'], proc), undefined)
  assert.is(await othersMayReach({ socketPath: '/x' }, [], proc), undefined)
  assert.is(await othersMayReach({}, ['127.0.0.1'], join(proc, 'none')), undefined)
})

test.run()
