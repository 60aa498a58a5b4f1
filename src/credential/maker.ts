// Keeps a proxy good: makes it when there is none, and anew long before it ends. Never touches a proxy that somebody else makes.

import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type Attempt, renewalAt } from '../decide/renewal.ts'
import { pause } from '../outside/abort.ts'
import { clean, codeOf, Trouble, toTrouble } from '../words/reason.ts'
import { toIso, type World } from '../words/world.ts'
import { makeProxy, type ProxyOptions } from './attempt.ts'
import { type Pair, readPair } from './certificate.ts'
import { openPasswords, type PasswordOptions } from './password.ts'
import { endOf, misfit } from './proxy-judge.ts'
import { makePlace, removeOrphanedKeys } from './proxy-place.ts'
import { wrongPassword } from './said.ts'

export type MakerOptions = ProxyOptions & { readonly password: PasswordOptions }

export type MakerSeen = {
  /** when the next one is due, ms since 1970; Infinity = not before something changes */
  readonly nextAt: number
  /** of the one that we hold; undefined without one */
  readonly madeAt: number | undefined
  readonly refusal: { readonly message: string; readonly at: number } | undefined
  /** what should be known of the one that was made last */
  readonly complaint: string | undefined
}

export type Maker = {
  seen(): MakerSeen
  /** Resolves when it is known whether there is a proxy: after the first try, if one was due. */
  readonly first: Promise<void>
  /** Ends a try that is under way. */
  close(): Promise<void>
}

const usualTimes = {
  /** A sleep of the machine, and a clock that was set, are noticed within this. */
  lookMs: 60_000,
  /** After a failure: the user mends it now, and looks for what comes of it. Some stats. */
  eagerMs: 3_000,
  leastMs: 1_000,
}
const jumpMs = 60_000

/** @param on.say a line for the log grid_cert
 *  @param on.hide told of each password before it is used
 *  @param on.changed there is another proxy, or something else to tell */
export function openMaker(
  options: MakerOptions,
  world: World,
  on: {
    readonly say: (text: string) => void
    readonly hide: (secret: string) => void
    readonly changed: () => void
  },
  times = usualTimes,
): Maker {
  const ending = new AbortController()
  const passwords = openPasswords(options.password, passwordPathOf(options.proxyPath), on.hide)
  let last: Attempt = { kind: 'never' }
  let triedWith = ''
  let seen: MakerSeen = { nextAt: 0, madeAt: undefined, refusal: undefined, complaint: undefined }
  let settle: () => void = () => {}
  const first = new Promise<void>(resolve => {
    settle = resolve
  })

  async function look(jumped: boolean): Promise<void> {
    const handed = await passwords.takeHanded()
    const signature = [await signatureOf(options), await passwords.signature()].join('\n')
    const held = await readHeld(options, world.now())
    // What a sleep may have changed is the network, or a clock that was set right; a password it has not.
    const woken = jumped && seen.refusal?.message !== wrongPassword
    const changed = handed || woken || signature !== triedWith
    if (renewalAt({ held, last, changed, now: world.now() }) > world.now()) return tell(held)
    triedWith = signature
    await attempt(held?.pair)
    tell(await readHeld(options, world.now()))
  }

  async function attempt(held: Pair | undefined): Promise<void> {
    const password = await passwords.current()
    const known = { password: password instanceof Trouble ? undefined : password, held, now: world.now }
    const outcome =
      password instanceof Trouble
        ? ({ kind: 'refused', again: 'change', message: password.detail } as const)
        : await makeProxy(options, known, line => on.say(`voms-proxy-init: ${line}`), ending.signal)
    const at = world.now()
    if (outcome.kind === 'refused') {
      last = { kind: 'failed', at, again: outcome.again }
      const message = clean(outcome.message, 500)
      if (message !== seen.refusal?.message) on.say(`no proxy was made: ${message}`)
      seen = { ...seen, refusal: { message, at } }
      return
    }
    seen = { ...seen, refusal: undefined }
    if (outcome.kind === 'same') {
      last = { kind: 'same', at }
      return
    }
    const { pair } = outcome
    last = { kind: 'done', at }
    seen = { ...seen, complaint: outcome.complaint }
    on.say(`a proxy of ${pair.identity} was made, until ${toIso(endOf(pair))}`)
    // Whatever else is as it was, the file is another.
    on.changed()
  }

  function tell(held: Held | undefined): void {
    const before = JSON.stringify(seen)
    // Between two looks everything that could change it has been seen.
    const nextAt = renewalAt({ held, last, changed: false, now: world.now() })
    seen = { ...seen, nextAt, madeAt: held?.madeAt }
    if (JSON.stringify(seen) !== before) on.changed()
  }

  async function goOn(): Promise<void> {
    try {
      const keys = await removeOrphanedKeys()
      if (keys > 0) on.say(`${keys} keys that a killed voms-proxy-init had left in /tmp were removed`)
    } catch (error) {
      on.say(`what a killed voms-proxy-init may have left in /tmp could not be looked for: ${String(error)}`)
    }
    let jumped = false
    let before = { wall: world.now(), steady: performance.now() }
    while (!ending.signal.aborted) {
      try {
        await look(jumped)
      } catch (error) {
        if (ending.signal.aborted) return
        const { message } = toTrouble(error)
        if (message !== seen.refusal?.message) on.say(`the proxy could not be looked after: ${message}`)
        last = { kind: 'failed', at: world.now(), again: 'network' }
        seen = { ...seen, refusal: { message: clean(message), at: world.now() }, nextAt: 0 }
        on.changed()
      }
      settle()
      const most = seen.refusal === undefined ? times.lookMs : times.eagerMs
      await pause(Math.min(most, Math.max(times.leastMs, seen.nextAt - world.now())), ending.signal)
      const now = { wall: world.now(), steady: performance.now() }
      jumped = Math.abs(now.wall - before.wall - (now.steady - before.steady)) > jumpMs
      before = now
    }
  }

  const going = goOn()
  return {
    seen: () => seen,
    first,
    async close() {
      ending.abort()
      settle()
      await going
    },
  }
}

/** Where `desktop-rucio password` lays one for the daemon that keeps this proxy. */
export function passwordPathOf(proxyPath: string): string {
  return proxyPath.replace(/(\.pem)?$/, '.password')
}

type Held = { readonly pair: Pair; readonly madeAt: number; readonly end: number }

/** The proxy that lies there, if it is one that is wanted. */
async function readHeld(options: MakerOptions, now: number): Promise<Held | undefined> {
  try {
    await makePlace(options.proxyPath)
    const found = await stat(options.proxyPath)
    const text = await readFile(options.proxyPath, 'latin1')
    const pair = readPair(text, text, options.proxyPath)
    const user = new X509Certificate(await readFile(options.certPath, 'latin1'))
    if (pair instanceof Trouble || misfit(pair, options.voms, user, now) !== undefined) return undefined
    // A proxy begins five minutes before it was made, so that clocks may differ.
    const from = Math.max(pair.from, pair.voms?.from ?? 0)
    const madeAt = found.mtimeMs > now ? from : Math.max(from, found.mtimeMs)
    return { pair, madeAt, end: endOf(pair) }
  } catch {
    // Absent, broken, not to be read: then none is held, and the try to make one says why that fails.
    return undefined
  }
}

/** Changes when anything does that a try depends on, save the password. */
async function signatureOf(options: MakerOptions): Promise<string> {
  const { certPath, keyPath, vomses, caDir, env } = options
  const programs = (env['PATH'] ?? '').split(delimiter).map(dir => join(dir, 'voms-proxy-init'))
  const parts = [certPath, keyPath, vomses, caDir, env['X509_VOMS_DIR'], ...programs].map(async path => {
    if (path === undefined) return ''
    try {
      const { mtimeMs, size, ino, mode } = await stat(path)
      return `${mtimeMs} ${size} ${ino} ${mode}`
    } catch (error) {
      return codeOf(error) ?? 'error'
    }
  })
  return (await Promise.all(parts)).join('\n')
}
