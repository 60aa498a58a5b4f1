// Rucio's REST interface, as the other rooms see it: contents, replicas, ping. Never decides what to do with an answer.

import { isLoopbackName } from '../outside/address.ts'
import { dropBody, type Identity } from '../outside/request.ts'
import type { AuthType } from '../words/auth.ts'
import type { Did } from '../words/did.ts'
import type { CatalogueFile, DidType } from '../words/listing.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { FileReplicas } from '../words/replica.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'
import { readContents } from './contents.ts'
import { openLogin } from './login.ts'
import type { OidcOptions } from './oidc.ts'
import type { OidcLogin } from './oidc-login.ts'
import { readRefusal } from './refusal.ts'
import { readReplicas } from './replicas.ts'
import { openRules, type Rules } from './rules.ts'
import { makeSend, parseServer, sendOnce, voHeader } from './server.ts'
import { Storages } from './storages.ts'

export type RucioOptions = {
  readonly rucioHost: string
  readonly authHost: string
  readonly account?: string
  /** of a server that serves several: what the official client takes from RUCIO_VO, or as vo from rucio.cfg */
  readonly vo?: string
  readonly authType: AuthType
  readonly username?: string
  readonly password?: string
  /** authType token: a file that holds a Rucio token */
  readonly tokenPath?: string
  /** authType ssh: a file with an RSA key */
  readonly sshKeyPath?: string
  /** authType oidc */
  readonly oidc?: OidcOptions
}

/** What a DID holds, handed file by file to `each` as it streams. */
export type Contents =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'listed'
      readonly type: DidType
      readonly open: boolean
      /** as the catalogue counts: a file in two datasets of a container twice */
      readonly length: number
      readonly bytes: number
    }

/** Rucio's REST interface. Everything here throws Trouble (auth, host_down, offline, stalled, bad_listing, …). */
export type Rucio = {
  /** Proved whole (facts/rucio.md 3) or Trouble('bad_listing'): then what `each` got is worth nothing. */
  contents(
    did: Did,
    each: (file: CatalogueFile) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<Contents>
  /** One POST for at most 500 files; key `scope:name`. A file without a usable replica is in it with an empty list.
   *  @param everything each way to each replica, where one address of each storage is less work for the server */
  replicas(
    files: readonly Did[],
    signal: AbortSignal,
    everything?: boolean,
  ): Promise<ReadonlyMap<string, FileReplicas>>
  /** Each way to what one RSE has of them. */
  replicasAt(
    rse: string,
    files: readonly Did[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, FileReplicas>>
  /** replication rules, and what is needed to find what they have brought */
  readonly rules: Rules
  /** GET /ping: is the server there? */
  ping(signal: AbortSignal): Promise<void>
  /** whose login it is, as far as that is known */
  account?(): string | undefined
  /** A token that should be good now, for a program that asks the catalogue by itself. */
  token(signal: AbortSignal): Promise<string>
  /** The catalogue did not take it from such a program: the next one is another. */
  tokenRefused(token: string, why: Trouble): void
  /** true when the catalogue itself is on loopback */
  readonly onLoopback: boolean
}

/** The part of a Credential that the catalogue needs (credential/ has the same rank, so its type stays there). */
export type CatalogueCredential = {
  identity(): Promise<Identity>
  /** What Rucio said of the login: a sentence when it was refused, undefined when it was taken. */
  report(refusal: string | undefined): void
}

/** Connects to nothing yet.
 *  @param oidc with authType oidc
 *  Throws Trouble('refused') for a rucio_host or auth_host that is no address. */
export function openRucio(
  options: RucioOptions,
  credential: CatalogueCredential,
  log: Log,
  world: World,
  oidc?: OidcLogin,
): Rucio {
  const server = parseServer(options.rucioHost)
  if (server instanceof Trouble) throw server
  const authServer = parseServer(options.authHost)
  if (authServer instanceof Trouble) throw authServer
  const login = openLogin(options, authServer, credential, log, world, oidc)
  const storages = new Storages()
  const send = makeSend(server, login, credential, options)
  return {
    contents: (did, each, signal) => readContents(send, did, each, 2 ** 32 * world.chance(), signal),
    replicas: (files, signal, everything = false) =>
      readReplicas(files, { send, storages, everything, now: () => world.now(), signal }),
    replicasAt: (rse, files, signal) =>
      // What it learns of one storage says nothing of the others.
      readReplicas(files, {
        send,
        storages: new Storages(),
        everything: true,
        rse,
        now: () => world.now(),
        signal,
      }),
    rules: openRules(send),
    async ping(signal) {
      const call = { method: 'GET', path: '/ping', accept: 'application/json', signal } as const
      const answer = await sendOnce(server, call, voHeader(options), credential)
      if (answer.statusCode !== 200) throw await readRefusal(answer, hostPort(server), [options.password])
      dropBody(answer)
    },
    account: () => login.account(),
    token: signal => login.token(signal),
    tokenRefused: (token, why) => login.refused(token, why),
    onLoopback: isLoopbackName(server.host),
  }
}
