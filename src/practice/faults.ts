// How a storage or the catalogue of the practice grid misbehaves. Only words: storage.ts, body.ts and rest.ts obey them.

/** How an RSE (one port each) misbehaves; may be changed while it runs. */
export type Faults = {
  /** bytes a second of each connection; 0 = no limit */
  readonly rate: number
  /** RST after each so many bytes of body (on each connection, over all its requests); 0 = never */
  readonly dropEvery: number
  /** answers nothing at all after accepting, not even TLS; bodies on their way stop */
  readonly hang: boolean
  /** refuses connections (the port is closed), and resets those that are open */
  readonly dead: boolean
  /** stops sending after so many bytes of a body, connection stays open; 0 = never */
  readonly stallAfter: number
  /** sends one byte a second */
  readonly drip: boolean
  /** one of the nonsense answers to a Range (nonsense.ts says what each is) */
  readonly nonsense: Nonsense
  /** every answer has this status; 0 = none */
  readonly status: number
  /** 302 to this RSE's port first, which then answers for this one; '' = no redirect */
  readonly redirectTo: string
  /** XRootD 5.5.3's wrong answer to an open range (facts/rucio.md 0.1); on by default */
  readonly openRangesWrong: boolean
  /** XRootD 5.5.3's Digest of another file on a GET that did not ask (facts/rucio.md 0.3); on by default */
  readonly wrongDigest: boolean
  /** 403 for whoever comes without a certificate of the practice CA, whether the file is there or not */
  readonly needsCertificate: boolean
}

export type Nonsense =
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

export const noFaults: Faults = {
  rate: 0,
  dropEvery: 0,
  hang: false,
  dead: false,
  stallAfter: 0,
  drip: false,
  nonsense: 'none',
  status: 0,
  redirectTo: '',
  openRangesWrong: true,
  wrongDigest: true,
  needsCertificate: false,
}

/** How the catalogue misbehaves; a key that is left out stays as it was. */
export type CatalogueFaults = {
  /** connections are refused */
  readonly down?: boolean
  /** accepts, and says nothing */
  readonly hang?: boolean
  /** every answer has this status; 0 = none */
  readonly status?: number
  /** the error of all rules that are not OK: they are STUCK then; '' = they are REPLICATING */
  readonly stuckRules?: string
  /** every rule is in this state, whatever is there; '' = in its own */
  readonly ruleState?: '' | 'SUSPENDED' | 'WAITING_APPROVAL' | 'INJECT'
  /** what an account may have at each RSE; null = without end */
  readonly quotaBytes?: number | null
  /** owners may renew and delete their rules, which the generic policy does not let them */
  readonly ownersMay?: boolean
  /** rules that have passed their end go now, as Rucio's cleaner makes them; 'all' = the others too */
  readonly cleanRules?: boolean | 'all'
  /** lists end in the middle: true = the connection breaks, 'clean' = a proper end, as a proxy in front may make of it */
  readonly cutLists?: boolean | 'clean'
  /** how long a token of GET /auth/… is good from now on; 3600 at the start */
  readonly tokenLifeSeconds?: number
  /** all tokens given so far are worth nothing from now on */
  readonly forgetTokens?: boolean
  /** takes traces, which a server of Rucio does only when it is told to (else 404) */
  readonly takesTraces?: boolean
  /** public keys with which jdoe may log in by SSH, PEM text */
  readonly sshKeys?: readonly string[]
}
