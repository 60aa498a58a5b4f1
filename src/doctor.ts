// The command `doctor`, and the same for GET /doctor: what a transfer needs, looked at and told. Never takes the lease, never mends.

import { openRucio } from './catalogue/rucio.ts'
import { parseServer } from './catalogue/server.ts'
import { openCredential } from './credential/credential.ts'
import { names } from './disk/read.ts'
import { closeRoot, NotOurs, openRoot } from './disk/root.ts'
import { checkupOf, examine } from './doctor/examine.ts'
import type { Needs } from './doctor/needs.ts'
import type { ServeOptions } from './options.ts'
import type { Wrong } from './options-given.ts'
import { isLoopbackName } from './outside/address.ts'
import { setLoopbackAllowed } from './outside/request.ts'
import { bad, type Checkup, type Finding } from './words/checkup.ts'
import type { Env } from './words/env.ts'
import { Trouble, toTrouble } from './words/reason.ts'
import type { World } from './words/world.ts'

/** Findings that are this old are told again: whoever asks over and over starts no work by it. */
const keepMs = 5_000

/** For a terminal, beside a daemon or without one. @returns the exit code: 1 when something is bad */
export async function runDoctor(
  options: ServeOptions | Wrong,
  env: Env,
  place: { readonly world: World; readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<number> {
  const { world, signal, say } = place
  const checkup =
    'message' in options
      ? checkupOf(
          [bad('configuration', `${options.message}.`, 'desktop-rucio --help lists the options.')],
          world.now(),
        )
      : await examineAlone(options, env, world, signal)
  for (const finding of checkup.findings) for (const line of linesOf(finding)) say(line)
  const counted = (state: Finding['state']): number =>
    checkup.findings.filter(each => each.state === state).length
  say('')
  say(
    checkup.healthy
      ? `All that a transfer needs is there (${counted('warning')} warnings).`
      : `${counted('bad')} of ${checkup.findings.length} checks are bad, ${counted('warning')} warn.`,
  )
  return checkup.healthy ? 0 : 1
}

/** For a daemon: at most one examination at a time, whoever asks for it. @param signal the daemon ends */
export function openDoctor(needs: Needs, signal: AbortSignal): () => Promise<Checkup> {
  let running: Promise<Checkup> | undefined
  return () => {
    running ??= (async () => {
      try {
        return await examine(needs, signal)
      } finally {
        // Timers of a daemon that ends must not keep it.
        setTimeout(() => {
          running = undefined
        }, keepMs).unref()
      }
    })()
    return running
  }
}

async function examineAlone(
  options: ServeOptions,
  env: Env,
  world: World,
  signal: AbortSignal,
): Promise<Checkup> {
  const server = parseServer(options.rucio.rucioHost)
  setLoopbackAllowed(!(server instanceof Trouble) && isLoopbackName(server.host), new Set())
  const root = await rootOf(options, world)
  const credential = await openCredential(options.credential, world)
  // A login through a browser is kept by the daemon.
  const rucio =
    options.rucio.authType === 'oidc' || server instanceof Trouble
      ? undefined
      : openRucio(options.rucio, credential, () => {}, world)
  try {
    return await examine({ options, env, credential, rucio, root, world }, signal)
  } finally {
    credential.close()
    if (!('message' in root)) await closeRoot(root)
  }
}

async function rootOf(options: ServeOptions, world: World): Promise<Needs['root']> {
  const { data: dir, dataId } = options
  const id = dataId === undefined ? {} : { dataId }
  try {
    return (await openRoot({ dir, ...id, fenced: false, make: false, world })).root
  } catch (error) {
    const message = error instanceof NotOurs ? error.message : `${dir}: ${toTrouble(error).detail}.`
    return { message, isEmpty: dataId === undefined && error instanceof NotOurs && (await isEmpty(dir)) }
  }
}

async function isEmpty(dir: string): Promise<boolean> {
  try {
    return (await names(dir)).length === 0
  } catch {
    // What openRoot() said of it is what counts.
    return false
  }
}

function linesOf({ check, state, message, advice }: Finding): string[] {
  const first = `${state.padEnd(8)} ${check.padEnd(17)} ${message}`
  return advice === null ? [first] : [first, `${' '.repeat(27)}-> ${advice}`]
}
