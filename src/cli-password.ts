// The password of the private key, typed by a person: before the daemon begins, or handed to one that runs. Never shows or stores it.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MakerOptions } from './credential/maker.ts'
import { passwordPathOf } from './credential/maker.ts'
import { handPassword, isHanded, isLocked, isWrong } from './credential/password.ts'
import { layout, type Root } from './disk/layout.ts'
import { readRecord } from './disk/read.ts'
import { askHidden, isInFront } from './prompt.ts'
import { type GridCert, readGridCert } from './words/status.ts'
import { fromIso, type World } from './words/world.ts'

const terminal = {
  input: process.stdin,
  output: process.stderr,
  async suspend() {
    const goOn = once(process, 'SIGCONT')
    process.kill(process.pid, 'SIGTSTP')
    await goOn
  },
}

type Words = { readonly say: (line: string) => void; readonly complain: (line: string) => void }

/** A daemon whose proxy is good looks once a minute. */
const takenMs = 70_000
const madeMs = 100_000
const lookMs = 500
const mostTries = 3
/** A terminal where nobody sits (`docker run -d -t`) holds up the daemon no longer than this. */
const askMs = 120_000

/** Asks at a terminal where a key has a password and none was given. A wrong one is told at once, by the key itself. Without an answer
 *  the daemon begins all the same, and says what it lacks.
 *  @returns the options to begin with, or the exit code: 130 after Ctrl-C, 1 after three wrong ones */
export async function askPassword(
  maker: MakerOptions,
  { complain }: Pick<Words, 'complain'>,
  signal: AbortSignal,
): Promise<MakerOptions | number> {
  const { password, keyPath } = maker
  if (password.given !== undefined || password.path !== undefined) return maker
  if (!process.stdin.isTTY || !(await isLocked(keyPath)) || !(await isInFront(signal))) return maker
  const late = AbortSignal.timeout(askMs)
  for (let tries = 1; tries <= mostTries; tries++) {
    const typed = await askHidden(`Password of ${keyPath}: `, terminal, AbortSignal.any([signal, late]))
    if (typed.kind === 'nothing') return maker
    if (typed.kind === 'interrupted') {
      if (!late.aborted) return 130
      complain(
        'nobody has typed a password; the daemon begins without, and takes one by desktop-rucio password',
      )
      return maker
    }
    if (!(await isWrong(keyPath, typed.text))) return { ...maker, password: { given: typed.text } }
    complain(`that is not the password of ${keyPath}`)
  }
  return 1
}

/** `desktop-rucio password`: hands one to the daemon of this data directory, and says what came of it. */
export async function password(
  root: Root,
  world: World,
  { say, complain }: Words,
  signal: AbortSignal,
): Promise<number> {
  const before = await readStatus(root)
  if (before?.renewal === undefined || before.renewal === null || typeof before.proxy_path !== 'string') {
    complain('the daemon of this data directory makes no proxy (--cert-dir), or has not begun yet')
    return 1
  }
  const given = await askHidden('Password of the private key: ', terminal, signal)
  if (given.kind === 'interrupted') return 130
  if (given.kind === 'nothing') {
    complain('no password was given')
    return 1
  }
  const path = passwordPathOf(before.proxy_path)
  const at = world.now()
  await handPassword(path, given.text)
  for (const end = at + takenMs; await isHanded(path, signal.aborted || world.now() > end); )
    await sleep(lookMs)
  if (signal.aborted) return 130
  for (const end = world.now() + madeMs; world.now() < end && !signal.aborted; await sleep(lookMs)) {
    const now = await readStatus(root)
    const error = now?.renewal?.error ?? null
    if (error !== null && (fromIso(error.at) ?? 0) >= at) {
      complain(error.message)
      return 1
    }
    if (error === null && now !== undefined) {
      say(now.proxy_ends === null ? 'the daemon has taken it' : `the proxy is good until ${now.proxy_ends}`)
      return 0
    }
  }
  complain('the daemon has not said yet what came of it; GET /status will')
  return 1
}

function readStatus(root: Root): Promise<GridCert | undefined> {
  return readRecord(root, layout.status(root, 'grid_cert'), readGridCert)
}
