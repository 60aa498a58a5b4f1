// Programs that outlive whoever started them, as after a SIGKILL of the daemon: found by their life's mark, and ended.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { endLeftovers } from '../../src/outside/leftovers.ts'
import { sweep, temporary } from '../help/data.ts'
import { until } from '../help/home.ts'

const test = suite('programs left running')
const started: number[] = []
test.after(async () => {
  for (const pid of started) if (await isRunning(pid)) process.kill(pid, 'SIGKILL')
  await sweep()
})

/** One that has ended and waits for whoever asks how has no arguments any more. */
async function isRunning(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) !== ''
}

/** A process that runs a program, which starts another, and is killed then.
 *  @returns both programs, which live on */
async function outlived(life: string): Promise<readonly [number, number]> {
  const { programs, kill } = await working(life)
  await kill()
  return programs
}

/** The same, before it is killed. */
async function working(
  life: string,
): Promise<{ readonly programs: readonly [number, number]; kill(): Promise<void> }> {
  const dir = await temporary()
  const pids = join(dir, 'pids')
  const program = join(dir, 'program')
  await writeFile(
    program,
    `#!${process.execPath}
const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
require('node:fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid + ' end')
setInterval(() => {}, 1000)
`,
    { mode: 0o755 },
  )
  const starter = join(dir, 'starter.mjs')
  const from = (name: string): string => JSON.stringify(new URL(`../../src/outside/${name}`, import.meta.url))
  await writeFile(
    starter,
    `import { runProgram } from ${from('program.js')}
import { lifeMark } from ${from('leftovers.js')}
const ask = { program: ${JSON.stringify(program)}, args: [], env: lifeMark(${JSON.stringify(life)}), timeoutMs: 600_000 }
await runProgram(ask, new AbortController().signal)
`,
  )
  const daemon = spawn(process.execPath, [starter], { stdio: 'ignore' })
  await until(async () => (await readFile(pids, 'utf8').catch(() => '')).endsWith('end') || 'it never began')
  const [program1 = 0, program2 = 0] = (await readFile(pids, 'utf8')).split(' ').map(Number)
  started.push(program1, program2)
  return {
    programs: [program1, program2],
    async kill() {
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
    },
  }
}

if (process.platform === 'linux') {
  test('what a killed daemon left running is ended with its children, and no other life', async () => {
    const [one, two] = await Promise.all([outlived('life-1'), outlived('life-2')])
    const alive = async (): Promise<boolean[]> => Promise.all([...one, ...two].map(isRunning))
    assert.equal(await alive(), [true, true, true, true])
    assert.equal(await endLeftovers(['life', 'life-11']), { ended: 0, left: 0 })
    assert.equal(await endLeftovers(['life-3', 'life-1']), { ended: 2, left: 0 })
    assert.equal(await alive(), [false, false, true, true])
    assert.equal(await endLeftovers(['life-2']), { ended: 2, left: 0 })
    assert.equal(await alive(), [false, false, false, false])
  })
}

if (process.platform === 'linux') {
  // A copy of a data directory names the life of a daemon that works on in the first one.
  test('what a living daemon runs is left alone, whoever names its life', async () => {
    const { programs, kill } = await working('life-4')
    assert.equal(await endLeftovers(['life-4']), { ended: 0, left: 0 })
    assert.equal(await Promise.all(programs.map(isRunning)), [true, true])
    await kill()
    assert.equal(await endLeftovers(['life-4']), { ended: 2, left: 0 })
  })
}

test('without a life before there is nothing to look for', async () => {
  assert.equal(await endLeftovers([]), { ended: 0, left: 0 })
})

test.run()
