// What the loop asks for bytes: one file at a time, from where it stands to its final name. Never lists, decides or asks Rucio.
//
// An engine is chosen by the scheme of a PFN, in decide/replicas.ts: https, davs and http are our own (lane.ts, https.ts), the others are
// programs (program.ts; programs.ts has the table). What no engine that is installed can fetch ends in Trouble('unsupported') there.

import { setMaxListeners } from 'node:events'
import type { Root } from '../disk/layout.ts'
import type { KnownParts } from '../disk/part.ts'
import { fence } from '../disk/put.ts'
import type { Identity } from '../outside/request.ts'
import type { Finished } from '../words/finished.ts'
import type { ProgressTable } from '../words/progress.ts'
import { toTrouble } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'
import { Archives } from './archive.ts'
import { type Fetched, fetchOne, type Job, type Place } from './file.ts'
import { follow } from './follow.ts'
import { Hosts } from './hosts.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { Lines } from './lines.ts'
import type { Programs } from './program.ts'
import { openPrograms } from './programs.ts'
import { Table } from './table.ts'
import type { Means } from './try.ts'

export type { Fetched, Job } from './file.ts'

/** Everything a transfer needs that outlives one file. Made once by main.ts. */
export type Transfer = {
  /** Brings one file from where it stands (part and sidecar on disk) to its final name, or writes the outcome of the try to its sidecar.
   *  Never throws for what happens outside; throws Fenced and bugs of ours.
   *  - 'finished': final name, line appended (the log is synced by the caller within a second)
   *  - 'failed': the sidecar holds tries, next_try, error (not when every replica lies behind a host at rest: then nothing was tried and
   *    nothing is written). `costs` false = a host at rest, auth, offline, disk_full, or bytes that came
   *    all the same: no try was used up
   *  - 'stopped': `signal` fired; synced bytes are checkpointed */
  fetchFile(job: Job, signal: AbortSignal): Promise<Fetched>
  /** bytes and rates of what is fetched now, for the web */
  readonly progress: ProgressTable
  /** hosts at rest now: `host:port` -> ms since 1970 */
  resting(): ReadonlyMap<string, number>
  /** There is another credential: hosts that rest because they took no notice of the old one are asked again. */
  forgetRefusals(): void
  /** checkpoint all parts that are open (SIGTERM), then close sockets */
  close(): Promise<void>
}

// DESIGN.md rule 7: half of the lease's stale of 8 s.
const trustedMs = 4_000

export async function openTransfer(options: {
  readonly root: Root
  readonly world: World
  readonly log: Log
  readonly identity: () => Promise<Identity>
  readonly token: () => Promise<string | undefined>
  /** ms since 1970 of the lease's last renewal: when it is older than 4 s, owner.json is read before each write to a part */
  readonly renewedAt?: () => number
  /** told of each file that got its name; returns at once, and never throws */
  readonly onFinished?: (file: Finished) => void
  readonly limits?: Partial<Limits>
  /** those of programs.ts unless a test has others */
  readonly programs?: Programs
}): Promise<Transfer> {
  const { root, world, log, identity, token, renewedAt, onFinished = () => {} } = options
  const tell = (text: string) => log('rucio_downloader', text)
  const hosts = await Hosts.open(root, world, tell)
  const lines = new Lines()
  const table = new Table()
  const known: KnownParts = new Map()
  const closing = new AbortController()
  // Each file that comes listens: up to 64, and Node would warn of the eleventh.
  setMaxListeners(0, closing.signal)
  const running = new Set<Promise<unknown>>()
  const place: Place = {
    root,
    world,
    known,
    table,
    async guard() {
      if (renewedAt !== undefined && world.now() - renewedAt() > trustedMs) await fence(root)
    },
    finished: onFinished,
  }
  const means: Means = {
    hosts,
    lines,
    limits: { ...defaultLimits, ...options.limits },
    identity,
    token,
    now: () => world.now(),
    chance: () => world.chance(),
    tell,
    programs: options.programs ?? openPrograms(),
  }
  const archives = new Archives(place, means)

  async function save(now: boolean): Promise<void> {
    try {
      await hosts.save(now)
    } catch (error) {
      // What is lost is learned again; Fenced will be met by the next write that matters.
      tell(`how the storages have done could not be written: ${toTrouble(error).message}`)
    }
  }

  return {
    async fetchFile(job, signal) {
      const { controller, letGo } = follow(signal, closing.signal)
      const fetching = fetchOne(place, { ...means, archives }, job, controller.signal)
      running.add(fetching)
      try {
        return await fetching
      } finally {
        letGo()
        running.delete(fetching)
        await save(false)
      }
    },
    progress: table.progress,
    resting: () => hosts.resting(),
    forgetRefusals: () => hosts.forgetRefusals(),
    async close() {
      closing.abort()
      await Promise.allSettled(running)
      await archives.close()
      await Promise.all(Object.values(means.programs).map(engine => engine.close?.()))
      lines.close()
      await save(true)
    },
  }
}
