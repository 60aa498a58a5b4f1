// Child programs: what they get, what they leave, how they end.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runProgram } from '../../src/outside/program.ts'
import { Trouble } from '../../src/words/reason.ts'
import { isAlive } from '../help/alive.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { until } from '../help/home.ts'

const test = suite('child programs')
test.after(sweep)

const never = new AbortController().signal
const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }

/** A program of node that runs `code`. */
async function program(code: string): Promise<string> {
  const path = join(await temporary(), 'program')
  await writeFile(path, `#!${process.execPath}\n${code}\n`, { mode: 0o755 })
  return path
}

test('it gets its arguments and its environment as they are given, and nothing of ours', async () => {
  const path = await program('console.log(JSON.stringify([process.argv.slice(2), process.env]))')
  const args = ['$(id)', '; ls', '-x', 'a b', '']
  const ran = await runProgram({ program: path, args, env, timeoutMs: 5000 }, never)
  assert.is(ran.code, 0)
  assert.equal(JSON.parse(ran.stdout), [args, env])
})

test('input goes to its standard input, which is empty without one; a code that is not 0 is a value', async () => {
  const path = await program(
    'let t = ""; process.stdin.on("data", c => { t += c }).on("end", () => { console.error(t); process.exit(3) })',
  )
  const ran = await runProgram({ program: path, args: [], env, input: 'said\n', timeoutMs: 5000 }, never)
  assert.equal([ran.code, ran.stderr], [3, 'said\n\n'])
  const mute = await runProgram({ program: path, args: [], env, timeoutMs: 5000 }, never)
  assert.equal([mute.code, mute.stderr], [3, '\n'])
})

test('a child that does not read its input, and one that says very much, do no harm', async () => {
  const path = await program('process.stdout.write("x".repeat(300000) + "end"); process.stdin.destroy()')
  const ran = await runProgram(
    { program: path, args: [], env, input: 'y'.repeat(200_000), timeoutMs: 5000 },
    never,
  )
  assert.equal([ran.code, ran.stdout.length, ran.stdout.slice(-4)], [0, 65536, 'xend'])
})

test('one that is not there is named', async () => {
  const error = await rejects(
    runProgram({ program: 'no-such-program', args: [], env, timeoutMs: 5000 }, never),
  )
  assert.instance(error, Trouble)
  assert.equal(
    [(error as Trouble).reason, (error as Trouble).detail],
    ['unsupported', 'there is no no-such-program on this machine'],
  )
})

test('after its time it ends, with what it had started, also when it does not want to', async () => {
  const pids = join(await temporary(), 'pids')
  const path = await program(`
    process.on('SIGTERM', () => {})
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    require('node:fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid)
    setInterval(() => {}, 1000)`)
  const ran = await runProgram({ program: path, args: [], env, timeoutMs: 500 }, never)
  assert.equal([ran.code, ran.timedOut], [null, true])
  for (const pid of (await readFile(pids, 'utf8')).split(' '))
    await until(async () => !isAlive(Number(pid)) || `${pid} is alive`)
})

test('a signal ends it and is what is thrown', async () => {
  const ending = new AbortController()
  const path = await program('console.log("ready"); setInterval(() => {}, 1000)')
  let pid = 0
  const running = runProgram(
    { program: path, args: [], env, timeoutMs: 5000, onOutput: () => ending.abort(new Error('enough')) },
    ending.signal,
  ).then(ran => {
    pid = ran.pid
  })
  assert.is(((await rejects(running)) as Error).message, 'enough')
  assert.is(pid, 0)
})

test.run()
