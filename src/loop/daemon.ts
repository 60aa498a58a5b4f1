// The daemon's parts as every action of the loop works with them, put together once by serve.ts. Holds no policy.

import type { Rucio } from '../catalogue/rucio.ts'
import type { RuleTimes } from '../decide/rule.ts'
import type { Root } from '../disk/layout.ts'
import type { Transfer } from '../transfer/engine.ts'
import type { Accept } from '../wishes/accept.ts'
import type { Reason } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'
import type { ReplicaBook } from './replicaBook.ts'
import type { CatalogueRest } from './rest.ts'
import type { Works } from './work.ts'

export type Daemon = {
  readonly root: Root
  readonly world: World
  readonly log: Log
  readonly rucio: Rucio
  readonly transfer: Transfer
  readonly accept: Accept
  readonly works: Works
  readonly replicas: ReplicaBook
  readonly catalogue: CatalogueRest
  /** how often replication rules are looked at */
  readonly ruleTimes: RuleTimes
  /** listings that failed: NAME -> when again and why; memory only, losing it costs one early try */
  readonly listFailures: Map<string, ListFailure>
  /** something on disk changed: waiters look again, and the loop passes */
  readonly changed: (name?: string) => void
}

export type ListFailure = {
  readonly tries: number
  readonly nextTryAt: number
  readonly message: string
  readonly reason: Reason
}
