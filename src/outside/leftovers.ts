// Programs that a killed daemon has left running: each bears its life's mark in its environment, as do the children that it started.
// Never ends a process without that mark, whatever its number or its name.

import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../words/reason.ts'

const variable = 'DESKTOP_RUCIO_LIFE'
/** One that starts others while it is looked at needs another look; one that hangs in a disk's hands does not end. */
const looks = 40
const pauseMs = 50

/** What a program is given so that the next start knows it.
 *  @param life the boot id of the process that starts it: no secret, and nobody else's */
export function lifeMark(life: string): Readonly<Record<string, string>> {
  return { [variable]: life }
}

/** SIGKILL to every process of these lives, and of their children. On Linux, which shows a user the environment of what is theirs; elsewhere
 *  nothing is found, and what runs on writes to the end of a file that has no name any more.
 *  @returns how many were ended, and how many would not end within two seconds */
export async function endLeftovers(
  lives: readonly string[],
): Promise<{ readonly ended: number; readonly left: number }> {
  const marks = lives.map(life => `${variable}=${life}`)
  const ended = new Set<number>()
  if (marks.length === 0 || process.platform !== 'linux') return { ended: 0, left: 0 }
  for (let look = 0; ; look++) {
    const found = await marked(marks)
    if (found.length === 0 || look === looks) return { ended: ended.size - found.length, left: found.length }
    for (const pid of found) {
      end(pid)
      ended.add(pid)
    }
    await sleep(pauseMs)
  }
}

async function marked(marks: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const all = (await environOf(name)).split('\0')
    if (marks.some(mark => all.includes(mark))) found.push(Number(name))
  }
  return found
}

/** Empty for what has ended, and for what is another user's. */
async function environOf(pid: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/environ`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return ''
    throw error
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself.
    if (codeOf(error) !== 'ESRCH') throw error
  }
}
