// A practice grid with a few datasets and an empty directory, for the tests of one fault each. Knows no rule of what must hold.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults } from '../../src/practice/grid.ts'
import { type Daemon, type DaemonOptions, startDaemon } from '../help/daemon.ts'
import { startPracticeChild } from '../help/practice-child.ts'
import { practiceEnv } from '../help/practice-env.ts'
import { openChance } from './chance.ts'
import { type Looks, openLooks } from './looks.ts'
import { Model } from './model.ts'
import { type Known, makeUniverse } from './universe.ts'

export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

export type Scene = {
  readonly dir: string
  readonly data: string
  readonly model: Model
  readonly looks: Looks
  dataset(index: number): Known
  /** @param options.checkpointSeconds 0.2 unless it is said */
  start(options?: Partial<DaemonOptions> & { readonly checkpointSeconds?: number }): Daemon
  /** bytes of all files that the storage has sent so far */
  sentBytes(): Promise<number>
  setFaults(faults: Partial<Faults>): Promise<void>
  close(): Promise<void>
}

/** @param options.bigMib size of the two big files of each dataset
 *  @param options.schemes of the storage's addresses
 *  @param options.env beyond what leads to the grid, once `dir` is there */
export async function openScene(options: {
  readonly files: number
  readonly bigMib: readonly [number, number]
  readonly schemes?: readonly string[]
  readonly env?: (dir: string) => Promise<Readonly<Record<string, string>>>
}): Promise<Scene> {
  const rses = ['ONE']
  const { seed, datasets } = makeUniverse(openChance(7), { datasets: 2, ...options, rses, corrupt: 0 })
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-crash-'))
  const data = join(dir, 'data')
  await mkdir(data)
  const { schemes } = options
  const grid = await startPracticeChild({
    seed,
    rses,
    ...(schemes === undefined ? {} : { schemes: { ONE: schemes } }),
  })
  const settings = { ...(await practiceEnv(grid, dir)), ...(await options.env?.(dir)) }
  const model = new Model(datasets)
  const daemons: Daemon[] = []
  return {
    dir,
    data,
    model,
    looks: openLooks(data, model),
    dataset(index) {
      const found = datasets[index]
      if (found === undefined) throw new Error(`there is no dataset ${index}`)
      return found
    },
    start({ checkpointSeconds = 0.2, ...more } = {}) {
      const env = { ...settings, DESKTOP_RUCIO_CHECKPOINT_EVERY: `${checkpointSeconds}` }
      const daemon = startDaemon({ data, env, ...more })
      daemons.push(daemon)
      return daemon
    },
    sentBytes: async () => (await grid.sent()).reduce((sum, { from, to }) => sum + to - from, 0),
    setFaults: faults => grid.setFaults('ONE', faults),
    async close() {
      for (const daemon of daemons) if (!daemon.hasEnded()) await daemon.kill()
      await grid.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export async function call(url: string, path: string, method = 'GET'): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(15_000) })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

export function ds(url: string, { did }: Known, method = 'GET'): Promise<Answer> {
  return call(url, `/ds?ds_name=${encodeURIComponent(did)}`, method)
}

/** Looks again and again until it is so.
 *  @throws when it is not after `ms`, with what was seen last */
export async function until<T>(
  what: string,
  ms: number,
  look: () => Promise<T>,
  isSo: (seen: T) => boolean,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    const seen = await look()
    if (isSo(seen)) return seen
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms; last ${JSON.stringify(seen)}`)
    await sleep(50)
  }
}

/** Is it so at every look for so long? */
export async function always(
  what: string,
  ms: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    const wrong = await look()
    if (wrong !== undefined) throw new Error(`${what}: ${wrong}`)
    await sleep(100)
  }
}
