// The folder outside DATA that programs are handed their logins in: whose it is, and what of it outlives a killed daemon.

import { chmod, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { clearPrivateDirs, privateDir } from '../../src/transfer/rucio-home.ts'
import { handOver } from '../../src/transfer/xrdcp-env.ts'
import { sweep, temporary } from '../help/data.ts'

const test = suite('folder for logins')
test.after(sweep)

const root = { dir: '/nonexistent', id: 'test', bootId: 'boot', fenced: false }

test('what a killed daemon had handed over goes when the next one starts; the configuration stays', async () => {
  const env = { XDG_RUNTIME_DIR: await temporary() }
  await clearPrivateDirs({ env }, root)
  assert.equal(await readdir(env.XDG_RUNTIME_DIR), [])
  const dir = await privateDir({ env }, root)
  await handOver(dir, 'canary')
  for (const name of ['token', 'token.1', 'rucio.cfg']) await writeFile(join(dir, name), 'canary')
  await mkdir(join(dir, 'tmp_of_a_client'))
  await clearPrivateDirs({ env }, root)
  assert.equal(await readdir(dir), ['rucio.cfg'])
  // It is the same for the next one, and another data directory has another.
  assert.is(await privateDir({ env }, root), dir)
  assert.is.not(await privateDir({ env }, { ...root, id: 'other' }), dir)
})

test('what is not ours alone is left as it is: a link, and a folder that others can read', async () => {
  const env = { XDG_RUNTIME_DIR: await temporary() }
  const theirs = await temporary()
  await writeFile(join(theirs, 'token'), 'theirs')
  const dir = await privateDir({ env }, root)
  await writeFile(join(dir, 'token'), 'x')
  await chmod(dir, 0o755)
  await clearPrivateDirs({ env }, root)
  assert.equal(await readdir(dir), ['token'])
  await symlink(theirs, dir.replace(/test$/, 'link'))
  await clearPrivateDirs({ env }, { ...root, id: 'link' })
  assert.equal(await readdir(theirs), ['token'])
})

test('where others have taken the name one folder by chance is enough, and it is made anew when it goes', async () => {
  const before = process.env['TMPDIR']
  const env = { XDG_RUNTIME_DIR: await temporary() }
  process.env['TMPDIR'] = await temporary()
  try {
    for (const place of [env.XDG_RUNTIME_DIR, tmpdir()])
      await writeFile(join(place, `desktop-rucio-${process.getuid?.() ?? 0}-test`), 'theirs')
    const dir = await privateDir({ env }, root)
    assert.is((await stat(dir)).mode & 0o777, 0o700)
    assert.is(await privateDir({ env }, root), dir)
    assert.is((await readdir(tmpdir())).length, 2)
    await rm(dir, { recursive: true })
    const next = await privateDir({ env }, root)
    assert.is.not(next, dir)
    assert.is(await privateDir({ env }, root), next)
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})

test.run()
