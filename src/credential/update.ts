// Has authorities and revocation lists renewed by a program: fetch-crl, or the user's own. Never believes what it says: the lists that lie
// there afterwards are looked at. Never writes beside the authorities itself.

import { mkdir } from 'node:fs/promises'
import { runProgram } from '../outside/program.ts'
import { codeOf, Trouble, toTrouble } from '../words/reason.ts'

export type UpdateOptions = {
  /** CERT_UPDATE_COMMAND, taken apart; undefined = fetch-crl */
  readonly command?: readonly string[]
  /** CERT_UPDATE=0, or there is nothing that fetch-crl could renew */
  readonly off: boolean
  /** the directory of authorities; fetch-crl finds there whose lists it is to fetch, and from where */
  readonly dir?: string
  /** where it puts them: `dir` itself, or CRL_DIR; undefined when neither can be written */
  readonly listsDir?: string
  /** where fetch-crl keeps what it remembers */
  readonly stateDir?: string
  /** all that the program gets */
  readonly env: Readonly<Record<string, string>>
}

export type Updated = {
  /** a sentence; undefined = it ended well, as far as it says */
  readonly error: string | undefined
  /** the program is not on this machine */
  readonly isMissing: boolean
  /** its last lines */
  readonly output: readonly string[]
}

/** 83 authorities, ten at a time, two tries of 10 s each: three minutes where a firewall swallows every packet. */
const timeoutMs = 600_000
const mostLines = 30

/** How it is called in logs and answers; null when there is none. */
export function updaterOf(options: UpdateOptions): string | null {
  if (options.off) return null
  return options.command === undefined ? 'fetch-crl' : 'CERT_UPDATE_COMMAND'
}

/** Runs it to its end. Throws the reason of `signal` alone. */
export async function runUpdate(
  options: UpdateOptions,
  signal: AbortSignal,
  limitMs = timeoutMs,
): Promise<Updated> {
  const name = updaterOf(options) ?? 'fetch-crl'
  try {
    const [program = '', ...args] = options.command ?? (await fetchCrl(options))
    // Its place is not ours: the daemon may have been started in DATA, which must be free to be unmounted.
    const ran = await runProgram({ program, args, env: options.env, cwd: '/', timeoutMs: limitMs }, signal)
    const lines = `${ran.stdout}\n${ran.stderr}`.split(/\r\n|\r|\n/).filter(each => each.trim() !== '')
    const output = lines.slice(-mostLines)
    if (lines.length > mostLines) output.unshift(`(${lines.length - mostLines} lines before these)`)
    const how = ran.timedOut
      ? `did not end within ${Math.round(limitMs / 1000)} s`
      : ran.code === null
        ? 'was ended by a signal'
        : ran.code === 0
          ? undefined
          : `ended with code ${ran.code}`
    const error = how === undefined ? undefined : `${name} ${how}; what it said stands in the log grid_cert`
    return { error, isMissing: false, output }
  } catch (error) {
    signal.throwIfAborted()
    const trouble = toTrouble(error)
    return {
      error: trouble.reason === 'bug' ? `${name} gave ${trouble.detail}` : trouble.detail,
      isMissing: trouble.reason === 'unsupported' && options.command === undefined,
      output: [],
    }
  }
}

/** -T and -p bound the time of a network that swallows packets; its own exit code says little (facts: rc 0 with all downloads failed). */
async function fetchCrl({ dir, listsDir, stateDir }: UpdateOptions): Promise<readonly string[]> {
  if (dir === undefined || listsDir === undefined)
    throw new Trouble('auth', 'there is no place for revocation lists: set CRL_DIR to a directory of yours')
  await makeDir(listsDir)
  if (stateDir !== undefined) await makeDir(stateDir)
  return [
    'fetch-crl',
    ...['--infodir', dir, '--output', listsDir],
    ...(stateDir === undefined ? [] : ['--statedir', stateDir]),
    ...['-T', '10', '-p', '10'],
  ]
}

async function makeDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Trouble(
      'auth',
      `${path} cannot be made (${codeOf(error) ?? String(error)}): set CRL_DIR`,
      error,
    )
  }
}
