// The daemon from start to exit code: data directory, port, lease, and what a start that fails tells. Holds no rule of its own.

import type { Root } from './disk/layout.ts'
import { Held } from './disk/lease.ts'
import { Fenced } from './disk/put.ts'
import { NotOurs, openRoot } from './disk/root.ts'
import type { ServeOptions } from './options.ts'
import { othersMayReach } from './options-access.ts'
import { pause } from './outside/abort.ts'
import { heldBy, whoHolds, withLease } from './serve-lease.ts'
import { run, type Streams } from './serve-run.ts'
import { type Site, startWeb, type Web, type WebOptions } from './web/server.ts'
import { codeOf, type Reason, sentence, Trouble } from './words/reason.ts'
import type { World } from './words/world.ts'

/** What a process ends with: 0 told to end, 1 could not start, 2 the configuration is wrong, 75 another daemon has taken over. */
export type ExitCode = 0 | 1 | 2 | 75

const startAgainMs = 5000
const ofTheDisk: readonly Reason[] = ['disk_full', 'disk_error', 'read_only']

type Place = {
  readonly world: World
  readonly version: string
  readonly signal: AbortSignal
  readonly streams: Streams
}

/** Runs until `signal` fires or the daemon cannot go on. */
export async function serve(options: ServeOptions, place: Place): Promise<ExitCode> {
  const { streams } = place
  const root = await openData(options, place)
  if (root === undefined) return 2
  let site: Site | undefined
  let waitsFor: string | undefined
  const web = await listen(options, root, place, { site: () => site, waitsFor: () => waitsFor })
  if (web === undefined) return 1
  const ground = { ...place, root, web }
  try {
    const refused = (text: string): void => {
      if (text !== waitsFor) streams.complain(`cannot begin yet: ${text}`)
      waitsFor = text
    }
    await whileTheDiskRefuses(refused, place.signal, async () => {
      await withLease({ ...ground, complain: streams.complain }, web.url, async (lease, lost) => {
        const open = (made: Site): void => {
          site = made
          waitsFor = undefined
        }
        try {
          await run(options, ground, { lease, lost, open })
        } finally {
          site = undefined
        }
      })
    })
    return 0
  } catch (error) {
    if (error instanceof Held) {
      streams.complain(heldBy(root, error))
      return 1
    }
    if (error instanceof Fenced) {
      streams.complain(`another daemon has taken over ${root.dir}; this one has stopped writing and ends`)
      return 75
    }
    throw error
  } finally {
    await web.close()
  }
}

/** @returns undefined, and has told why, when the directory is none of ours */
async function openData(
  { data: dir, dataId }: ServeOptions,
  { world, streams }: Place,
): Promise<Root | undefined> {
  try {
    const id = dataId === undefined ? {} : { dataId }
    const { root, made } = await openRoot({ dir, ...id, fenced: true, world })
    if (made) streams.complain(`made ${root.dir} a data directory with the id ${root.id}`)
    return root
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error
    streams.complain(error.message)
    return undefined
  }
}

/** @returns undefined, and has told why, when nothing can be listened on */
async function listen(
  options: ServeOptions,
  root: Root,
  { world, version, streams }: Place,
  seen: Pick<WebOptions, 'site' | 'waitsFor'>,
): Promise<Web | undefined> {
  const { hosts, port, socketPath } = options.web
  try {
    const web = await startWeb({ ...options.web, world, version, ...seen })
    const reach = await othersMayReach(options.web, hosts)
    if (reach !== undefined) streams.complain(reach)
    return web
  } catch (error) {
    const why = cannotListen(error, port)
    if (why === undefined && codeOf(error) !== 'EADDRINUSE') throw error
    streams.complain(
      why ??
        // The usual cause is a daemon that runs already, maybe on this very directory: then that is the thing to say.
        (await whoHolds(root, world)) ??
        (socketPath !== undefined && hosts.length === 0
          ? `${error instanceof Error ? error.message : String(error)}; choose another path with --socket`
          : `port ${port} is taken by another program; choose one with --port, or --port 0 for a free one`),
    )
    return undefined
  }
}

/** A full or read-only disk takes no lease. Ending would only make whoever watches over us start it again, and again. */
async function whileTheDiskRefuses(
  refused: (text: string) => void,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (; !signal.aborted; await pause(startAgainMs, signal)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Trouble) || !ofTheDisk.includes(error.reason)) throw error
      refused(sentence(error.reason, error.detail))
    }
  }
}

/** What a person has asked for and this machine does not give; undefined for all else. */
function cannotListen(error: unknown, port: number): string | undefined {
  const { address, hostname } = error as { readonly address?: unknown; readonly hostname?: unknown }
  switch (codeOf(error)) {
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `${String(address)} is no address of this machine; give another one with --host`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${String(hostname)} is a name that nobody knows; give an address of this machine with --host`
    case 'EACCES':
      return `this user may not listen on port ${port}; choose one above 1023 with --port`
    default:
      return undefined
  }
}
