// Temporary directories for tests. Nothing stays behind, and no two tests share one.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { World } from '../../src/words/world.ts'

const made: string[] = []

/** An empty directory of its own; gone when the process ends its tests (call `sweep` in test.after). */
export async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-'))
  made.push(dir)
  return dir
}

export async function sweep(): Promise<void> {
  // A daemon that was told to end may be closing its last file still.
  for (const dir of made.splice(0))
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** The clock of the machine, and chance that is always in the middle. */
export const world: World = { now: () => Date.now(), chance: () => 0.5 }

/** Awaits a rejection and returns what was thrown: uvu's assert.throws does not wait. */
export async function rejects(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}
