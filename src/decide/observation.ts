// What decide() sees: the disk and the work in hand as one plain value. Never read here; loop/observe.ts makes it.

import type { Reason } from '../words/reason.ts'
import type { RuleSeen } from './rule.ts'

export type Observation = {
  /** no_limits: config.json does not parse and no good one is known */
  readonly data: 'ready' | 'read_only' | 'missing' | 'no_limits'
  readonly wishes: readonly WishSeen[]
  /** files of requests/ that are no wish as they stand */
  readonly oddities: readonly OddityHere[]
  /** NAMEs whose listing GET /dsfiles wants */
  readonly queries: readonly QuerySeen[]
  /** NAMEs whose removal has begun and not ended */
  readonly trash: readonly string[]
  readonly running: readonly RunningSeen[]
  /** keyOf() of actions that failed in a way that nobody expected, or whose request has just been changed: not now */
  readonly holds: ReadonlySet<string>
  /** bytes that we may still write, the reserve not taken off */
  readonly freeBytes: number
  readonly catalogue: Rest
}

/** A service at rest after failures in a row. */
export type Rest = {
  /** ms since 1970; 0 = at work */
  readonly until: number
  readonly reason?: Reason
  readonly detail?: string
}

export type RunningSeen = {
  readonly kind:
    | 'list'
    | 'adopt'
    | 'fetch'
    | 'complete'
    | 'remove'
    | 'clean'
    | 'probe'
    | 'load'
    | 'odd'
    | 'rule'
    | 'see'
  readonly name: string
  /** bytes that a fetch has yet to write */
  readonly bytes: number
  readonly priority: number
  /** told to stop or to yield already */
  readonly ending: boolean
}

export type OddityHere =
  /** its name or its `did` says another NAME */
  | { readonly kind: 'rename'; readonly file: string; readonly name: string }
  /** cannot be taken; the sentence goes into FILE.problem */
  | { readonly kind: 'problem'; readonly file: string; readonly message: string }
  /** a .problem whose file is gone or good again */
  | { readonly kind: 'mended'; readonly file: string }

export type WishSeen = {
  readonly name: string
  /** `scope:name` */
  readonly did: string
  readonly priority: number
  /** ms since 1970: who came first goes first */
  readonly createdAt: number
  /** elsewhere: Rucio shall move it to a site, whose storage is mounted here */
  readonly kind: 'want' | 'paused' | 'broken' | 'remove' | 'repair' | 'elsewhere'
  readonly dataset: DatasetSeen
  /** of elsewhere, and of whatever has a rule that shall go */
  readonly rule?: RuleSeen
}

export type DatasetSeen =
  /** the disk does not let it be looked at: a folder without the right, a link, a bad sector */
  | { readonly kind: 'unseen'; readonly reason: Reason; readonly detail: string }
  /** never listed, or its listing is lost; nextTryAt 0 = now */
  | { readonly kind: 'unlisted'; readonly nextTryAt: number }
  /** Rucio does not know it, until then */
  | { readonly kind: 'none'; readonly until: number }
  /** listed; what lies there was not looked at yet, because others go first */
  | { readonly kind: 'listed'; readonly listing: ListingSeen; readonly nextTryAt: number }
  /** listed and looked at */
  | {
      readonly kind: 'loaded'
      readonly listing: ListingSeen
      /** files that may lie there already, to be read before anything is fetched */
      readonly toAdopt: number
      /** the next files that may be fetched now, in order; at most a few hundred */
      readonly ready: readonly FileReady[]
      /** how many may be fetched now in all */
      readonly readyCount: number
      /** when the next of the failed ones may be tried; null when none waits */
      readonly nextTryAt: number | null
      /** files not verified yet, those in work included */
      readonly left: number
    }

export type ListingSeen = {
  readonly open: boolean
  readonly type: 'DATASET' | 'CONTAINER' | 'FILE'
  readonly fetchedAt: number
  /** a file has no replica or only wrong bytes */
  readonly hopeless: boolean
  /** a listing that was to take its place failed; not before */
  readonly refreshAfter: number
}

export type FileReady = {
  readonly path: string
  /** bytes that are still to be written */
  readonly bytes: number
}

export type QuerySeen = {
  readonly name: string
  readonly did: string
  readonly nextTryAt: number
}
