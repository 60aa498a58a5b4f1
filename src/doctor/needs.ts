// What the checks are given: the options of a daemon, and what it holds already. Never makes any of it.

import type { Rucio, RucioOptions } from '../catalogue/rucio.ts'
import type { Credential, CredentialOptions } from '../credential/credential.ts'
import type { MakerOptions } from '../credential/maker.ts'
import type { UpdateOptions } from '../credential/update.ts'
import type { Root } from '../disk/layout.ts'
import type { Env } from '../words/env.ts'
import type { World } from '../words/world.ts'

export type Needs = {
  readonly options: {
    readonly rucio: RucioOptions
    readonly credential: CredentialOptions
    readonly certUpdate: UpdateOptions
    readonly maker?: MakerOptions
    readonly client: { readonly program?: string }
    readonly watchPoll: boolean
    readonly fileEvents: boolean
  }
  readonly env: Env
  readonly credential: Credential
  /** undefined where a login needs more than this process has (OIDC without the daemon) */
  readonly rucio: Pick<Rucio, 'token'> | undefined
  /** the data directory, or a sentence on why it is none */
  readonly root: Root | { readonly message: string; readonly isEmpty: boolean }
  readonly world: World
}
