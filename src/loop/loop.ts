// The loop: sleep, wake, observe, decide, act. The one place that acts. Policy is in decide/, effects are in act-*.ts.

import type { Action, Decision } from '../decide/action.ts'
import { decide } from '../decide/decide.ts'
import type { Observation, RunningSeen } from '../decide/observation.ts'
import { Fenced } from '../disk/put.ts'
import type { WatchFolder } from '../wishes/watch.ts'
import { codeOf, sentence, toTrouble } from '../words/reason.ts'
import type { DataState } from '../words/status.ts'
import { actAdopt, actFetch } from './act-fetch.ts'
import { actList } from './act-list.ts'
import { actComplete, actMended, actProblem, actRemove, actRename, actWithdraw } from './act-requests.ts'
import { actClean, actLoad, actProbe } from './act-small.ts'
import type { ConfigFile } from './configFile.ts'
import type { DataWatch } from './dataWatch.ts'
import type { House } from './house.ts'
import { emptyNotes, lookAround, observe } from './observe.ts'
import { openRequestBook } from './requests.ts'
import { failureOf } from './work.ts'

/** Passes lie so far apart at least (DESIGN.md, The loop). */
const passMs = 100
/** A plain look at requests/ and watch/ finds what shares and bind mounts never announce (rule 8). */
const lookMs = 30_000
/** The same while something runs: a request that a person deleted stops its transfer within this. */
const busyLookMs = 5_000
/** After a look at the disk that failed. */
const diskAgainMs = 5_000
/** After an unexpected failure a NAME is left alone for so long, so that nothing spins. */
const restMs = 60_000

type Running = RunningSeen & {
  ending: boolean
  readonly controller: AbortController
  readonly done: Promise<void>
}

export type Loop = {
  /** Something may have changed; `around` when it may be in a directory (a wish, a file event). */
  wake(around: boolean): void
  waiting(name: string): { readonly reason: string; readonly message: string } | undefined
  troubles(): readonly string[]
  state(): { readonly state: DataState; readonly message: string }
  /** Ends what runs, with what came checkpointed; resolves when nothing runs. */
  stop(): Promise<void>
  /** rejects when the loop itself breaks: the disk is whole, the daemon ends */
  readonly broken: Promise<never>
}

export function startLoop(
  house: House,
  parts: { readonly watch: WatchFolder; readonly config: ConfigFile; readonly data: DataWatch },
): Loop {
  const { world } = house
  const book = openRequestBook(house.root, world)
  const notes = emptyNotes()
  const running = new Map<number, Running>()
  /** NAME or file -> when it may be acted on again after an unexpected failure */
  const leftAlone = new Map<string, number>()
  let count = 0
  let stopped = false
  let aroundDue = true
  let lastAround = 0
  let settleAt = Number.POSITIVE_INFINITY
  let decision: Decision = { actions: [], waiting: new Map(), wakeAt: 0 }
  let rouse: (() => void) | undefined
  let dueNow = false
  let breakDown: (error: unknown) => void = () => {}
  const broken = new Promise<never>((_resolve, reject) => {
    breakDown = reject
  })
  broken.catch(() => {}) // main.ts waits for it; until then it is nobody's unhandled rejection
  let tail: Promise<void> = Promise.resolve()

  function wake(around: boolean): void {
    if (around) aroundDue = true
    dueNow = true
    rouse?.()
  }

  async function sleep(ms: number): Promise<void> {
    if (dueNow || ms <= 0) return
    await new Promise<void>(resolve => {
      // setTimeout fires at once beyond 24.8 days (facts/faults.md 1a).
      const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
      rouse = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    rouse = undefined
  }

  async function run(): Promise<void> {
    while (!stopped) {
      dueNow = false
      const began = performance.now()
      await passSafely()
      if (stopped) return
      await sleepHard(passMs - (performance.now() - began))
      const now = world.now()
      const nextLook = lastAround + lookEvery()
      await sleep(
        Math.min(decision.wakeAt, settleAt, nextLook, nextRestEndsAt(), parts.data.nextCheckAt()) - now,
      )
    }
  }

  /** A disk that fails for a while (EIO, no handles left) holds the loop up and does not end it; a fault of ours does. */
  async function passSafely(): Promise<void> {
    try {
      await pass()
    } catch (error) {
      if (error instanceof Fenced) throw error
      const trouble = toTrouble(error)
      if (trouble.reason === 'bug') throw error
      house.log('rucio_downloader', `looking at the data directory: ${trouble.message}`)
      parts.data.trouble(trouble)
      aroundDue = true
      decision = { actions: [], waiting: new Map(), wakeAt: world.now() + diskAgainMs }
      dueNow = false
    }
  }

  function lookEvery(): number {
    return running.size > 0 ? busyLookMs : lookMs
  }

  function isLeftAlone(what: string): boolean {
    const leftMs = (leftAlone.get(what) ?? 0) - world.now()
    // Longer than a rest can be: the clock was set back.
    return leftMs > 0 && leftMs <= restMs
  }

  function nextRestEndsAt(): number {
    for (const what of [...leftAlone.keys()]) if (!isLeftAlone(what)) leftAlone.delete(what)
    return Math.min(Number.POSITIVE_INFINITY, ...leftAlone.values())
  }

  async function pass(): Promise<void> {
    const state = await parts.data.check()
    const ready = state === 'ready'
    const now = world.now()
    if (ready && (aroundDue || now >= settleAt || now - lastAround >= lookEvery() || now < lastAround)) {
      aroundDue = false
      lastAround = now
      const requests = await lookAround(house, book, notes)
      const watched = await parts.watch.look()
      const soon = Math.min(requests ?? Number.POSITIVE_INFINITY, watched ?? Number.POSITIVE_INFINITY)
      settleAt = now + soon
      await parts.config.look()
    }
    // What was read and opened of a disk that has gone is of no use when it is back.
    if (state === 'data_dir_missing' && running.size === 0) await house.works.unloadAll()
    const config = parts.config.current()
    const data: Observation['data'] = ready && config === undefined ? 'held' : dataOf(state)
    const seen = await observe(house, book, notes, [...running.values()], data)
    const before = decision
    decision = decide(seen, now, config ?? parts.config.fallback)
    for (const action of decision.actions) carryOut(action)
    if (before.waiting.size !== decision.waiting.size) house.changed()
  }

  function carryOut(action: Action): void {
    switch (action.kind) {
      case 'stop':
      case 'yield':
        for (const each of running.values()) {
          if (each.name !== action.name) continue
          each.ending = true
          if (action.kind === 'stop') each.controller.abort()
        }
        return
      default:
        if (!isLeftAlone(subject(action))) begin(action)
    }
  }

  function begin(action: Exclude<Action, { kind: 'stop' | 'yield' }>): void {
    const key = count++
    const controller = new AbortController()
    const entry: Running = {
      ...describe(action),
      ending: false,
      controller,
      // A microtask later, so that `entry` is there when the effect asks for it.
      done: Promise.resolve()
        .then(() => effect(action, controller.signal, () => entry.ending))
        .catch(error => failed(action, error, controller.signal))
        .finally(() => {
          running.delete(key)
          forgetRead(action)
          house.changed('name' in action && action.kind !== 'rename' ? action.name : undefined)
          wake(action.kind !== 'fetch' && action.kind !== 'adopt' && action.kind !== 'load')
        }),
    }
    running.set(key, entry)
  }

  async function effect(
    action: Exclude<Action, { kind: 'stop' | 'yield' }>,
    signal: AbortSignal,
    ending: () => boolean,
  ): Promise<void> {
    const wish = 'name' in action ? book.wishes().find(each => each.name === action.name) : undefined
    switch (action.kind) {
      case 'list':
        return await actList(house, action, signal)
      case 'load':
        return await actLoad(house, action, notes)
      case 'adopt':
        return await actAdopt(house, action.name, signal)
      case 'fetch':
        return await actFetch(house, action, parts.config.current() ?? parts.config.fallback, ending, signal)
      case 'complete':
        return wish === undefined ? undefined : await actComplete(house, book, wish)
      case 'remove':
        return wish === undefined ? undefined : await actRemove(house, book, wish)
      case 'withdraw':
        return wish === undefined ? undefined : await actWithdraw(house, book, wish)
      case 'clean':
        return await actClean(house, action.name)
      case 'rename':
        return await actRename(house, action.file, action.name)
      case 'problem':
        return await actProblem(house, book, action.file, action.message)
      case 'mended':
        return await actMended(house, book, action.file)
      case 'probe':
        return await actProbe(house, signal)
    }
  }

  /** What an action may have changed is read anew. */
  function forgetRead(action: Exclude<Action, { kind: 'stop' | 'yield' }>): void {
    if ('name' in action && action.kind !== 'fetch' && action.kind !== 'adopt')
      notes.heads.delete(action.name)
  }

  function failed(action: Action, error: unknown, signal: AbortSignal): void {
    if (error instanceof Fenced) {
      breakDown(error)
      return
    }
    if (signal.aborted || stopped) return
    const trouble = toTrouble(error)
    const what = subject(action)
    house.log('rucio_downloader', `${action.kind} ${what}: ${trouble.message}`)
    if (trouble.reason === 'bug' && error instanceof Error && codeOf(error) === undefined)
      house.log('rucio_downloader', error.stack ?? error.message)
    parts.data.trouble(trouble)
    leftAlone.set(what, world.now() + restMs)
    house.works.unload(what).catch(each => house.log('rucio_downloader', `${what}: ${String(each)}`))
  }

  tail = run().catch(breakDown)

  return {
    wake,
    broken,
    waiting(name) {
      const failure = house.listFailures.get(name)
      const why = decision.waiting.get(name)
      if (why !== undefined) return { reason: why.reason, message: sentence(why.reason, why.detail) }
      if (failure !== undefined) return { reason: failure.reason, message: failure.message }
      const work = house.works.get(name)
      return work === undefined ? undefined : failureOf(work)
    },
    troubles() {
      const rest = house.catalogue.seen()
      return [
        ...(rest.until > 0 && rest.message !== undefined ? [rest.message] : []),
        ...parts.config.problems(),
        ...parts.data.problems(),
      ]
    },
    state: () => (stopped ? { state: 'stopping', message: 'The daemon is ending.' } : parts.data.seen()),
    async stop() {
      stopped = true
      for (const each of running.values()) each.controller.abort()
      wake(false)
      await tail
      await Promise.all([...running.values()].map(each => each.done))
      await house.works.unloadAll()
    },
  }
}

function dataOf(state: DataState): Observation['data'] {
  if (state === 'ready') return 'ready'
  return state === 'read_only' ? 'read_only' : 'missing'
}

function describe(action: Exclude<Action, { kind: 'stop' | 'yield' }>): Omit<RunningSeen, 'ending'> {
  switch (action.kind) {
    case 'fetch':
      return { kind: 'fetch', name: action.name, bytes: action.bytes, priority: action.priority }
    case 'rename':
    case 'problem':
    case 'mended':
      return { kind: 'odd', name: action.file, bytes: 0, priority: 0 }
    case 'probe':
      return { kind: 'probe', name: '', bytes: 0, priority: 0 }
    case 'withdraw':
      return { kind: 'remove', name: action.name, bytes: 0, priority: 0 }
    default:
      return { kind: action.kind, name: action.name, bytes: 0, priority: 0 }
  }
}

/** What an action is about: a NAME, a file of requests/, or the catalogue. */
function subject(action: Action): string {
  return 'name' in action && action.kind !== 'rename' ? action.name : 'file' in action ? action.file : ''
}

/** A pause that nothing shortens. */
async function sleepHard(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
}
