// The daemon as users get it: bin/desktop-rucio in a process of its own, on a free port. Never outlives the tests, and knows processes
// by their pid alone.

import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type Daemon = {
  readonly pid: number
  /** resolves with its URL once it is at work; rejects with what it said when it ends before that */
  readonly ready: Promise<string>
  readonly ended: Promise<Ended>
  /** ms from the start to the first line; undefined before it */
  readyMs(): number | undefined
  hasEnded(): boolean
  /** all that it has said so far, on both streams */
  said(): string
  /** SIGKILL; resolves when the process is gone */
  kill(): Promise<void>
  /** SIGTERM; resolves when the process is gone */
  end(): Promise<Ended & { readonly ms: number }>
  send(signal: NodeJS.Signals): void
}

export type DaemonOptions = {
  readonly data: string
  /** beyond PATH; the settings of whoever runs the tests are none of the daemon's */
  readonly env: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** a program and arguments in front, as `unshare -p -f` */
  readonly through?: readonly string[]
}

const bin = fileURLToPath(new URL('../../../bin/desktop-rucio', import.meta.url))
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** @param options.data an existing directory */
export function startDaemon(options: DaemonOptions): Daemon {
  const [program = process.execPath, ...before] = [...(options.through ?? []), process.execPath]
  const began = performance.now()
  const child = spawn(
    program,
    [...before, bin, 'serve', '--data', options.data, '--port', '0', ...(options.args ?? [])],
    {
      // Neither its place nor its home is in DATA: that must be free to be unmounted, and nothing else may write there.
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  running.add(child)
  let text = ''
  let readyMs: number | undefined
  let over = false
  const ended = new Promise<Ended>(resolve => {
    child.once('close', (code, signal) => {
      running.delete(child)
      over = true
      resolve({ code, signal })
    })
  })
  const ready = new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      text += chunk.toString()
      const url = /^(http:\S+) serves /m.exec(text)?.[1]
      if (url === undefined || readyMs !== undefined) return
      readyMs = performance.now() - began
      resolve(url)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', reject)
    void ended.then(({ code, signal }) => reject(new Error(`it ended with ${code ?? signal}: ${text}`)))
  })
  ready.catch(() => {}) // whoever kills it while it starts does not wait for this
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    readyMs: () => readyMs,
    hasEnded: () => over,
    said: () => text,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async end() {
      const start = performance.now()
      child.kill('SIGTERM')
      return { ...(await ended), ms: performance.now() - start }
    },
    send: signal => void child.kill(signal),
  }
}
