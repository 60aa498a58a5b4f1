import type { Owner } from '../words/owner.ts'
import type { World } from '../words/world.ts'
import type { Root } from './layout.ts'

export type Lease = {
  /** ms since 1970 of the last renewal that succeeded */
  renewedAt(): number
  /** owner.json gets the URL in use */
  announce(url: string): Promise<void>
  release(): Promise<void>
}

/** Somebody else holds the data directory. */
export declare class Held extends Error {
  readonly owner: Owner | undefined
}

/** DESIGN.md rule 7. Tries every 250 ms for up to 12 s, then Held. `lost` is called once when owner.json is another's.
 *  @returns the lease and the boot id of the owner before (for prepare()) */
export declare function takeLease(
  root: Root,
  world: World,
  lost: () => void,
  warn: (text: string) => void,
): Promise<{ readonly lease: Lease; readonly previous: Owner | undefined }>
