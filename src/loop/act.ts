// Which function carries out which action. Holds no policy and no state.

import { actAdopt, actFetch } from './act-fetch.ts'
import { actList } from './act-list.ts'
import { actComplete, actMended, actProblem, actRemove, actRename, actWithdraw } from './act-requests.ts'
import { actRule } from './act-rule.ts'
import { actClean, actLoad, actProbe } from './act-small.ts'
import type { ConfigFile } from './configFile.ts'
import type { Daemon } from './daemon.ts'
import type { Effect } from './effect.ts'
import type { Notes } from './observe.ts'
import type { RequestBook, Wish } from './requests.ts'

export type Grounds = {
  readonly daemon: Daemon
  readonly book: RequestBook
  readonly notes: Notes
  readonly config: ConfigFile
  /** Runs a step on the request as it was read; does nothing when there is none any more. */
  readonly forWish: (
    action: Effect & { readonly name: string },
    act: (daemon: Daemon, book: RequestBook, wish: Wish) => Promise<boolean>,
  ) => Promise<void>
}

/** @param ending true when the action shall end early, after the file that it is at */
export async function carryOut(
  { daemon, book, notes, config, forWish }: Grounds,
  action: Effect,
  signal: AbortSignal,
  ending: () => boolean,
): Promise<void> {
  switch (action.kind) {
    case 'list':
      return await actList(daemon, action, signal)
    case 'load':
      return await actLoad(daemon, action, notes)
    case 'adopt':
      return await actAdopt(daemon, action.name, signal)
    case 'fetch':
      return await actFetch(daemon, action, config.current() ?? config.fallback, ending, signal)
    case 'complete':
      return await forWish(action, actComplete)
    case 'remove':
      return await forWish(action, actRemove)
    case 'withdraw':
      return await forWish(action, actWithdraw)
    case 'rule':
      return await actRule(daemon, action, notes.rules.sights, signal)
    case 'clean':
      return await actClean(daemon, action.name)
    case 'rename':
      return await actRename(daemon, book, action)
    case 'problem':
      return await actProblem(daemon, book, action.file, action.message)
    case 'mended':
      return await actMended(daemon, book, action.file)
    case 'probe':
      return await actProbe(daemon, signal)
  }
}
