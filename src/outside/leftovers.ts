// Programs that a killed daemon has left running: each bears its life's mark in its environment, as do the children that it started.
// Never ends a process without that mark, whatever its number or its name, and never one whose daemon lives.

import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../words/reason.ts'

const variable = 'DESKTOP_RUCIO_LIFE'
/** One that starts others while it is looked at needs another look; one that hangs in a disk's hands does not end. */
const looks = 40
const pauseMs = 50

/** What a program is given so that the next start knows it: `LIFE/PID/START` of who starts it. The life alone does not say who is dead:
 *  in a copy of a data directory it is that of a daemon which works on in the first one.
 *  @param life the boot id of the process that starts it: no secret, and nobody else's */
export function lifeMark(life: string): Readonly<Record<string, string>> {
  return { [variable]: `${life}/${process.pid}/${ownStart}` }
}

const ownStart = process.platform === 'linux' ? startIn(readOwnStat()) : '0'

/** SIGKILL to every process of these lives whose daemon has died, and of their children. On Linux, which shows a user the environment of
 *  what is theirs; elsewhere, and without /proc, nothing is found, and what runs on writes to the end of a file that has no name any more.
 *  @returns how many were ended, and how many would not end within two seconds */
export async function endLeftovers(
  lives: readonly string[],
): Promise<{ readonly ended: number; readonly left: number }> {
  const wanted = new Set(lives)
  if (wanted.size === 0 || process.platform !== 'linux') return { ended: 0, left: 0 }
  const ended = new Set<number>()
  for (let look = 0; ; look++) {
    const found = await orphans(wanted)
    if (found.length === 0 || look === looks) return { ended: ended.size - found.length, left: found.length }
    for (const pid of found) {
      end(pid)
      ended.add(pid)
    }
    await sleep(pauseMs)
  }
}

async function orphans(lives: ReadonlySet<string>): Promise<number[]> {
  const found: number[] = []
  for (const name of await processes()) {
    if (Number(name) === process.pid) continue
    const mark = (await textOf(name, 'environ')).split('\0').find(each => each.startsWith(`${variable}=`))
    const [life = '', pid = '', start = ''] = mark?.slice(variable.length + 1).split('/') ?? []
    if (lives.has(life) && !(await isAlive(pid, start))) found.push(Number(name))
  }
  return found
}

/** The process with this number is still the one that began then. */
async function isAlive(pid: string, start: string): Promise<boolean> {
  if (!/^\d+$/.test(pid)) return false
  const stat = await textOf(pid, 'stat')
  // What has been killed and waits for its parent to ask does nothing any more.
  return stat !== '' && startIn(stat) === start && !/^[ZX]/.test(behindName(stat))
}

/** Field 22 of /proc/PID/stat: ticks from the start of the machine. */
function startIn(stat: string): string {
  return behindName(stat).split(' ')[19] ?? '0'
}

/** From field 3 on; the name before may hold spaces and brackets itself. */
function behindName(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2)
}

function readOwnStat(): string {
  try {
    return readFileSync('/proc/self/stat', 'latin1')
  } catch {
    // A machine that does not show its processes shows no leftovers either.
    return ''
  }
}

async function processes(): Promise<string[]> {
  try {
    return (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return []
    throw error
  }
}

/** Empty for what has ended, and for what is another user's. */
async function textOf(pid: string, what: 'environ' | 'stat'): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${what}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return ''
    throw error
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself; or it may be looked at and not be ended, and is counted among those that are left.
    if (!['ESRCH', 'EPERM'].includes(codeOf(error) ?? '')) throw error
  }
}
