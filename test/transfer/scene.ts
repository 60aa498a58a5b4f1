// A storage that misbehaves, a data directory and a transfer between them, for the tests of this room.

import { mkdir, readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { layout, type Root } from '../../src/disk/layout.ts'
import { VerifiedLog } from '../../src/disk/lines.ts'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { setLoopbackAllowed } from '../../src/outside/request.ts'
import {
  bytesOf,
  type Faults,
  type PracticeGrid,
  type SeedFile,
  startPracticeGrid,
} from '../../src/practice/grid.ts'
import { checksumOf, pathOf, type ReplicaKind } from '../../src/practice/seed.ts'
import { type Fetched, openTransfer, type Transfer } from '../../src/transfer/engine.ts'
import type { Limits } from '../../src/transfer/limits.ts'
import type { Programs } from '../../src/transfer/program.ts'
import { openPrograms } from '../../src/transfer/programs.ts'
import { type Config, defaultConfig } from '../../src/words/config.ts'
import type { ListingLine } from '../../src/words/listing.ts'
import { readSidecar, type Sidecar } from '../../src/words/part.ts'
import { type Pfn, parsePfn } from '../../src/words/pfn.ts'
import type { FileReplicas } from '../../src/words/replica.ts'
import { dataDir } from '../disk/root.ts'
import { world } from '../help/data.ts'

export const MiB = 2 ** 20
export const never = new AbortController().signal
const name = 'user.test.ds'
const open: Scene[] = []

/** Quick, so that a test of a time-out is quick too; not so quick that a busy machine runs into one. */
export const quick: Partial<Limits> = {
  connectMs: 1500,
  headersMs: 1000,
  idleMs: 1000,
  slowMs: 1000,
  slowBytes: 1000,
  lookMs: 100,
}

export type Scene = {
  readonly grid: PracticeGrid
  readonly root: Root
  readonly line: ListingLine
  readonly replicas: FileReplicas
  readonly logged: string[]
  transfer: Transfer
  readonly log: VerifiedLog
  fetch(signal?: AbortSignal, config?: Partial<Config>): Promise<Fetched>
  /** forgets all that is in memory, as a kill does */
  restart(): Promise<void>
  sidecar(): Promise<Sidecar | undefined>
  /** bytes over the line by RSE, and of all */
  sent(rse?: string): number
  /** the file under its final name is the right one */
  isRight(): Promise<boolean>
  end(): Promise<void>
}

/** @param at RSE -> what lies there; in the catalogue's order */
export async function openScene(
  at: Readonly<Record<string, ReplicaKind>>,
  options: {
    readonly bytes?: number
    readonly checksums?: SeedFile['checksums']
    readonly faults?: Readonly<Record<string, Partial<Faults>>>
    readonly schemes?: Readonly<Record<string, readonly string[]>>
    readonly limits?: Partial<Limits>
    readonly others?: readonly string[]
    readonly renewedAt?: () => number
    readonly fenced?: boolean
    /** bearer token for storages */
    readonly token?: string
    /** VOMS attributes of the proxy that is shown; none is shown without them */
    readonly attributes?: readonly string[]
    readonly dir?: string
    /** engines that are programs, in the place of those that this machine may have */
    readonly programs?: (root: Root, tell: (text: string) => void) => Programs
  } = {},
): Promise<Scene> {
  const file: SeedFile = {
    scope: 'user.test',
    name: 'a.root',
    bytes: options.bytes ?? 3 * MiB + 7,
    checksums: options.checksums ?? ['adler32'],
    replicas: at,
  }
  const rses = Object.keys(at)
  const grid = await startPracticeGrid({
    seed: { datasets: [{ scope: 'user.test', name: 'ds', open: false, files: [file] }], containers: [] },
    rses: [...rses, ...(options.others ?? [])],
    ...(options.schemes === undefined ? {} : { schemes: options.schemes }),
  })
  for (const [rse, faults] of Object.entries(options.faults ?? {})) await grid.setFaults(rse, faults)
  setLoopbackAllowed(true, new Set())
  const root = await dataDir({
    fenced: options.fenced ?? false,
    ...(options.dir === undefined ? {} : { dir: options.dir }),
  })
  await mkdir(layout.parts(root, name), { recursive: true })
  await mkdir(layout.stagings(root))
  const log = await VerifiedLog.open(root, name)
  const { attributes } = options
  const bare = createSecureContext({ ca: grid.caPem })
  const identity = makeIdentity({
    bare,
    ...(attributes === undefined ? { certificate: undefined } : { certificate: bare, attributes }),
  })
  const logged: string[] = []
  const sums = file.checksums.map(async each => [each, await checksumOf(file, 'good', each)] as const)
  const line: ListingLine = {
    did: 'user.test:a.root',
    path: 'a.root',
    bytes: file.bytes,
    ...Object.fromEntries(await Promise.all(sums)),
  }
  const start = () =>
    openTransfer({
      root,
      world,
      log: (_, text) => logged.push(text),
      identity: async () => identity,
      token: async () => options.token,
      limits: { ...quick, ...options.limits },
      programs: options.programs?.(root, text => logged.push(text)) ?? openPrograms(),
      ...(options.renewedAt === undefined ? {} : { renewedAt: options.renewedAt }),
    })
  const scene: Scene = {
    grid,
    root,
    line,
    logged,
    log,
    replicas: {
      did: line.did,
      bytes: file.bytes,
      refused: 0,
      replicas: rses.map((rse, i) => ({
        pfn: parsePfn(
          `${options.schemes?.[rse]?.[0] ?? 'davs'}://${grid.rse(rse)}/rucio/${pathOf(file.scope, file.name)}`,
        ) as Pfn,
        rse,
        type: 'DISK' as const,
        priority: i + 1,
        clientExtract: false,
      })),
    },
    transfer: await start(),
    fetch: (signal = never, config = {}) =>
      scene.transfer.fetchFile(
        {
          name,
          line,
          replicas: scene.replicas,
          log,
          config: { ...defaultConfig, ...config },
          replicasOf: async did => ({ did, bytes: 0, replicas: [], refused: 0 }),
          async *unfinished() {
            yield line.did
          },
        },
        signal,
      ),
    async restart() {
      scene.transfer = await start()
    },
    async sidecar() {
      try {
        return readSidecar(JSON.parse(await readFile(layout.sidecar(root, name, 'a.root'), 'utf8')))
      } catch {
        // Absent: the tests ask for just that.
        return undefined
      }
    },
    sent: rse =>
      grid
        .sent()
        .reduce((sum, each) => sum + (rse === undefined || each.rse === rse ? each.to - each.from : 0), 0),
    async isRight() {
      const there = await readFile(layout.file(root, name, 'a.root'))
      return Buffer.compare(there, bytesOf(file, 0, file.bytes)) === 0
    },
    async end() {
      await scene.transfer.close()
      await log.close()
      retireIdentity(identity)
      await grid.stop()
    },
  }
  open.push(scene)
  return scene
}

/** For test.after.each: whatever a test came to, no port stays open. */
export async function endScenes(): Promise<void> {
  for (const scene of open.splice(0)) await scene.end()
}

/** `reason costs` or `reason free` of a try that failed. */
export async function failureOf(scene: Scene): Promise<string> {
  const fetched = await scene.fetch()
  return fetched.kind === 'failed'
    ? `${fetched.failure.reason} ${fetched.costs ? 'costs' : 'free'}`
    : fetched.kind
}

export async function untilSent(scene: Scene, bytes: number): Promise<void> {
  await until(async () => scene.sent() >= bytes)
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 5))
}
