// Is the data directory there, ours and writable? Looks and remembers; never creates or mends anything.

import type { Root } from '../disk/layout.ts'
import { checkRoot, probeWrite } from '../disk/root.ts'
import type { Trouble } from '../words/reason.ts'
import type { DataState } from '../words/status.ts'
import type { World } from '../words/world.ts'

const missingAgainMs = 5_000
const writeAgainMs = 60_000
/** A look at DATA that takes longer is a state of its own (DESIGN.md, The interface). */
const slowMs = 10_000

export type DataWatch = {
  check(): Promise<DataState>
  seen(): { readonly state: DataState; readonly message: string }
  /** when it wants to be checked again by itself; Infinity while all is well */
  nextCheckAt(): number
  /** An action failed on the disk. */
  trouble(trouble: Trouble): void
  problems(): readonly string[]
}

const messages: Record<DataState, string> = {
  starting: 'The daemon is starting; ask again in a few seconds.',
  ready: '',
  read_only: 'The data directory cannot be written; make it writable, work goes on by itself.',
  data_dir_missing:
    'The data directory is not there or is another one; mount it again, work goes on by itself and nothing was changed.',
  disk_slow: 'The data directory does not answer; ask again later.',
  stopping: 'The daemon is ending.',
}

const newer =
  'A newer version of desktop-rucio made this data directory, so this one only reads it; update desktop-rucio.'

export function openDataWatch(root: Root, world: World, onReturn: () => void): DataWatch {
  // A newer format is read and never written.
  let state: DataState = root.readOnly === true ? 'read_only' : 'ready'
  let checkedAt = 0
  /** something could not be written: is it that file, or all? */
  let doubted = false
  let lookingSince: number | undefined

  /** A clock that was set back must not make it longer. */
  function isDue(afterMs: number): boolean {
    return Math.abs(world.now() - checkedAt) >= afterMs
  }

  async function check(): Promise<DataState> {
    lookingSince = world.now()
    try {
      const found = await checkRoot(root)
      const before = state
      if (found === 'missing') state = 'data_dir_missing'
      else if (state === 'data_dir_missing') state = 'ready'
      else if (doubted || (state === 'read_only' && isDue(writeAgainMs)))
        state = (await probeWrite(root)) === 'read_only' ? 'read_only' : 'ready'
      else return state
      doubted = false
      checkedAt = world.now()
      if (before === 'data_dir_missing' && state === 'ready') onReturn()
      return state
    } finally {
      lookingSince = undefined
    }
  }

  function seen(): { readonly state: DataState; readonly message: string } {
    const slow = lookingSince !== undefined && world.now() - lookingSince > slowMs
    const now = slow ? 'disk_slow' : state
    const message = now === 'read_only' && root.readOnly === true ? newer : messages[now]
    return { state: now, message }
  }

  return {
    check,
    seen,
    nextCheckAt() {
      if (state === 'ready') return Number.POSITIVE_INFINITY
      return checkedAt + (state === 'read_only' ? writeAgainMs : missingAgainMs)
    },
    trouble(trouble) {
      // One folder with wrong rights is no read-only disk: the next check tries to write.
      if (trouble.reason === 'read_only') doubted = true
    },
    problems: () => {
      const { state: now, message } = seen()
      return now === 'ready' ? [] : [message]
    },
  }
}
