import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openRoot } from '../src/disk/root.ts'
import { sweep, temporary, world } from './help/data.ts'
import { didOf, putWhole } from './help/dataset.ts'

const test = suite('command line')
const bin = fileURLToPath(new URL('../../bin/desktop-rucio', import.meta.url))

test.after(sweep)

type Ran = { readonly code: number; readonly out: string; readonly err: string }

function run(...args: readonly string[]): Promise<Ran> {
  return new Promise(resolve =>
    execFile(process.execPath, [bin, ...args], { env: {} }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    ),
  )
}

test('add, list and remove need no daemon, not even one that was there before', async () => {
  const dir = await temporary()
  const added = await run('add', 'mc16.x', '--data', dir)
  assert.equal({ ...added, err: '' }, { code: 0, out: 'mc16:mc16.x downloading\n', err: '' })
  assert.match(added.err, /made .* a data directory with the id [0-9a-f]{16}/)
  assert.match(await readFile(join(dir, 'requests', 'mc16.x.json'), 'utf8'), /"created"/)
  assert.match((await run('list', '--data', dir)).out, /^downloading +mc16.x\n$/)
  assert.equal(await run('remove', 'mc16.x', '--data', dir), {
    code: 0,
    out: 'mc16:mc16.x not_on_server\n',
    err: '',
  })
})

test('verify takes what list shows, a DID, and a folder', async () => {
  const dir = await temporary()
  const { root } = await openRoot({ dir, fenced: false, world })
  for (const folder of ['requests', 'watch']) await mkdir(join(dir, folder))
  for (const did of ['mc16:mc16.x', 'other:mc16.y']) await putWhole(root, didOf(did), 2)
  assert.match((await run('list', '--data', dir)).out, /^local +mc16.x\nlocal +other=3Amc16.y\n$/)
  for (const word of ['mc16.x', 'mc16:mc16.x', 'other=3Amc16.y', 'other:mc16.y'])
    assert.match((await run('verify', word, '--data', dir)).out, /^2 of 2 files of /, word)
  assert.match((await run('verify', join(dir, 'other=3Amc16.y'))).out, /^2 of 2 files of /)
})

test('an address that cannot be listened on is told in a sentence', async () => {
  const dir = await temporary()
  const login = ['--rucio-host', 'https://localhost:1', '--auth-type', 'x509_proxy', '--data', dir]
  for (const [host, words] of [
    ['192.0.2.77', /192\.0\.2\.77.* is no address of this machine/],
    ['nohost.invalid', /nohost\.invalid/],
  ] as const) {
    const { code, err } = await run('serve', ...login, '--port', '0', '--host', host)
    assert.is(code, 1, err)
    assert.match(err, words)
    assert.match(err, '--host')
    assert.not.match(err, 'fault of desktop-rucio')
  }
})

test('what looks like an option is none of the names, unless -- stands before it', async () => {
  const dir = await temporary()
  for (const word of ['-x', '--prio']) {
    const { code, err } = await run('add', word, 'mc16.x', '--data', dir)
    assert.is(code, 2)
    assert.match(err, `there is no option ${word} here`)
  }
  assert.equal(await readdir(dir), [])
  assert.match((await run('add', '--data', dir, '--', 's:-h')).out, /^s:-h downloading\n$/)
})

test('list takes no names', async () => {
  const dir = await temporary()
  await run('add', 'mc16.x', '--data', dir)
  const { code, out, err } = await run('list', 'mc16.x', '--data', dir)
  assert.equal([code, out], [2, ''])
  assert.match(err, 'list takes no names')
})

test('list and remove leave an empty directory as it is: its disk may not be mounted', async () => {
  const dir = await temporary()
  for (const words of [['list'], ['remove', 'mc16.x']]) {
    const { code, out, err } = await run(...words, '--data', dir)
    assert.equal([code, out], [2, ''])
    assert.match(err, 'is empty and no data directory yet')
  }
  assert.equal(await readdir(dir), [])
})

test('nothing stays in staging/', async () => {
  const dir = await temporary()
  await run('add', 'mc16.x', '--data', dir)
  assert.equal(await readdir(join(dir, '.rucio', 'staging')), [])
})

test('what was typed comes back without control characters', async () => {
  const dir = await temporary()
  for (const args of [
    ['list', '--\u001b[31m'],
    ['list', '--data', `${dir}/\u001b[31m`],
    ['verify', `${dir}/\u001b[31m`],
    ['add', '\u001b[31m', '--data', dir],
    ['\u001b[31m'],
  ]) {
    const { code, out, err } = await run(...args)
    assert.is(code, 2, args.join(' '))
    assert.not.ok((out + err).includes('\u001b'))
  }
})

test.run()
