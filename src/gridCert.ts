// grid_cert in GET /status: what is known of the credential, written down as it changes. Never asks a server itself.

import type { openCredential } from './credential/credential.ts'
import { layout } from './disk/layout.ts'
import { put } from './disk/put.ts'
import type { Daemon } from './loop/daemon.ts'

const tickMs = 60_000

export type Bell = {
  ring(): void
  /** Ends after the time, with the signal, or when it was rung since the last wait ended. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** A login that was refused is told at once, not at the next look in a minute. */
export function openBell(): Bell {
  let rung = false
  let answer: AbortController | undefined
  return {
    ring() {
      rung = true
      answer?.abort()
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted) {
        answer = new AbortController()
        const stop = (): void => answer?.abort()
        signal.addEventListener('abort', stop, { once: true })
        await timer(ms, answer.signal)
        signal.removeEventListener('abort', stop)
      }
      rung = false
    },
  }
}

/** status/grid_cert.json follows the credential; a wall clock that jumped (sleep) makes the loop look at once. */
export async function keepStatus(
  daemon: Daemon,
  credential: Awaited<ReturnType<typeof openCredential>>,
  bell: Bell,
  wake: (around: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = ''
  let told = ''
  let at = daemon.world.now()
  while (!signal.aborted) {
    try {
      const state = await credential.state()
      const text = JSON.stringify(state)
      if (text !== last) {
        await put(daemon.root, layout.status(daemon.root, 'grid_cert'), { format: 1, ...state })
        if (last !== '' || !state.is_good)
          daemon.log('grid_cert', state.is_good ? 'good' : (state.error ?? 'not good'))
        last = text
        daemon.changed()
      }
      told = ''
    } catch (error) {
      // Each minute while a disk is away; once is enough.
      const message = error instanceof Error ? error.message : String(error)
      if (message !== told) daemon.log('grid_cert', `its state could not be written: ${message}`)
      told = message
    }
    await bell.wait(tickMs, signal)
    const now = daemon.world.now()
    if (Math.abs(now - at - tickMs) > tickMs) wake(true)
    at = now
  }
}

/** Ends early with the signal, so that nothing keeps the process. */
export function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(running)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const running = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
