// The real programs that a daemon of a test has started: laid down for it with or without what ends them with it, found by their
// arguments, ended by their pids.

import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { programFinder } from '../../src/outside/find.ts'
import { codeOf } from '../../src/words/reason.ts'

/** @param dir an existing directory, not DATA
 *  @returns PATH of a daemon that finds xrdcp and the official client; `guarded` finds setpriv too, `bare` does not, as on systems that
 *  have none */
export async function programPaths(
  dir: string,
): Promise<{ readonly guarded: string; readonly bare: string }> {
  const bare = join(dir, 'bin')
  const guard = join(dir, 'guard')
  for (const [folder, programs] of [
    [bare, ['rucio', 'xrdcp', 'xrdfs']],
    [guard, ['setpriv']],
  ] as const) {
    await mkdir(folder)
    for (const program of programs) {
      const found = await programFinder(program, process.env['PATH'])()
      if (found === undefined) throw new Error(`there is no ${program} on this machine`)
      await symlink(found, join(folder, program))
    }
  }
  return { guarded: `${bare}:${guard}`, bare }
}

/** pids of all that have a file below staging/ of this directory among their arguments. One that has ended has no arguments. */
export async function programsOf(data: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') // it has ended meanwhile
    if (line.includes(`${data}/.rucio/staging/`)) found.push(Number(pid))
  }
  return found
}

/** SIGKILL to each. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error
    }
}
