// What can be told of an action before it is carried out: its subject, its entry in the table of what runs, what it will change.
// Never carries one out.

import type { Action } from '../decide/action.ts'
import type { RunningSeen } from '../decide/observation.ts'

/** What runs for a while; the others only tell what runs to end. */
export type Effect = Exclude<Action, { kind: 'stop' | 'yield' }>

/** After these a look at the directories is due; of the others it is known what they changed. */
export function changesDirectories(action: Effect): boolean {
  switch (action.kind) {
    case 'fetch':
    case 'adopt':
    case 'load':
    case 'rule':
    case 'probe':
      return false
    case 'list':
      return action.purpose === 'query'
    case 'complete':
    case 'remove':
    case 'withdraw':
    case 'clean':
    case 'rename':
    case 'problem':
    case 'mended':
      return true
  }
}

export function describe(action: Effect): Omit<RunningSeen, 'ending'> {
  switch (action.kind) {
    case 'fetch':
      return { kind: 'fetch', name: action.name, bytes: action.bytes, priority: action.priority }
    case 'rename':
    case 'problem':
    case 'mended':
      return { kind: 'odd', name: action.file, bytes: 0, priority: 0 }
    case 'rule':
      return { kind: action.step === 'see' ? 'see' : 'rule', name: action.name, bytes: 0, priority: 0 }
    case 'probe':
      return { kind: 'probe', name: '', bytes: 0, priority: 0 }
    case 'withdraw':
      return { kind: 'remove', name: action.name, bytes: 0, priority: 0 }
    default:
      return { kind: action.kind, name: action.name, bytes: 0, priority: 0 }
  }
}
