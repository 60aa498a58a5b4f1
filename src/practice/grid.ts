/** A file of the practice grid: bytes are made from its DID, so that any range of it costs nothing to keep. */
export type SeedFile = {
  readonly scope: string
  readonly name: string
  readonly bytes: number
  readonly checksums: readonly ('adler32' | 'md5')[]
  /** RSE -> what lies there */
  readonly replicas: Readonly<Record<string, 'good' | 'corrupt' | 'truncated' | 'absent'>>
  readonly events?: number
}

export type Seed = {
  readonly datasets: readonly {
    readonly scope: string
    readonly name: string
    readonly open: boolean
    readonly files: readonly SeedFile[]
  }[]
  readonly containers: readonly {
    readonly scope: string
    readonly name: string
    readonly children: readonly { readonly scope: string; readonly name: string }[]
  }[]
}

/** How an RSE (one port each) misbehaves; may be changed while it runs. */
export type Faults = {
  /** bytes a second of each connection; 0 = no limit */
  readonly rate: number
  /** RST after each so many bytes of body (on each connection); 0 = never */
  readonly dropEvery: number
  /** answers nothing at all after accepting */
  readonly hang: boolean
  /** refuses connections (the port is closed) */
  readonly dead: boolean
  /** stops sending after so many bytes of a body, connection stays open; 0 = never */
  readonly stallAfter: number
  /** sends one byte a second */
  readonly drip: boolean
  /** one of the nonsense answers to a Range */
  readonly nonsense:
    | 'none'
    | '200'
    | 'wrong-range'
    | 'wrong-total'
    | 'short'
    | 'long'
    | 'html'
    | 'login'
    | 'encoded'
    | 'multipart'
    | '416'
  /** every answer has this status; 0 = none */
  readonly status: number
  /** 302 to this RSE's port first */
  readonly redirectTo: string
  /** XRootD 5.5.3's wrong answer to an open range (facts/rucio.md 0.1); on by default */
  readonly openRangesWrong: boolean
}

export type Sent = { readonly rse: string; readonly did: string; readonly from: number; readonly to: number }

export type PracticeGrid = {
  /** https://localhost:PORT of the REST interface (accounts jdoe / jdoe-secret and root / root-secret) */
  readonly url: string
  /** a PEM file that verifies all its servers */
  readonly caPem: string
  /** `host:port` of an RSE */
  readonly rse: (name: string) => string
  setFaults(rse: string, faults: Partial<Faults>): Promise<void>
  /** the REST interface itself: down = connections refused; status = every answer */
  setCatalogue(faults: {
    readonly down?: boolean
    readonly status?: number
    readonly cutLists?: boolean
  }): Promise<void>
  setSeed(seed: Seed): void
  /** body bytes that left each RSE, by range, in order */
  sent(): readonly Sent[]
  forgetSent(): void
  /** requests that the catalogue answered: `METHOD path` */
  calls(): readonly string[]
  stop(): Promise<void>
}

/** The bytes of a good replica, for tests: [from, to). */
export declare function bytesOf(file: SeedFile, from: number, to: number): Uint8Array
export declare function startPracticeGrid(options: {
  readonly seed: Seed
  /** RSE names; each gets a port. A name that begins with TAPE is of type TAPE; DOWN… has a port nobody listens on */
  readonly rses: readonly string[]
  /** schemes of its PFNs by RSE, default ['davs']; root and file may be named and are not served; http is served without TLS */
  readonly schemes?: Readonly<Record<string, readonly string[]>>
}): Promise<PracticeGrid>
