import type { Root } from '../disk/layout.ts'
import type { VerifiedLog } from '../disk/lines.ts'
import type { Identity } from '../outside/request.ts'
import type { Config } from '../words/config.ts'
import type { ListingLine } from '../words/listing.ts'
import type { ProgressTable } from '../words/progress.ts'
import type { Failure } from '../words/reason.ts'
import type { FileReplicas } from '../words/replica.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'

/** Everything a transfer needs that outlives one file. Made once by main.ts. */
export type Transfer = {
  /** Brings one file from where it stands (part and sidecar on disk) to its final name, or writes the outcome of the try to its sidecar.
   *  Never throws for what happens outside; throws Fenced and bugs of ours.
   *  - 'finished': final name, line appended (the log is synced by the caller within a second)
   *  - 'failed': the sidecar holds tries, next_try, error. `costs` false = a host at rest, auth, offline, disk_full: no try was used up
   *  - 'stopped': `signal` fired; synced bytes are checkpointed */
  fetchFile(
    job: {
      readonly name: string
      readonly line: ListingLine
      readonly replicas: FileReplicas
      readonly log: VerifiedLog
      readonly config: Config
    },
    signal: AbortSignal,
  ): Promise<Fetched>
  /** bytes and rates of what is fetched now, for the web */
  readonly progress: ProgressTable
  /** hosts at rest now: `host:port` -> ms since 1970 */
  resting(): ReadonlyMap<string, number>
  /** checkpoint all parts that are open (SIGTERM), then close sockets */
  close(): Promise<void>
}

export type Fetched =
  | { readonly kind: 'finished'; readonly bytes: number }
  | {
      readonly kind: 'failed'
      readonly failure: Failure
      readonly nextTryAt: number
      readonly costs: boolean
    }
  | { readonly kind: 'stopped' }

export declare function openTransfer(options: {
  readonly root: Root
  readonly world: World
  readonly log: Log
  readonly identity: () => Promise<Identity>
  readonly token: () => Promise<string | undefined>
}): Promise<Transfer>
