// Being logged in with OIDC while nobody sits at a terminal: a token is found, kept and refreshed, else a login is held open for a
// browser. Never shows the address to a log, and never asks on when nothing wants a token.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Identity } from '../outside/request.ts'
import { endOfToken } from '../words/auth.ts'
import { Trouble, toTrouble } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import { toIso, type World } from '../words/world.ts'
import type { Held } from './auth-call.ts'
import { askForLogin, fetchToken, loginLifeMs, type OidcOptions, refreshToken } from './oidc.ts'
import type { RucioOptions } from './rucio.ts'
import type { Server } from './server.ts'
import { readTokenFile, writeTokenFile } from './token-file.ts'

export type OidcLogin = {
  /** A token that should be good. Throws Trouble('auth') while nobody has logged in: a login is held open then */
  fresh(): Promise<Held>
  /** A call was refused for it: it is not shown again for a minute. */
  refused(token: string): void
  /** where a browser may log in now; undefined when nobody has to */
  url(): string | undefined
  close(): void
}

export type OidcTimes = {
  /** between two questions whether somebody has logged in: as the official client in its three minutes, and after them */
  readonly pollMs: number
  readonly slowPollMs: number
}

export const oidcTimes: OidcTimes = { pollMs: 2_000, slowPollMs: 10_000 }
const quickForMs = 180_000
// What waits for a token asks again within five minutes (loop/rest.ts).
const wantedForMs = 900_000
const refusedForMs = 60_000
const refreshAgainMs = 60_000
const lookAgainMs = 300_000

const pleaseLogIn =
  'nobody is logged in to Rucio: open the address that GET /status has as login_url in a browser, or run desktop-rucio login'
const pleaseRun = 'nobody is logged in to Rucio: run desktop-rucio login'

export function openOidcLogin(
  options: RucioOptions,
  oidc: OidcOptions,
  server: Server,
  means: {
    readonly identity: () => Promise<Identity>
    /** a token that WLCG's rules find: the official client takes it before any other */
    readonly bearer: () => Promise<string | undefined>
    /** somebody has logged in: what waits may go on */
    readonly loggedIn: () => void
    readonly log: Log
    readonly world: World
    readonly times: OidcTimes
  },
): OidcLogin {
  const { world, log, times } = means
  const refusals = new Map<string, number>()
  const closing = new AbortController()
  let mine: string | undefined
  /** what Rucio said of the end of a token */
  let told: { readonly token: string; readonly end: number } | undefined
  let refreshedAt = Number.NEGATIVE_INFINITY
  let open: { readonly url: string; readonly from: number } | undefined
  let wantedAt = 0
  /** a person is near */
  let attentionAt = 0
  let polling = false
  let said = ''

  function isRefused(token: string): boolean {
    const left = (refusals.get(token) ?? 0) - world.now()
    return left > 0 && left <= refusedForMs
  }

  /** Once for each thing that goes wrong. */
  function tell(text: string): void {
    if (text !== said) log('grid_cert', text)
    said = text
  }

  async function keep(token: string): Promise<void> {
    mine = token
    if (oidc.keptAt === undefined) return
    try {
      await writeTokenFile(oidc.keptAt, token)
    } catch (error) {
      tell(`${toTrouble(error).detail}; it is lost when the daemon ends`)
    }
  }

  /** A token that is there already; the file may have been written by `desktop-rucio login`. */
  async function find(): Promise<Held | undefined> {
    const now = world.now()
    const bearer = await means.bearer()
    if (bearer !== undefined && !isRefused(bearer))
      return { token: bearer, renewAt: now, end: endOfToken(bearer) ?? Number.POSITIVE_INFINITY }
    const lies = oidc.keptAt === undefined ? undefined : await readTokenFile(oidc.keptAt)
    for (const token of [lies, mine]) {
      if (token === undefined || isRefused(token)) continue
      const end = endOf(token)
      if (end !== undefined && end <= now) continue
      return await refreshed(token, end)
    }
    return undefined
  }

  function endOf(token: string): number | undefined {
    return told?.token === token ? told.end : endOfToken(token)
  }

  async function refreshed(token: string, end: number | undefined): Promise<Held> {
    const now = world.now()
    const at = end === undefined ? now : end - oidc.refreshBeforeMs
    if (now < at) return { token, renewAt: at, end: end ?? Number.POSITIVE_INFINITY }
    // Until its end the token that we have is as good as any.
    const same = { token, renewAt: now + lookAgainMs, end: end ?? Number.POSITIVE_INFINITY }
    if (end !== undefined) same.renewAt = Math.min(now + refreshAgainMs, end)
    const isEarly = now - refreshedAt < refreshAgainMs && now >= refreshedAt
    if (!oidc.refresh || options.account === undefined || isEarly) return same
    refreshedAt = now
    try {
      const next = await refreshToken(token, options, server, await means.identity())
      if (next === undefined) return same
      told = next
      if (next.token !== token) {
        await keep(next.token)
        log('grid_cert', `the login was renewed, until ${toIso(next.end)}`)
      }
      const renewAt = Math.max(now + refreshAgainMs, next.end - oidc.refreshBeforeMs)
      return { token: next.token, renewAt: Math.min(renewAt, next.end), end: next.end }
    } catch (error) {
      tell(`the login could not be renewed: ${toTrouble(error).detail}`)
      return same
    }
  }

  function isOpen(now: number, lifeMs: number): boolean {
    return open !== undefined && now >= open.from && now - open.from < lifeMs
  }

  async function hold(): Promise<void> {
    const now = world.now()
    // A new one before Rucio forgets the old one.
    if (isOpen(now, loginLifeMs - 10_000)) return
    open = { url: await askForLogin(options, oidc, server, await means.identity(), true), from: now }
  }

  async function poll(): Promise<void> {
    if (polling) return
    polling = true
    attentionAt = world.now()
    try {
      while (!closing.signal.aborted && world.now() - wantedAt < wantedForMs) {
        const quick = world.now() - attentionAt < quickForMs
        await sleep(quick ? times.pollMs : times.slowPollMs, undefined, {
          ref: false,
          signal: closing.signal,
        })
        try {
          if (await look()) return
        } catch (error) {
          if (closing.signal.aborted) return
          tell(`whether somebody has logged in could not be asked: ${toTrouble(error).detail}`)
        }
      }
    } catch (error) {
      // The wait was ended by close().
      if (!closing.signal.aborted) throw error
    } finally {
      polling = false
      open = undefined
    }
  }

  /** Is somebody logged in now? */
  async function look(): Promise<boolean> {
    if ((await find()) === undefined) {
      await hold()
      if (open === undefined) return false
      const token = await fetchToken(open.url, server, await means.identity(), closing.signal)
      if (token === undefined) return false
      refusals.delete(token)
      await keep(token)
    }
    said = ''
    open = undefined
    log('grid_cert', 'somebody has logged in')
    means.loggedIn()
    return true
  }

  return {
    async fresh() {
      wantedAt = world.now()
      const found = await find()
      if (found !== undefined) return found
      if (!oidc.polling) throw new Trouble('auth', pleaseRun)
      await hold()
      poll().catch(error => tell(`the wait for a login broke: ${String(error)}`))
      throw new Trouble('auth', pleaseLogIn)
    },
    refused(token) {
      for (const [each, until] of refusals) if (until <= world.now()) refusals.delete(each)
      refusals.set(token, world.now() + refusedForMs)
    },
    url() {
      // Whoever is shown it may log in within minutes.
      attentionAt = world.now()
      return isOpen(attentionAt, loginLifeMs) ? open?.url : undefined
    },
    close: () => closing.abort(),
  }
}
