// The loop: sleep, wake, observe, decide, act. The one place that acts. Policy is in decide/, effects are in act-*.ts.

import { type Action, type Decision, subject } from '../decide/action.ts'
import { decide } from '../decide/decide.ts'
import type { Observation, RunningSeen } from '../decide/observation.ts'
import { Fenced } from '../disk/put.ts'
import type { WatchFolder } from '../wishes/watch.ts'
import { codeOf, sentence, toTrouble } from '../words/reason.ts'
import type { DataState } from '../words/status.ts'
import { carryOut, type Grounds } from './act.ts'
import type { ConfigFile } from './configFile.ts'
import type { Daemon } from './daemon.ts'
import type { DataWatch } from './dataWatch.ts'
import { changesDirectories, describe, type Effect } from './effect.ts'
import { openHolds } from './holds.ts'
import { emptyNotes, lookAround, observe } from './observe.ts'
import { forgetRule } from './observe-rule.ts'
import { openRequestBook, type RequestBook, type Wish } from './requests.ts'
import { failureOf } from './work-seen.ts'

/** Passes lie so far apart at least (DESIGN.md, The loop). */
const passMs = 100
/** A plain look at requests/ and watch/ finds what shares and bind mounts never announce (rule 8). */
const lookMs = 30_000
/** The same while something runs: a request that a person deleted stops its transfer within this. */
const busyLookMs = 5_000
/** After a look at the disk that failed. */
const diskAgainMs = 5_000
/** While thousands of wishes come each of them wakes the loop, and each look reads them all: looks rest so many times as long as they
 *  took, 4 s at the most. */
const lookRestTimes = 4
const lookRestMost = 4_000

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
  daemon: Daemon,
  parts: {
    readonly watch: WatchFolder
    readonly config: ConfigFile
    readonly data: DataWatch
    /** requests/ or watch/ was made anew: file events of the old one are dead */
    readonly renewHints: () => void
  },
): Loop {
  const { world } = daemon
  const book = openRequestBook(daemon.root, world)
  const notes = emptyNotes()
  const running = new Map<number, Running>()
  const holds = openHolds(world)
  /** NAMEs whose work is given up when nothing runs for them any more */
  const spoilt = new Set<string>()
  /** why the last pass could not read the disk */
  let stumbled: string | undefined
  let count = 0
  let stopped = false
  /** as the last pass found DATA */
  let isReady = false
  let aroundDue = true
  let lastAround = 0
  /** of performance.now() */
  let mayLookAt = 0
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
  const grounds: Grounds = { daemon, book, notes, config: parts.config, forWish }

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
      const beganAt = world.now()
      const ok = await passSafely()
      if (stopped) return
      await sleepHard(passMs - (performance.now() - began))
      const now = world.now()
      // A clock that was set back meanwhile: what is due was said by the one before, and would lie hours away.
      if (now < beganAt) continue
      // On a disk that is not there or not ours to write no look is made, so none is due.
      const lookDue = aroundDue ? now : Math.min(lastAround + lookEvery(), settleAt)
      const nextLook = isReady ? Math.max(lookDue, now + mayLookAt - performance.now()) : now + lookMs
      const due = Math.min(decision.wakeAt, nextLook, holds.nextEndsAt(), parts.data.nextCheckAt())
      // Whatever else is due: a disk that has just failed is left alone for a while.
      await sleep(ok ? due - now : diskAgainMs)
    }
  }

  /** A disk that fails for a while (EIO, no handles left) holds the loop up and does not end it; a fault of ours does.
   *  @returns false when the pass could not be made */
  async function passSafely(): Promise<boolean> {
    try {
      await pass()
      if (stumbled !== undefined) daemon.log('rucio_downloader', 'the data directory can be looked at again')
      stumbled = undefined
      return true
    } catch (error) {
      if (error instanceof Fenced) throw error
      const trouble = toTrouble(error)
      if (trouble.reason === 'bug') throw error
      const message = sentence(trouble.reason, trouble.detail)
      if (message !== stumbled) daemon.log('rucio_downloader', `looking at the data directory: ${message}`)
      stumbled = message
      parts.data.trouble(trouble)
      aroundDue = true
      dueNow = false
      return false
    }
  }

  function lookEvery(): number {
    return running.size > 0 ? busyLookMs : lookMs
  }

  async function pass(): Promise<void> {
    const state = await parts.data.check()
    isReady = state === 'ready'
    const now = world.now()
    const lookDue = aroundDue || now >= settleAt || now - lastAround >= lookEvery() || now < lastAround
    if (isReady && lookDue && performance.now() >= mayLookAt) {
      const began = performance.now()
      aroundDue = false
      lastAround = now
      const requests = await lookAround(daemon, book, notes, parts.renewHints)
      await unloadUnwanted()
      const watched = await parts.watch.look()
      const limits = await parts.config.look(now)
      settleAt = now + Math.min(...[requests, watched, limits].map(ms => ms ?? Number.POSITIVE_INFINITY))
      const ended = performance.now()
      mayLookAt = ended + Math.min(lookRestMost, lookRestTimes * (ended - began))
    }
    // What was read and opened of a disk that has gone is of no use when it is back.
    if (state === 'data_dir_missing' && running.size === 0) await daemon.works.unloadAll()
    const config = parts.config.current()
    const data: Observation['data'] = isReady && config === undefined ? 'no_limits' : dataOf(state)
    const seen = await observe(
      daemon,
      book,
      notes,
      { running: [...running.values()], holds: holds.keys() },
      data,
      config ?? parts.config.fallback,
    )
    const before = decision
    decision = decide(seen, now, config ?? parts.config.fallback)
    for (const action of decision.actions) order(action)
    if (before.waiting.size !== decision.waiting.size) daemon.changed()
  }

  function order(action: Action): void {
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
        begin(action)
    }
  }

  function begin(action: Effect): void {
    const key = count++
    const controller = new AbortController()
    const entry: Running = {
      ...describe(action),
      ending: false,
      controller,
      // A microtask later, so that `entry` is there when the effect asks for it.
      done: Promise.resolve()
        .then(() => carryOut(grounds, action, controller.signal, () => entry.ending))
        .catch(error => failed(action, error, controller.signal))
        .then(async () => {
          running.delete(key)
          forgetRead(action)
          await unloadSpoilt(subject(action))
          daemon.changed('name' in action && action.kind !== 'rename' ? action.name : undefined)
          wake(changesDirectories(action))
        })
        .catch(breakDown),
    }
    running.set(key, entry)
  }

  async function forWish(
    action: Effect & { readonly name: string },
    act: (daemon: Daemon, book: RequestBook, wish: Wish) => Promise<boolean>,
  ): Promise<void> {
    const { name } = action
    const wish = book.wishes().find(each => each.name === name)
    if (wish === undefined || (await act(daemon, book, wish))) return
    holds.changed(action, name)
  }

  /** What an action may have changed is read anew. */
  function forgetRead(action: Effect): void {
    if (!('name' in action) || action.kind === 'fetch' || action.kind === 'adopt') return
    notes.heads.delete(action.name)
    forgetRule(notes.rules, action.name)
    if (action.kind === 'list' && !daemon.listFailures.has(action.name))
      notes.queries = notes.queries.filter(each => each.name !== action.name)
  }

  /** Nobody wants it now, or it is paused: its file handle and its memory are given back. */
  async function unloadUnwanted(): Promise<void> {
    const wanted = new Set(book.wishes().flatMap(each => (isWanted(each) ? [each.name] : [])))
    for (const name of [...daemon.works.keys()])
      if ((!wanted.has(name) || notes.rules.elsewhere.has(name)) && !runsFor(name))
        await daemon.works.unload(name)
  }

  async function unloadSpoilt(name: string): Promise<void> {
    if (!spoilt.has(name) || runsFor(name)) return
    spoilt.delete(name)
    await daemon.works.unload(name)
  }

  function runsFor(name: string): boolean {
    return [...running.values()].some(each => each.name === name)
  }

  function failed(action: Action, error: unknown, signal: AbortSignal): void {
    if (error instanceof Fenced) {
      breakDown(error)
      return
    }
    if (signal.aborted || stopped) return
    const trouble = toTrouble(error)
    const what = subject(action)
    daemon.log('rucio_downloader', `${action.kind} ${what}: ${trouble.message}`)
    if (trouble.reason === 'bug' && error instanceof Error && codeOf(error) === undefined)
      daemon.log('rucio_downloader', error.stack ?? error.message)
    parts.data.trouble(trouble)
    const { reason } = trouble
    // Another kind of action is another matter: a removal goes on where fetching failed.
    holds.failed(action, what, { reason, message: sentence(reason, trouble.detail) })
    // Its other lanes end first: they write through the same records.
    spoilt.add(what)
    for (const each of running.values()) {
      if (each.name !== what) continue
      each.ending = true
      each.controller.abort()
    }
  }

  tail = run().catch(breakDown)

  return {
    wake,
    broken,
    waiting(name) {
      const failure = daemon.listFailures.get(name)
      const why = decision.waiting.get(name)
      if (why !== undefined)
        return { reason: why.reason, message: why.message ?? sentence(why.reason, why.detail) }
      if (failure !== undefined) return { reason: failure.reason, message: failure.message }
      const hold = holds.failureOf(name)
      if (hold !== undefined) return hold
      const [problem] = parts.config.problems()
      if (parts.config.current() === undefined && problem !== undefined)
        return { reason: 'refused', message: problem }
      const work = daemon.works.get(name)
      return work === undefined ? undefined : failureOf(work)
    },
    troubles() {
      const rest = daemon.catalogue.seen()
      return [
        ...(rest.until > 0 && rest.reason !== undefined ? [sentence(rest.reason, rest.detail ?? '')] : []),
        ...(stumbled === undefined ? [] : [stumbled]),
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
      await daemon.works.unloadAll()
    },
  }
}

function isWanted({ request }: Wish): boolean {
  return !request.remove && !request.paused
}

function dataOf(state: DataState): Observation['data'] {
  if (state === 'ready') return 'ready'
  return state === 'read_only' ? 'read_only' : 'missing'
}

/** A pause that nothing shortens. */
async function sleepHard(ms: number): Promise<void> {
  if (ms > 0) await new Promise(resolve => setTimeout(resolve, ms))
}
