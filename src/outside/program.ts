// One child program: an argument list, a spelt-out environment, a time limit. Never a shell, never the daemon's own environment.

import { execa } from 'execa'
import { codeOf, Trouble } from '../words/reason.ts'

export type ProgramAsk = {
  /** a name that is looked for in PATH of `env`, or an absolute path */
  readonly program: string
  readonly args: readonly string[]
  /** all that the child gets. No secret: other users of a machine may read it (/proc/PID/environ) */
  readonly env: Readonly<Record<string, string>>
  /** written to its standard input, which is empty without it. The place for a secret */
  readonly input?: string
  readonly cwd?: string
  /** then it and all that it has started are ended */
  readonly timeoutMs: number
  /** its pid, which what it leaves behind may be named after */
  readonly onStart?: (pid: number) => void
  /** what it says, as it says it */
  readonly onOutput?: (text: string) => void
}

export type Ran = {
  readonly pid: number
  /** null when a signal ended it */
  readonly code: number | null
  readonly timedOut: boolean
  /** the last 64 KiB of each stream. Not filtered: whoever shows it takes secrets out first */
  readonly stdout: string
  readonly stderr: string
}

const mostKept = 64 * 1024
/** From SIGTERM to SIGKILL. */
const graceMs = 2_000

/** Runs it to its end. It leads a process group of its own, which is ended as a whole by the time limit and by `signal`; the promise
 *  settles when the child itself is gone.
 *  @returns whatever its exit code is; `signal` ends it like the time limit does, and the reason of `signal` is thrown
 *  @throws Trouble('unsupported') when there is no such program, Trouble('disk_error') when it cannot be started */
export async function runProgram(ask: ProgramAsk, signal: AbortSignal): Promise<Ran> {
  signal.throwIfAborted()
  const child = execa(ask.program, [...ask.args], {
    env: { ...ask.env },
    extendEnv: false,
    preferLocal: false,
    detached: true,
    // A detached child outlives us all the same where we are killed.
    cleanup: false,
    reject: false,
    buffer: false,
    stdout: 'pipe',
    stderr: 'pipe',
    ...(ask.input === undefined ? { stdin: 'ignore' as const } : { input: ask.input }),
    ...(ask.cwd === undefined ? {} : { cwd: ask.cwd }),
  })
  const { pid } = child
  if (pid !== undefined) ask.onStart?.(pid)
  let killing: NodeJS.Timeout | undefined
  const end = (): void => {
    if (pid === undefined || killing !== undefined) return
    endGroup(pid, 'SIGTERM')
    killing = setTimeout(() => endGroup(pid, 'SIGKILL'), graceMs)
  }
  let timedOut = false
  const limit = setTimeout(() => {
    timedOut = true
    end()
  }, ask.timeoutMs)
  signal.addEventListener('abort', end, { once: true })
  const stdout = tailOf(child.stdout, ask.onOutput)
  const stderr = tailOf(child.stderr, ask.onOutput)
  try {
    const result = await child
    if (pid === undefined) throw notStarted(ask.program, result)
    // What it had started and left behind holds its pipes and its files.
    endGroup(pid, 'SIGKILL')
    signal.throwIfAborted()
    return { pid, code: result.exitCode ?? null, timedOut, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(limit)
    clearTimeout(killing)
    signal.removeEventListener('abort', end)
  }
}

function endGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch (error) {
    // The whole group has gone already.
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

function tailOf(stream: NodeJS.ReadableStream, tell: ((text: string) => void) | undefined): () => string {
  let kept = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    kept = (kept + text).slice(-mostKept)
    tell?.(text)
  })
  return () => kept
}

function notStarted(program: string, result: unknown): Trouble {
  const code = codeOf(result) ?? codeOf((result as { readonly cause?: unknown }).cause) ?? 'no code'
  return code === 'ENOENT'
    ? new Trouble('unsupported', `there is no ${program} on this machine`)
    : new Trouble('disk_error', `${program} cannot be started (${code})`)
}
