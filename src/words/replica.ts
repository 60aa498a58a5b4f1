// What the catalogue says of where a file lies. Never orders or tries replicas (decide/replicas.ts does).

import type { Pfn } from './pfn.ts'

export type Replica = {
  readonly pfn: Pfn
  readonly rse: string
  readonly type: 'DISK' | 'TAPE'
  /** 1 is the catalogue's first choice */
  readonly priority: number
  /** the file is a member of an archive at this PFN */
  readonly clientExtract: boolean
}

export type FileReplicas = {
  /** `scope:name` */
  readonly did: string
  readonly bytes: number
  readonly adler32?: string
  readonly md5?: string
  /** in the catalogue's order; PFNs that were refused are left out and counted */
  readonly replicas: readonly Replica[]
  readonly refused: number
}
