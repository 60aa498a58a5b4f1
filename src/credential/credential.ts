// What this user shows to servers: certificate or proxy, token, and the authorities to verify them with, as they lie on disk now.
// Never offers what has expired: servers break every connection on which they see it, also where none is needed.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { makeIdentity, retireIdentity } from '../outside/identity.ts'
import type { Identity } from '../outside/request.ts'
import { setChainCheck } from '../outside/verified.ts'
import type { AuthType } from '../words/auth.ts'
import type { Env } from '../words/env.ts'
import { clean, codeOf, Trouble } from '../words/reason.ts'
import type { GridCert } from '../words/status.ts'
import { shortFqan } from '../words/voms.ts'
import { toIso, type World } from '../words/world.ts'
import {
  type Authorities,
  type AuthoritiesKeeper,
  type AuthoritiesOptions,
  openAuthorities,
} from './authorities.ts'
import { type Pair, readPair } from './certificate.ts'
import { describePair, warningsOf } from './grid-cert.ts'
import { findToken } from './token.ts'

export type CredentialOptions = AuthoritiesOptions & {
  readonly authType: AuthType
  /** X509_USER_PROXY, or undefined */
  readonly proxyPath?: string
  /** the proxy is one that we make (maker.ts, which says why when it is not there) */
  readonly ownProxy?: boolean
  readonly certPath?: string
  readonly keyPath?: string
  /** WLCG discovery order: BEARER_TOKEN, BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<uid>, /tmp/bt_u<uid>; read anew before each use */
  readonly env: Env
}

export type Credential = {
  /** Files are looked at (mtime) at most once in 5 s; changed files make a new Identity, the old one is closed when idle. */
  identity(): Promise<Identity>
  /** storage bearer token, if one is configured; never one that has expired */
  token(): Promise<string | undefined>
  state(): Promise<GridCert>
  /** What a server said of it: a sentence when it was refused (a login, say), undefined when it was taken. Counts in state().is_good. */
  report(refusal: string | undefined): void
  /** what servers are verified with */
  readonly authorities: AuthoritiesKeeper
  /** The files are not those of the last look: the next use looks at them. */
  lookAgain(): void
  close(): void
}

const lookEveryMs = 5_000
const readEveryMs = 3_600_000
const maxFileBytes = 2 ** 20

type Reading = {
  readonly at: number
  readonly signature: string
  readonly pair: Pair | Trouble | undefined
}

/** What the files said at the last look. */
type Seen = {
  readonly at: number
  /** names what the Identity was made from: another key, another Identity */
  readonly key: string
  readonly identity: Identity
  readonly pair: Pair | undefined
  readonly authorities: Authorities
  readonly errors: readonly string[]
  /** what OpenSSL said of the pair, once for each Identity */
  readonly unusable: string | undefined
}

/** With authType x509 certificate and key are shown, else the proxy, else certificate and key, to catalogue and storages alike.
 *  Files that are absent or broken are no error here: identity() comes without a certificate, state() says why. */
export async function openCredential(options: CredentialOptions, world: World): Promise<Credential> {
  const keeper = openAuthorities(options, world)
  /** New lists have come: not one connection more with the old ones. */
  let isDue = false
  let seen: Seen | undefined
  let looking: Promise<Seen> | undefined
  let reading: Reading | undefined
  let refusal: string | undefined
  /** A proxy is being replaced: the look before said the same. */
  let badBefore = false

  async function look(): Promise<Seen> {
    const now = world.now()
    // A clock that was set back must not stop the looks.
    if (seen !== undefined && !isDue && now - seen.at < lookEveryMs && now >= seen.at) return seen
    looking ??= lookAnew(now).finally(() => {
      looking = undefined
    })
    return looking
  }

  async function lookAnew(now: number): Promise<Seen> {
    isDue = false
    const signature = await signatureOf(options)
    if (reading?.signature !== signature || now - reading.at > readEveryMs || now < reading.at) {
      reading = { at: now, signature, pair: await readConfigured(options) }
    }
    const authorities = await keeper.look()
    const errors: string[] = []
    let pair = usable(reading.pair, now, errors)
    if (options.ownProxy === true && isAbsent(reading.pair)) errors.length = 0
    // voms-proxy-init unlinks the old proxy, then writes the new one: half a file is no reason to drop a good one at once.
    const held = seen?.pair
    if (pair === undefined && !badBefore && held !== undefined && held.end > now) {
      pair = held
      errors.length = 0
      badBefore = true
    } else badBefore = pair === undefined
    if (authorities.trouble !== undefined) errors.push(authorities.trouble.detail)
    const key = createHash('sha256')
      .update(JSON.stringify([authorities.key, pair?.cert, pair?.key]))
      .digest('hex')
    if (seen?.key === key) seen = { ...seen, at: now, errors, pair, authorities }
    else {
      if (seen !== undefined) {
        retireIdentity(seen.identity)
        // Another credential: what a server said of the old one says nothing of it.
        if (seen.pair?.cert !== pair?.cert || seen.pair?.key !== pair?.key) refusal = undefined
      }
      seen = {
        at: now,
        key,
        pair,
        authorities,
        errors,
        ...connectWith(authorities, pair, reading.pair !== undefined),
      }
    }
    return seen
  }

  const uid = process.geteuid?.()
  await look()
  return {
    identity: async () => (await look()).identity,
    token: async () => {
      const token = await findToken(options.env, uid)
      if (token === undefined || token instanceof Trouble) return undefined
      return token.end !== undefined && token.end <= world.now() ? undefined : token.text
    },
    state: async () => {
      const { pair, authorities, errors, unusable } = await look()
      const token = await findToken(options.env, uid)
      const all = [...errors, unusable, ...tokenErrors(token, world.now()), refusal].filter(
        each => each !== undefined,
      )
      const end = pair === undefined ? undefined : Math.min(pair.end, pair.voms?.end ?? pair.end)
      return {
        is_good: all.length === 0,
        identity: pair?.identity ?? null,
        proxy_ends: pair?.isProxy === true && end !== undefined ? toIso(end) : null,
        certificate_ends: pair === undefined ? null : toIso(pair.certificateEnd),
        token_ends:
          token === undefined || token instanceof Trouble || token.end === undefined
            ? null
            : toIso(token.end),
        error: all.length === 0 ? null : clean(all.join('; ')),
        ...(authorities.revocations === undefined
          ? {}
          : { crl: authorities.revocations.counts(world.now()) }),
        warnings: warningsOf(pair, world.now()),
        ...describePair(pair, shownProxy(options)),
      }
    },
    report: text => {
      refusal = text
    },
    authorities: {
      look: keeper.look,
      renew() {
        keeper.renew()
        isDue = true
      },
    },
    lookAgain: () => {
      isDue = true
    },
    close: () => {
      if (seen !== undefined) retireIdentity(seen.identity)
    },
  }
}

/** The pair that may be offered; what speaks against it goes to `errors`. */
function usable(read: Pair | Trouble | undefined, now: number, errors: string[]): Pair | undefined {
  if (read === undefined) return undefined
  if (read instanceof Trouble) {
    errors.push(read.detail)
    return undefined
  }
  const what = read.isProxy ? 'proxy' : 'certificate'
  if (read.end <= now) {
    errors.push(`the ${what} of ${read.identity} ended ${toIso(read.end)}: renew it`)
    return undefined
  }
  if (read.from > now) {
    errors.push(
      `the ${what} of ${read.identity} counts only from ${toIso(read.from)}: is this machine's clock right?`,
    )
    return undefined
  }
  // Rucio asks for no VOMS attributes, so such a proxy is still shown; a storage may refuse it.
  if (read.voms !== undefined && read.voms.end <= now)
    errors.push(`the VOMS attributes of the proxy ended ${toIso(read.voms.end)}: renew it`)
  return read
}

async function readConfigured(options: CredentialOptions): Promise<Pair | Trouble | undefined> {
  const { certPath, keyPath } = options
  const proxyPath = shownProxy(options)
  if (proxyPath !== undefined) {
    const text = await textOf(proxyPath, 'proxy')
    return text instanceof Trouble ? text : readPair(text, text, proxyPath)
  }
  if (certPath === undefined) return undefined
  const cert = await textOf(certPath, 'certificate')
  if (cert instanceof Trouble) return cert
  const key = keyPath === undefined ? cert : await textOf(keyPath, 'private key')
  return key instanceof Trouble ? key : readPair(cert, key, certPath)
}

/** With authType x509 certificate and key go before a proxy. */
function shownProxy({ authType, proxyPath, certPath }: CredentialOptions): string | undefined {
  return authType === 'x509' && certPath !== undefined ? undefined : proxyPath
}

function isAbsent(read: Pair | Trouble | undefined): boolean {
  return read instanceof Trouble && codeOf(read.cause) === 'ENOENT'
}

async function textOf(path: string, what: string): Promise<string | Trouble> {
  try {
    // A FIFO or a device would keep us waiting for ever.
    const found = await stat(path)
    if (!found.isFile() || found.size > maxFileBytes) return new Trouble('auth', `${path} is no ${what} file`)
    return await readFile(path, 'latin1')
  } catch (error) {
    const code = codeOf(error)
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`
    return new Trouble('auth', `the ${what} ${path} ${why}`, error)
  }
}

function connectWith(
  { pems, revocations }: Authorities,
  pair: Pair | undefined,
  configured: boolean,
): Pick<Seen, 'identity' | 'unusable'> {
  const secure = (options: SecureContextOptions): SecureContext => {
    const context = createSecureContext({ ...options, minVersion: 'TLSv1.2' })
    if (revocations !== undefined) setChainCheck(context, revocations.check)
    return context
  }
  // An empty list, not none: without `ca` Node would trust the public web's authorities instead.
  const ca = [...pems]
  const bare = secure({ ca })
  if (pair === undefined)
    return { identity: makeIdentity({ certificate: undefined, bare, configured }), unusable: undefined }
  try {
    const { cert, key } = pair
    const certificate = secure({ ca, cert, key })
    const attributes = (pair.voms?.fqans ?? []).map(shortFqan)
    return { identity: makeIdentity({ certificate, bare, attributes }), unusable: undefined }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const unusable = `the certificate of ${pair.identity} cannot be used: ${why}`
    return { identity: makeIdentity({ certificate: undefined, bare, configured }), unusable }
  }
}

/** Changes when a file was replaced or edited; what cannot be seen is part of it. */
async function signatureOf(options: CredentialOptions): Promise<string> {
  const { proxyPath, certPath, keyPath } = options
  const parts = [proxyPath, certPath, keyPath].map(async path => {
    if (path === undefined) return ''
    try {
      const { mtimeMs, size, ino } = await stat(path)
      return `${mtimeMs} ${size} ${ino}`
    } catch (error) {
      return codeOf(error) ?? 'error'
    }
  })
  return (await Promise.all(parts)).join('\n')
}

function tokenErrors(token: Awaited<ReturnType<typeof findToken>>, now: number): string[] {
  if (token instanceof Trouble) return [token.detail]
  // An old token that merely lies in /tmp is nobody's configuration.
  if (token?.configured === true && token.end !== undefined && token.end <= now)
    return [`the bearer token ended ${toIso(token.end)}: renew it`]
  return []
}
