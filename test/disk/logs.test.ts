import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { openLogs, readLog } from '../../src/disk/logs.ts'
import { sweep, temporary, world } from '../help/data.ts'
import { dataDir } from './root.ts'

const test = suite('logs')
test.after(sweep)

/** What is written to stderr while `work` runs. */
async function stderrOf(work: () => Promise<void>): Promise<string> {
  const { write } = process.stderr
  let told = ''
  process.stderr.write = ((text: string) => {
    told += text
    return true
  }) as typeof process.stderr.write
  try {
    await work()
  } finally {
    process.stderr.write = write
  }
  return told
}

test('lines stand in order, each with the time and its newline; an absent log has none', async () => {
  const root = await dataDir()
  const { log, flush } = openLogs(root, { ...world, now: () => 0 })
  assert.equal(await readLog(root, 'grid_cert'), [])
  for (let i = 0; i < 500; i++) log('grid_cert', `line ${i}`)
  log('web_server', 'other')
  await flush()
  const lines = await readLog(root, 'grid_cert')
  assert.is(lines.length, 500)
  assert.is(lines[499], '1970-01-01T00:00:00.000Z line 499\n')
  assert.is((await readLog(root, 'web_server')).length, 1)
})

test('text from outside cannot pass for a line of its own, nor move the cursor', async () => {
  const root = await dataDir()
  const { log, flush } = openLogs(root, { ...world, now: () => 0 })
  log('grid_cert', 'a\r\n2026-01-01T00:00:00.000Z forged\n\u001b[2J\u2028x')
  await flush()
  assert.equal(await readLog(root, 'grid_cert'), [
    '1970-01-01T00:00:00.000Z a\n',
    '  2026-01-01T00:00:00.000Z forged\n',
    '  \\x1b[2J\\x2028x\n',
  ])
})

test('no secret reaches the disk: given ones in every form, tokens, PEM blocks, signatures', async () => {
  const root = await dataDir()
  const { log, hide, flush } = openLogs(root, world)
  hide('')
  hide('s3cret/"word\n')
  log('grid_cert', `plain s3cret/"word url ${encodeURIComponent('s3cret/"word')} json s3cret/\\"word`)
  log('grid_cert', `base64 ${Buffer.from('s3cret/"word').toString('base64')}`)
  log(
    'grid_cert',
    'Authorization: Bearer canary1, {"X-Rucio-Auth-Token": "canary2"} x-rucio-auth-token: canary3',
  )
  log('grid_cert', 'https://h/x?authz=canary4&X-Amz-Signature=canary5&n=kept')
  log('grid_cert', '-----BEGIN RSA PRIVATE KEY-----\ncanary6\n-----END RSA PRIVATE KEY-----\nkept too')
  log('grid_cert', `-----BEGIN CERTIFICATE-----\n${'canary7\n'.repeat(9000)}`)
  await flush()
  const text = await readFile(layout.log(root, 'grid_cert'), 'utf8')
  assert.not.match(text, /s3cret|canary|czNj/)
  assert.match(text, /n=kept/)
  assert.match(text, /kept too/)
})

test('a log is rotated at 1 MiB, and one older file is kept', async () => {
  const root = await dataDir()
  const { log, flush } = openLogs(root, world)
  for (let i = 0; i < 300; i++) log('web_server', `${i} ${'x'.repeat(10_000)}`)
  await flush()
  assert.equal((await readdir(layout.logs(root))).sort(), ['web_server.log', 'web_server.log.1'])
  const { size } = await stat(layout.log(root, 'web_server'))
  const { size: older } = await stat(`${layout.log(root, 'web_server')}.1`)
  assert.ok(size <= 2 ** 20 && older <= 2 ** 20 && older > 700_000, `${size} ${older}`)
  const last = (await readLog(root, 'web_server')).at(-1) ?? ''
  assert.match(last, / 299 x/)
})

test('half a line that a crash left is cut before the first append', async () => {
  const root = await dataDir()
  await mkdir(layout.logs(root))
  await writeFile(layout.log(root, 'web_server'), 'whole\nhal')
  assert.equal(await readLog(root, 'web_server'), ['whole\n'])
  const { log, flush } = openLogs(root, { ...world, now: () => 0 })
  log('web_server', 'next')
  await flush()
  assert.equal(await readLog(root, 'web_server'), ['whole\n', '1970-01-01T00:00:00.000Z next\n'])
})

test('what the disk does not take goes to stderr, without secrets; a link is not written through', async () => {
  const root = await dataDir()
  const victim = join(await temporary(), 'victim')
  await writeFile(victim, 'safe\n')
  await mkdir(layout.logs(root))
  await symlink(victim, layout.log(root, 'web_server'))
  const { log, hide, flush } = openLogs(root, world)
  hide('canary')
  const told = await stderrOf(async () => {
    log('web_server', 'told canary')
    await flush()
    await rm(layout.own(root), { recursive: true })
    log('grid_cert', 'told as well')
    await flush()
  })
  assert.match(told, /told \*\*\*/)
  assert.match(told, /told as well/)
  assert.is(await readFile(victim, 'utf8'), 'safe\n')
  assert.equal(await readdir(root.dir), ['requests'])
})

test.run()
