import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runUpdate, updaterOf } from '../../src/credential/update.ts'
import { isAlive } from '../help/alive.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { until } from '../help/home.ts'

const test = suite('renewal of authorities and lists')
const signal = new AbortController().signal
test.after(sweep)

/** A directory whose fetch-crl does this. */
async function program(text: string, name = 'fetch-crl'): Promise<string> {
  const dir = await temporary()
  await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`)
  await chmod(join(dir, name), 0o755)
  return dir
}

const path = (bin: string): Readonly<Record<string, string>> => ({ PATH: `${bin}:/usr/bin:/bin` })

test('fetch-crl is told where authorities lie and where lists go, with that environment alone', async () => {
  const [dir, cache] = [await temporary(), await temporary()]
  process.env['CANARY_OF_UPDATE'] = 'canary'
  const bin = await program('echo "$@"; env; pwd')
  const listsDir = join(cache, 'deep', 'crl')
  const stateDir = join(cache, 'state')
  const options = { off: false, dir, listsDir, stateDir, env: path(bin) }
  const { error, isMissing, output } = await runUpdate(options, signal)
  delete process.env['CANARY_OF_UPDATE']
  assert.equal([error, isMissing], [undefined, false])
  assert.is(output[0], `--infodir ${dir} --output ${listsDir} --statedir ${stateDir} -T 10 -p 10`)
  assert.is(output.join().includes('canary'), false)
  assert.ok(output.includes('/'))
  for (const made of [listsDir, stateDir]) assert.is((await stat(made)).mode & 0o777, 0o700)
  assert.is(updaterOf(options), 'fetch-crl')
})

test('a command of the user is run with its arguments, as they are', async () => {
  const bin = await program('for each; do echo "<$each>"; done; echo told >&2', 'mine')
  const command = [join(bin, 'mine'), 'a b', '$HOME;ls', '*']
  const { error, output } = await runUpdate({ off: false, command, env: path(bin) }, signal)
  assert.is(error, undefined)
  assert.equal(output, ['<a b>', '<$HOME;ls>', '<*>', 'told'])
  assert.is(updaterOf({ off: false, command, env: {} }), 'CERT_UPDATE_COMMAND')
  assert.is(updaterOf({ off: true, command, env: {} }), null)
})

test('an exit code, a missing program and one that cannot be started are told in a sentence', async () => {
  const dir = await temporary()
  const at = { off: false, dir, listsDir: dir }
  const failed = await runUpdate({ ...at, env: path(await program('echo why; exit 3')) }, signal)
  assert.is(failed.error, 'fetch-crl ended with code 3; what it said stands in the log grid_cert')
  assert.equal([failed.isMissing, failed.output], [false, ['why']])
  const missing = await runUpdate({ ...at, env: { PATH: dir } }, signal)
  assert.equal([missing.error, missing.isMissing], ['there is no fetch-crl on this machine', true])
  const none = await runUpdate({ off: false, command: ['/nowhere/mine'], env: {} }, signal)
  assert.equal([none.error, none.isMissing], ['there is no /nowhere/mine on this machine', false])
  await writeFile(join(dir, 'plain'), 'no program')
  const plain = await runUpdate({ off: false, command: [join(dir, 'plain')], env: {} }, signal)
  assert.match(plain.error ?? '', 'cannot be started (EACCES)')
})

test('without a place for lists fetch-crl is not run', async () => {
  const dir = await temporary()
  const env = path(await program('echo ran'))
  const nowhere = await runUpdate({ off: false, dir, env }, signal)
  assert.match(nowhere.error ?? '', 'set CRL_DIR')
  await writeFile(join(dir, 'file'), '')
  const barred = await runUpdate({ off: false, dir, listsDir: join(dir, 'file', 'crl'), env }, signal)
  assert.match(barred.error ?? '', /file\/crl cannot be made \(ENOTDIR\): set CRL_DIR/)
  assert.equal([nowhere.output, barred.output], [[], []])
})

test('one that hangs is ended with what it has started, after its time or when the daemon ends', async () => {
  const dir = await temporary()
  const pidFile = join(dir, 'pid')
  const command = [join(await program('sleep 60 & echo $! > "$1"; wait', 'mine'), 'mine'), pidFile]
  const hangs = await runUpdate({ off: false, command, env: path('/bin') }, signal, 1000)
  assert.is(
    hangs.error,
    'CERT_UPDATE_COMMAND did not end within 1 s; what it said stands in the log grid_cert',
  )
  await ended(Number(await readFile(pidFile, 'utf8')))

  const stop = new AbortController()
  const running = rejects(
    runUpdate(
      { off: false, command: [...command.slice(0, 1), `${pidFile}2`], env: path('/bin') },
      stop.signal,
    ),
  )
  let pid = 0
  while (pid === 0) {
    pid = Number(await readFile(`${pidFile}2`, 'utf8').catch(() => '0')) // not there yet
    await new Promise(done => setTimeout(done, 10))
  }
  stop.abort(new Error('the end'))
  assert.is(String(await running), 'Error: the end')
  await ended(pid)
})

test('of much output the end is kept', async () => {
  const bin = await program('i=0; while [ $i -lt 100 ]; do echo "line $i"; i=$((i+1)); done', 'mine')
  const { output } = await runUpdate({ off: false, command: [join(bin, 'mine')], env: path(bin) }, signal)
  assert.is(output.length, 31)
  assert.equal([output[0], output.at(-1)], ['(70 lines before these)', 'line 99'])
})

/** A signal that was sent to a whole group arrives at each of it in its own time. */
function ended(pid: number): Promise<void> {
  return until(async () => !isAlive(pid) || `${pid} still runs`, 5000)
}

test.run()
