// What one storage of the practice grid knows of itself and of the rest. Only types.

import type { Faults } from './faults.ts'
import type { ReplicaKind, SeedFile } from './seed.ts'

export type Held = { readonly file: SeedFile; readonly kind: ReplicaKind }

/** What a storage must know of the rest of the grid. */
export type Surroundings = {
  /** a replica at an RSE by its path, slashes joined; undefined = no such file */
  readonly find: (rse: string, path: string) => Held | undefined
  /** what lies directly in a directory of an RSE; empty = no such directory */
  readonly entries: (rse: string, path: string) => readonly string[]
  /** scheme, host and port of an RSE; undefined = no such RSE */
  readonly base: (rse: string) => string | undefined
  /** called at the start of a body; what it returns is called before each piece of it goes to the socket */
  readonly sending: (rse: string, did: string) => (from: number, to: number) => void
  /** a connection is about to be reset because `dropEvery` says so */
  readonly cutting: (rse: string) => void
}

/** One storage while it answers. */
export type Here = {
  readonly rse: string
  readonly surroundings: Surroundings
  readonly faults: () => Faults
  /** XRootD 5.5.3 keeps the last digest that anyone asked for, and gives it away */
  readonly digest: { last: string }
}
