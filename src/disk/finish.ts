import type { ListingLine } from '../words/listing.ts'
import type { VerifiedLine } from '../words/verified.ts'
import type { World } from '../words/world.ts'
import type { Root } from './layout.ts'
import type { VerifiedLog } from './lines.ts'

/** A part that is synced and verified gets its final name: INCOMPLETE.txt is there already (the loop writes it); what lies under the final name
 *  goes to aside/ first; fence, rename, line appended (not yet synced: the caller syncs the log in batches of a second), sidecar removed. */
export declare function finish(options: {
  readonly root: Root
  readonly name: string
  readonly line: ListingLine
  /** ours, over the whole file */
  readonly adler32: string
  readonly md5?: string
  readonly log: VerifiedLog
  readonly world: World
}): Promise<VerifiedLine>
