// Authorities and revocation lists while the daemon runs: renewed once a day, their state in status/authorities.json, warnings in the log
// grid_cert. Never stops a transfer: strict mode is the check of a connection, not of this.

import type { AuthoritiesKeeper } from './credential/authorities.ts'
import { runUpdate, type UpdateOptions, updaterOf } from './credential/update.ts'
import { nextUpdate } from './decide/cert-update.ts'
import { layout, type Root } from './disk/layout.ts'
import { put } from './disk/put.ts'
import { readRecord } from './disk/read.ts'
import { pause } from './outside/abort.ts'
import { type AuthoritiesState, readAuthoritiesState } from './words/authorities.ts'
import { clean } from './words/reason.ts'
import type { Log } from './words/status.ts'
import { fromIso, toIso, type World } from './words/world.ts'

/** A clock that was set and a sleep are noticed within this time. */
const tickMs = 60_000

type Ground = {
  readonly root: Root
  readonly world: World
  readonly log: Log
  readonly changed: () => void
}
type Last = {
  readonly at: number
  readonly isGood: boolean
  readonly error: string | null
  readonly wasMissing: boolean
}

/** Until `signal` fires; a program that runs then is ended. */
export async function keepAuthorities(
  ground: Ground,
  keeper: AuthoritiesKeeper,
  options: UpdateOptions,
  signal: AbortSignal,
): Promise<void> {
  const { world, log } = ground
  const write = openWriter(ground)
  let last = await lastOf(ground)
  let warned = ''
  const tell = async (running: boolean): Promise<number> => {
    const now = world.now()
    const state = await stateOf({ keeper, options, last, running, now })
    // Numbers go up and down with every run; what they warn of is told when it changes.
    const text = state.warnings.join(' ')
    if (text !== warned) log('grid_cert', text === '' ? 'authorities: all is well again' : text)
    warned = text
    await write(state)
    return fromIso(state.update.next) ?? Number.POSITIVE_INFINITY
  }
  while (!signal.aborted) {
    const next = await tell(false)
    if (next <= world.now()) {
      await tell(true)
      const ended = await update(keeper, options, ground, signal)
      if (signal.aborted) return
      last = ended
      await tell(false)
    }
    await pause(tickMs, signal)
  }
}

async function update(
  keeper: AuthoritiesKeeper,
  options: UpdateOptions,
  { world, log }: Ground,
  signal: AbortSignal,
): Promise<Last> {
  const name = updaterOf(options)
  const began = world.now()
  try {
    const { error, isMissing, output } = await runUpdate(options, signal)
    keeper.renew()
    const { revocations } = await keeper.look()
    const hasFresh = (revocations?.counts(world.now()).fresh ?? 0) > 0
    // It says so by no exit code when every download failed.
    const brought =
      options.command !== undefined || hasFresh
        ? undefined
        : 'fetch-crl has brought no revocation list: is there a network, and do NAME.info or NAME.crl_url files lie beside the authorities?'
    const wrong = error ?? brought
    if (!isMissing) {
      for (const line of output) log('grid_cert', `${name}: ${clean(line, 500)}`)
      const seconds = Math.round((world.now() - began) / 1000)
      log('grid_cert', wrong === undefined ? `${name} ended well after ${seconds} s` : wrong)
    }
    return { at: world.now(), isGood: wrong === undefined, error: wrong ?? null, wasMissing: isMissing }
  } catch (error) {
    if (!signal.aborted)
      log('grid_cert', `${name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
    return { at: world.now(), isGood: false, error: 'it was interrupted', wasMissing: false }
  }
}

async function stateOf(what: {
  readonly keeper: AuthoritiesKeeper
  readonly options: UpdateOptions
  readonly last: Last | null
  readonly running: boolean
  readonly now: number
}): Promise<AuthoritiesState> {
  const { keeper, options, last, running, now } = what
  const { pems, expired, broken, revocations, newestListAt } = await keeper.look()
  const crl = revocations?.counts(now) ?? null
  // A command of the user's may renew more than lists.
  const lists = options.command === undefined ? newestListAt : undefined
  const next = options.off ? null : nextUpdate(last, lists, now)
  return {
    valid: pems.length,
    expired,
    broken,
    crl,
    warnings: warningsOf(crl, last, options.off),
    update: {
      by: last?.wasMissing === true ? null : updaterOf(options),
      running,
      ended: last === null ? null : toIso(last.at),
      next: next === null ? null : toIso(next),
      error: last?.error ?? null,
    },
  }
}

/** Sentences on revocation lists and on the program that should renew them; none where lists are no matter. */
export function warningsOf(
  crl: AuthoritiesState['crl'],
  last: { readonly error: string | null; readonly wasMissing: boolean } | null,
  isOff: boolean,
): string[] {
  const warnings: string[] = []
  const bad = crl === null ? 0 : crl.stale + crl.missing
  if (crl !== null && bad > 0) {
    const all = crl.fresh + bad
    warnings.push(
      `Of ${all} authorities ${crl.missing} have no revocation list and ${crl.stale} one that has run out; servers whose certificate they have revoked since are not known.`,
    )
    if (isOff) warnings.push('Nothing renews them here (CERT_UPDATE=0).')
    else if (last?.wasMissing === true)
      warnings.push(
        'Install fetch-crl (apt install fetch-crl, dnf install fetch-crl), or set CERT_UPDATE_COMMAND.',
      )
  }
  if (last?.wasMissing !== true && last?.error != null)
    warnings.push(`The last renewal failed: ${last.error}`)
  return warnings
}

async function lastOf({ root }: Ground): Promise<Last | null> {
  try {
    const state = await readRecord(root, layout.status(root, 'authorities'), readAuthoritiesState)
    const at = fromIso(state?.update.ended)
    if (state === undefined || at === undefined) return null
    const { error, by } = state.update
    // It may have been installed since: that is why people start a daemon anew.
    return by === null ? null : { at, isGood: error === null, error, wasMissing: false }
  } catch {
    // Its next write says what is the matter with the disk; a renewal more than needed does no harm.
    return null
  }
}

/** Writes what has changed, and tells of a disk that does not take it once. */
function openWriter({ root, log, changed }: Ground): (state: AuthoritiesState) => Promise<void> {
  let written = ''
  let told = ''
  return async state => {
    const text = JSON.stringify(state)
    if (text === written) return
    try {
      await put(root, layout.status(root, 'authorities'), { format: 1, ...state })
      written = text
      told = ''
      changed()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (message !== told) log('grid_cert', `the state of the authorities could not be written: ${message}`)
      told = message
    }
  }
}
