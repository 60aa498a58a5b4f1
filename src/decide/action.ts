// What decide() may order. Each is carried out by one function of loop/; nothing is done here.

import type { RuleWanted } from '../words/destination.ts'
import type { Reason } from '../words/reason.ts'
import type { RuleStep } from '../words/rule.ts'

export type Action =
  /** ask the catalogue what a DID holds, for a request or for GET /dsfiles */
  | {
      readonly kind: 'list'
      readonly name: string
      readonly did: string
      readonly purpose: 'request' | 'query'
    }
  /** look at what lies there of a listed dataset */
  | { readonly kind: 'load'; readonly name: string; readonly did: string }
  /** read what may be there already */
  | { readonly kind: 'adopt'; readonly name: string }
  /** bring these files, one after the other: one lane */
  | {
      readonly kind: 'fetch'
      readonly name: string
      readonly paths: readonly string[]
      readonly bytes: number
      readonly priority: number
    }
  /** everything is verified: marker, request moved, INCOMPLETE.txt away */
  | { readonly kind: 'complete'; readonly name: string }
  /** the user wants it gone */
  | { readonly kind: 'remove'; readonly name: string }
  /** the next step of its replication rule; `wanted` is undefined where the rule shall go */
  | {
      readonly kind: 'rule'
      readonly name: string
      readonly did: string
      readonly step: RuleStep
      readonly wanted: RuleWanted | undefined
    }
  /** a removal that a crash interrupted goes on */
  | { readonly kind: 'clean'; readonly name: string }
  /** a repair whose dataset has no listing: somebody is deleting it */
  | { readonly kind: 'withdraw'; readonly name: string }
  | { readonly kind: 'rename'; readonly file: string; readonly name: string }
  | { readonly kind: 'problem'; readonly file: string; readonly message: string }
  | { readonly kind: 'mended'; readonly file: string }
  /** is the catalogue, or the line, back? */
  | { readonly kind: 'probe' }
  /** end what runs for this NAME at once; bytes that came are kept */
  | { readonly kind: 'stop'; readonly name: string }
  /** one lane of this NAME ends after the file it is at: something more urgent waits */
  | { readonly kind: 'yield'; readonly name: string }

/** What an action is about: a NAME, a file of requests/, or the catalogue (''). */
export function subject(action: Action): string {
  return 'name' in action && action.kind !== 'rename' ? action.name : 'file' in action ? action.file : ''
}

/** One hold is for one kind of action on one subject: a removal goes on where fetching failed. */
export function keyOf(action: Action): string {
  return `${action.kind} ${subject(action)}`
}

/** Why a dataset does not go on now. */
export type Waiting = {
  readonly reason: Reason
  readonly detail: string
  /** a whole sentence, where the reason's own does not say what to do */
  readonly message?: string
}

export type Decision = {
  readonly actions: readonly Action[]
  /** NAME -> why it waits, for people; a NAME that does not wait is not in it */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** ms since 1970 when something is due next; Infinity = sleep until a change */
  readonly wakeAt: number
}
