import type { Identity } from '../outside/request.ts'
import type { Did } from '../words/did.ts'
import type { CatalogueFile, DidType } from '../words/listing.ts'
import type { FileReplicas } from '../words/replica.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'

export type RucioOptions = {
  readonly rucioHost: string
  readonly authHost: string
  readonly account?: string
  readonly authType: 'userpass' | 'x509' | 'x509_proxy' | 'token'
  readonly username?: string
  readonly password?: string
  /** authType token: a file that holds a Rucio token */
  readonly tokenPath?: string
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
  /** One POST for at most 500 files; key `scope:name`. A file without a usable replica is in it with an empty list. */
  replicas(files: readonly Did[], signal: AbortSignal): Promise<ReadonlyMap<string, FileReplicas>>
  /** GET /ping: is the server there? */
  ping(signal: AbortSignal): Promise<void>
  /** true when the catalogue itself is on loopback */
  readonly onLoopback: boolean
}

/** The part of a Credential that the catalogue needs (credential/ has the same rank, so its type stays there). */
export type CatalogueCredential = { identity(): Promise<Identity> }

export declare function openRucio(
  options: RucioOptions,
  credential: CatalogueCredential,
  log: Log,
  world: World,
): Rucio
