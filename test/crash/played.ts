// Programs for the practice grid, which speaks https alone: an xrdcp and an official client of a few lines, which leave what the real ones
// were measured to leave. Ends what it has started, by pid, and nothing else.

import { mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programFinder } from '../../src/outside/find.ts'
import { codeOf } from '../../src/words/reason.ts'
import type { Chance } from './chance.ts'
import { rucioScript, startOf, xrdcpScript } from './scripts.ts'

export type Played = {
  /** what a daemon finds these programs by; in half of the lives it finds no setpriv, as on systems that have none: then they outlive it */
  env(chance: Chance): Readonly<Record<string, string>>
  readonly withoutGuard: Readonly<Record<string, string>>
  /** pids of those that run now, the children that they started too */
  running(): Promise<readonly number[]>
  /** SIGKILL to all of them at once */
  kill(): Promise<void>
}

/** @param dir an existing directory, not DATA */
export async function playPrograms(dir: string): Promise<Played> {
  const bin = join(dir, 'bin')
  const withGuard = join(dir, 'guard')
  const pids = join(dir, 'pids')
  for (const each of [bin, withGuard, pids]) await mkdir(each)
  await writeFile(join(bin, 'xrdcp'), startOf(pids) + xrdcpScript, { mode: 0o755 })
  await writeFile(join(bin, 'rucio'), startOf(pids) + rucioScript, { mode: 0o755 })
  const guard = await programFinder('setpriv', process.env['PATH'])()
  if (guard !== undefined)
    // Only this program of the machine's, whatever else lies beside it there.
    await writeFile(join(withGuard, 'setpriv'), `#!/bin/sh\nexec '${guard}' "$@"\n`, { mode: 0o755 })

  async function running(): Promise<number[]> {
    const found: number[] = []
    for (const name of await readdir(pids))
      if (await isPlaying(Number(name), bin)) found.push(Number(name))
      else await unlink(join(pids, name)).catch(() => {}) // it has ended meanwhile, and did so itself
    return found
  }

  return {
    env: chance => ({ PATH: chance.is(0.5) ? `${bin}:${withGuard}` : bin }),
    withoutGuard: { PATH: bin },
    running,
    async kill() {
      for (const pid of await running())
        try {
          process.kill(pid, 'SIGKILL')
        } catch (error) {
          if (codeOf(error) !== 'ESRCH') throw error
        }
    },
  }
}

/** A number may be another's by now, and one that has ended may wait for whoever asks how: neither has our script among its arguments. */
async function isPlaying(pid: number, bin: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(bin)
  } catch (error) {
    const code = codeOf(error) ?? ''
    if (['ESRCH', 'ENOENT', 'EPERM'].includes(code)) return false
    throw error
  }
}
