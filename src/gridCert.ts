// grid_cert in GET /status: what is known of the credential, written down as it changes. Never asks a server itself.

import type { Credential } from './credential/credential.ts'
import { withClock, withMaker } from './credential/grid-cert.ts'
import { type Maker, type MakerOptions, openMaker } from './credential/maker.ts'
import { layout } from './disk/layout.ts'
import { put } from './disk/put.ts'
import type { Daemon } from './loop/daemon.ts'
import { pause } from './outside/abort.ts'
import type { Identity } from './outside/request.ts'
import { serverClock } from './outside/serverClock.ts'
import type { GridCert, Log } from './words/status.ts'
import type { World } from './words/world.ts'

const tickMs = 60_000
/** A server that hangs holds up what needs no proxy no longer than this. */
const firstMs = 10_000
const pingMs = 10_000

export type GridCertKeeper = {
  /** The credential for catalogue and storages: what they say of it is told at once, and the first proxy is waited for. */
  readonly credential: Credential
  /** somebody asks for the state now: the files are looked at */
  asked(): void
  /** status/grid_cert.json follows the credential until `signal` fires; a wall clock that jumped (sleep) makes the loop look at once.
   *  @param onAnother there is another credential: what waits for one is tried now */
  keep(
    daemon: Daemon,
    wake: (around: boolean) => void,
    onAnother: () => void,
    signal: AbortSignal,
  ): Promise<void>
  close(): Promise<void>
}

/** @param making undefined = nobody here makes a proxy */
export function openGridCert(
  files: Credential,
  making: { readonly options: MakerOptions; readonly hide: (secret: string) => void } | undefined,
  log: Log,
  world: World,
): GridCertKeeper {
  const bell = openBell()
  let maker: Maker | undefined
  let waited: Promise<void> | undefined

  function startMaking(): void {
    if (making === undefined) return
    const { options, hide } = making
    maker = openMaker(options, world, {
      say: text => log('grid_cert', text),
      hide,
      changed() {
        files.lookAgain()
        bell.ring()
      },
    })
    const late = new AbortController()
    waited = Promise.race([maker.first, pause(firstMs, late.signal)]).finally(() => late.abort())
  }

  async function identity(): Promise<Identity> {
    if (waited !== undefined) {
      await waited
      waited = undefined
    }
    return await files.identity()
  }

  return {
    credential: {
      ...files,
      identity,
      report(refusal) {
        files.report(refusal)
        bell.ring()
      },
    },
    asked: () => bell.ring(),
    async keep(daemon, wake, onAnother, signal) {
      startMaking()
      const tell = openTeller(daemon)
      let last: Identity | undefined
      let at = world.now()
      let asked: string | undefined
      while (!signal.aborted) {
        let wrong: string | undefined
        await tell(async () => {
          const cert = withMaker(await files.state(), maker?.seen())
          wrong = cert.error ?? cert.renewal?.error?.message
          return withClock(cert, serverClock())
        })
        // What makes proxies shows nobody's clock, and neither does a server that refuses before it answers.
        if (wrong !== undefined && wrong !== asked && serverClock() === undefined)
          void daemon.rucio
            .ping(AbortSignal.any([signal, AbortSignal.timeout(pingMs)]))
            .then(bell.ring, () => {}) // it is not there: then nothing is learnt of the clock
        asked = wrong
        const now = await files.identity()
        if (last !== undefined && last !== now) {
          onAnother()
          wake(false)
        }
        last = now
        await bell.wait(tickMs, signal)
        const woken = world.now()
        if (Math.abs(woken - at) > 2 * tickMs) wake(true)
        at = woken
      }
    },
    async close() {
      await maker?.close()
      files.close()
    },
  }
}

/** Writes the state where it is another than the last one. */
function openTeller(daemon: Daemon): (look: () => Promise<GridCert>) => Promise<void> {
  let last = ''
  let lastError: string | null = null
  let told = ''
  return async look => {
    try {
      const state = await look()
      const text = JSON.stringify(state)
      if (text !== last) {
        await put(daemon.root, layout.status(daemon.root, 'grid_cert'), { format: 1, ...state })
        if (state.error !== lastError)
          daemon.log('grid_cert', state.is_good ? 'good' : (state.error ?? 'not good'))
        lastError = state.error
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
  }
}

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
        await pause(ms, answer.signal)
        signal.removeEventListener('abort', stop)
      }
      rung = false
    },
  }
}
