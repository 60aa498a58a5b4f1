// All checks of the doctor, at once, each within its time. Never mends anything, and never takes the lease.

import { bad, type Checkup, type Finding } from '../words/checkup.ts'
import { clean, toTrouble } from '../words/reason.ts'
import { toIso } from '../words/world.ts'
import { checkAuthorities, checkCredential, checkMaking } from './certificates.ts'
import { checkData } from './data.ts'
import type { Needs } from './needs.ts'
import { checkServer } from './server.ts'
import { checkTools } from './tools.ts'

type Check = readonly [name: string, run: (signal: AbortSignal) => Promise<readonly Finding[]>]

/** A server that does not answer, a disk that hangs and a program that does not end are findings, after this time. */
export const checkMs = 15_000

/** @param signal ends it early, by its reason */
export async function examine(needs: Needs, signal: AbortSignal, limitMs = checkMs): Promise<Checkup> {
  const { options } = needs
  const configuration: Finding = {
    check: 'configuration',
    state: 'good',
    message: `${options.rucio.rucioHost}, ${options.rucio.account ?? 'no account named'}, by ${options.rucio.authType}.`,
    advice: null,
  }
  const checks: readonly Check[] = [
    ['programs', within => checkTools(needs, within)],
    ['user certificate', () => checkMaking(needs)],
    ['credential', () => checkCredential(needs)],
    ['authorities', () => checkAuthorities(needs)],
    ['Rucio server', within => checkServer(needs, within)],
    ['data directory', () => checkData(needs)],
  ]
  const found = await Promise.all(checks.map(check => runCheck(check, signal, limitMs)))
  signal.throwIfAborted()
  return checkupOf([configuration, ...found.flat()], needs.world.now())
}

/** @param now ms since 1970 */
export function checkupOf(findings: readonly Finding[], now: number): Checkup {
  const shown = findings.map(each => ({
    ...each,
    message: clean(each.message, 500),
    advice: each.advice === null ? null : clean(each.advice, 500),
  }))
  return { healthy: shown.every(each => each.state !== 'bad'), at: toIso(now), findings: shown }
}

async function runCheck(
  [name, run]: Check,
  signal: AbortSignal,
  limitMs: number,
): Promise<readonly Finding[]> {
  const within = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly Finding[]>(resolve => {
    const end = (): void => {
      within.abort(new Error('out of time'))
      const text = `This was not known within ${limitMs / 1000} s.`
      resolve([bad(name, text, 'Is a disk, a server or a program hanging? Look at it by hand.')])
    }
    timer = setTimeout(end, limitMs)
    signal.addEventListener('abort', end, { once: true })
    within.signal.addEventListener('abort', () => signal.removeEventListener('abort', end), { once: true })
  })
  const findings = run(within.signal).catch((error: unknown): readonly Finding[] => {
    const { detail } = toTrouble(error)
    return [
      bad(name, `The check itself failed: ${detail}.`, 'This is a fault of desktop-rucio, or of the disk.'),
    ]
  })
  try {
    return await Promise.race([findings, late])
  } finally {
    clearTimeout(timer)
    // What is still at work has nobody to tell.
    within.abort(new Error('done'))
  }
}
