// A run of many lives: keeps what is measured, and puts the looks after each death together. The rules are in the files it calls.

import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Daemon, startDaemon } from '../help/daemon.ts'
import type { PracticeChild } from '../help/practice-child.ts'
import { practiceEnv } from '../help/practice-env.ts'
import { type Web, waitForWords } from './asks.ts'
import type { Chance } from './chance.ts'
import { type Hand, keptAside, mendAll, seeAnswers, wishesKept, wrongAnswers } from './hands.ts'
import { openLedger } from './ledger.ts'
import { age, bustle, isSettled, pause, weather } from './life.ts'
import { openLooks } from './looks.ts'
import type { Model } from './model.ts'
import type { Played } from './played.ts'
import { untidy } from './tidy.ts'

/** Every so many rounds the lock of the killed one is not aged: the restart waits for it as it would outside. */
const patientEvery = 20
const finaleMs = 150_000
/** An engine that must begin a file anew after each drop fails more often, and waits 5 minutes at the most before it tries again. */
const finaleAnewMs = 400_000

export type Run = {
  /** @returns what was wrong in this round */
  round(number: number): Promise<readonly string[]>
  /** Fair weather, all texts mended: everything comes to the end that was answered. */
  finale(): Promise<readonly string[]>
  summary(): string
}

export async function openRun(options: {
  readonly dir: string
  readonly grid: PracticeChild
  readonly rses: readonly string[]
  readonly model: Model
  readonly chance: Chance
  /** programs that bring the bytes */
  readonly played?: Played
  /** of config.json; it knows no part of a file */
  readonly engine?: 'rucio'
}): Promise<Run> {
  const { dir, grid, rses, model, chance, played, engine } = options
  const resumes = engine !== 'rucio'
  const data = join(dir, 'data')
  await mkdir(data)
  const settings = await practiceEnv(grid, dir)
  // With rare checkpoints a gentle end has much to save, with frequent ones a kill has much to respect.
  const env = () => ({
    ...settings,
    ...played?.env(chance),
    DESKTOP_RUCIO_CHECKPOINT_EVERY: chance.is(0.7) ? '0.2' : '10',
  })
  const looks = openLooks(data, model)
  const ledger = openLedger(data, model, resumes)
  const hand: Hand = { data, model, chance, looks }
  const starts: number[] = []
  const patientStarts: number[] = []
  const ends: number[] = []
  let faults: string[] = []
  let kills = 0
  let startKills = 0
  let orphans = 0
  let before: Parameters<typeof ledger.close>[1]
  /** what programs of a life before were sent until this one ended them */
  let early: Awaited<ReturnType<typeof grid.sent>> = []
  const web = (url: string): Web => ({ url, model, looks, fault: text => void faults.push(text) })
  const taken = (): readonly string[] => {
    const all = faults
    faults = []
    return all
  }

  async function atWork(daemon: Daemon, patient: boolean): Promise<string | undefined> {
    const url = await Promise.race([daemon.ready, sleep(20_000, undefined, { ref: false })])
    const ms = Math.round(daemon.readyMs() ?? 20_000)
    ;(patient ? patientStarts : starts).push(ms)
    if (ms > 10_000) faults.push(`at work after ${ms} ms: ${daemon.said()}`)
    const staging = await readdir(join(data, '.rucio', 'staging'))
    if (staging.length !== 1) faults.push(`staging/ of other lives was left: ${staging.join(' ')}`)
    return url ?? undefined
  }

  /** What a daemon of before has left running writes beside the new one, into files that it may be about to take: it must be ended first. */
  async function mustBeEnded(before: readonly number[]): Promise<void> {
    if (played === undefined) return
    // One that was about to begin when its daemon died is not known to run yet, and brings bytes all the same.
    early = await grid.sent()
    await grid.forgetSent()
    const still = (await played.running()).filter(pid => before.includes(pid))
    if (still.length > 0) faults.push(`programs of a life before run beside this one: ${still.join(' ')}`)
  }

  async function killAtWork(daemon: Daemon): Promise<void> {
    kills += 1
    // As the end of a container or of a session does it; else they outlive it, where nothing ends them with it.
    if (played !== undefined && chance.is(0.5)) await Promise.all([daemon.kill(), played.kill()])
    else await daemon.kill()
    orphans += (await played?.running())?.length ?? 0
  }

  /** Some die when a program has just begun. */
  async function whenPlaying(signal: AbortSignal): Promise<void> {
    const before = (await played?.running()) ?? []
    while (!signal.aborted) {
      await pause(20, signal)
      const now = (await played?.running()) ?? []
      if (now.some(pid => !before.includes(pid))) return await pause(chance.between(0, 250), signal)
    }
  }

  async function live(daemon: Daemon, url: string): Promise<void> {
    const living = new AbortController()
    const busy = bustle(hand, web(url), living.signal)
    try {
      // Some live long enough for what a person wrote to settle, which takes 2 s.
      const lifeMs = chance.is(0.25) ? chance.between(2500, 6000) : chance.between(50, 2500)
      // Some die at the very moment at which something was answered.
      const after = chance.is(0.4) ? chance.between(1, 12) : Number.POSITIVE_INFINITY
      const early = [model.whenAnswered(after)]
      if (played !== undefined && chance.is(0.5)) early.push(whenPlaying(living.signal))
      await Promise.race([sleep(lifeMs), ...early])
      if (daemon.hasEnded()) faults.push(`it ended by itself: ${daemon.said()}`)
      else if (chance.is(0.12)) await endGently(daemon)
      else await killAtWork(daemon)
    } finally {
      living.abort()
      await busy
    }
  }

  async function endGently(daemon: Daemon): Promise<void> {
    const there = await ledger.read()
    const { code, signal, ms } = await daemon.end()
    ends.push(Math.round(ms))
    // When the disk takes longer than it waits, what was not synced may go; what was must not.
    before = { there, hadTime: ms < 3000 }
    if (code !== 0 || ms > Number(process.env['END_MS'] ?? 5000))
      faults.push(`SIGTERM ended it after ${Math.round(ms)} ms with ${code ?? signal}: ${daemon.said()}`)
  }

  /** Everything that must hold at each instant, and so right after a death. */
  async function autopsy(): Promise<void> {
    faults.push(...(await looks.everything()))
    faults.push(...(await untidy({ data, model, when: 'dead' })))
    await seeAnswers(hand)
    faults.push(...(await wishesKept(hand)))
    const sent = await grid.sent()
    await grid.forgetSent()
    faults.push(...(await ledger.close(sent, before, early)))
    before = undefined
    early = []
  }

  return {
    async round(number) {
      for (const rse of rses) await grid.setFaults(rse, weather(chance, resumes))
      const patient = number > 1 && number % patientEvery === 1
      const left = (await played?.running()) ?? []
      const daemon = startDaemon({ data, env: env() })
      const starting = new AbortController()
      const busy = number === 1 ? Promise.resolve() : bustle(hand, undefined, starting.signal)
      if (number > 1 && !patient && chance.is(0.15)) {
        startKills += 1
        await sleep(chance.between(50, 700))
        starting.abort()
      } else {
        const url = await atWork(daemon, patient)
        starting.abort()
        await busy
        await mustBeEnded(left)
        if (number === 1)
          await writeFile(
            join(data, 'config.json'),
            JSON.stringify({ reserve_bytes: 0, datasets_at_once: 3, engine: engine ?? 'auto' }),
          )
        if (url !== undefined) await live(daemon, url)
      }
      if (!daemon.hasEnded()) await daemon.kill()
      await busy
      await autopsy()
      await age(data, (number + 1) % patientEvery !== 1)
      return taken()
    },
    async finale() {
      for (const rse of rses) await grid.setFaults(rse, { rate: 0, dropEvery: 0 })
      const left = (await played?.running()) ?? []
      const daemon = startDaemon({ data, env: env() })
      const url = await atWork(daemon, true)
      await mustBeEnded(left)
      if (url === undefined) return taken()
      await mendAll(hand)
      const late = await waitForWords(
        web(url),
        async (known, word) => {
          await seeAnswers(hand)
          return isSettled(model, known, word) && !model.isAwaited(known.name)
        },
        resumes ? finaleMs : finaleAnewMs,
      )
      faults.push(...late)
      for (const known of model.all)
        if (model.isOnly(known.name, 'whole'))
          faults.push(...(await looks.missing(known)).map(each => `${known.name}: ${each}`))
      // Answers follow their datasets with a look at watch/, 30 s later at the most.
      let wrong = await wrongAnswers(hand)
      for (let look = 0; wrong.length > 0 && look < 40; look++) {
        await sleep(1000)
        wrong = await wrongAnswers(hand)
      }
      faults.push(...wrong)
      await endGently(daemon)
      const alive = (await played?.running()) ?? []
      if (alive.length > 0) faults.push(`programs run after a gentle end: ${alive.join(' ')}`)
      await autopsy()
      faults.push(...(await untidy({ data, model, when: 'rest' })), ...(await keptAside(hand)))
      return taken()
    },
    summary() {
      const { sent, again, checkpointed, most } = ledger.totals()
      const counts = [...model.counts].map(([what, count]) => `${what} ${count}`).join(', ')
      return [
        ...(played === undefined ? [] : [`${orphans} programs outlived their daemon`]),
        `${kills} kills at work, ${startKills} while it started, ${ends.length} ends by SIGTERM (most ${Math.max(0, ...ends)} ms)`,
        `at work after ${median(starts)} ms (most ${Math.max(0, ...starts)}); where the lock was not aged ${patientStarts.join(', ')} ms`,
        `${mib(sent)} MiB sent, ${mib(again)} MiB of them twice within one life; ${mib(checkpointed)} MiB found to lie there after deaths; at most ${mib(most)} MiB of a file on the way at a gentle end`,
        counts,
      ].join('\n')
    },
  }
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[all.length >> 1] ?? 0
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
