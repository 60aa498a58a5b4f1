// A process that holds the lease of a data directory, for tests that stop and kill one. Run as a program with
// DIR STALE_MS TRIES it is the holder; imported it starts one. Commands come on stdin, answers go out as JSON lines.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { layout } from '../../src/disk/layout.ts'
import { Held, takeLease } from '../../src/disk/lease.ts'
import { Fenced, put } from '../../src/disk/put.ts'
import { openRoot } from '../../src/disk/root.ts'
import { world } from '../help/data.ts'

export type Holder = {
  readonly child: ChildProcess
  /** Sends a command: put, release, exit. */
  send(command: string): void
  /** The next line that it tells; `end` when it has ended. */
  next(): Promise<Record<string, unknown>>
}

const usualStaleMs = 2000

/** Starts one. @param tries each 250 ms; then it tells `refused` */
export function startHolder(
  dir: string,
  { tries = 40, staleMs = usualStaleMs }: { tries?: number; staleMs?: number } = {},
): Holder {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), dir, String(staleMs), String(tries)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    send: command => void child.stdin.write(`${command}\n`),
    async next() {
      // Longer than any lease: a holder that says nothing is a failure, and no reason to wait for ever.
      const late = sleep(20_000, undefined, { ref: false }).then(() =>
        Promise.reject(new Error('it says nothing')),
      )
      const { value, done } = await Promise.race([lines.next(), late])
      return done === true ? { kind: 'end' } : (JSON.parse(value) as Record<string, unknown>)
    },
  }
}

/** Ends it, whatever state it is in. */
export async function stopHolder({ child }: Holder): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await hold()

async function hold(): Promise<void> {
  const [dir = '', staleMs = '', tries = ''] = process.argv.slice(2)
  const tell = (kind: string, more: object = {}): void =>
    void process.stdout.write(`${JSON.stringify({ kind, ...more })}\n`)
  const { root } = await openRoot({ dir, fenced: true, world })
  const warn = (text: string): void => tell('warn', { text })
  const times = { staleMs: Number(staleMs), updateMs: 1000, everyMs: 250, tries: Number(tries) }
  // 0: the times that a daemon has.
  const given = times.staleMs === 0 ? [] : [times]
  try {
    const { lease, previous } = await takeLease(root, world, () => tell('lost'), warn, ...given)
    tell('held', { bootId: root.bootId, previous: previous?.boot_id })
    for await (const command of createInterface({ input: process.stdin })) {
      if (command === 'exit') process.exit(0)
      if (command === 'release') {
        await lease.release()
        tell('released')
      }
      if (command === 'put')
        await put(root, layout.config(root), { by: root.bootId }).then(
          () => tell('written'),
          error => tell(error instanceof Fenced ? 'fenced' : String(error)),
        )
    }
  } catch (error) {
    if (!(error instanceof Held)) throw error
    tell('refused', { pid: error.owner?.pid, message: error.message })
  }
}
