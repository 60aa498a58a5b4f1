// Where a program lies, by PATH, as a shell would find it; looked for once a minute at most. Never runs it.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'

const lookEveryMs = 60_000

/** @param program a name, looked for in `path`, or an absolute path
 *  @param path PATH of the environment in which it will run
 *  @returns absolute path of what can be run; undefined when there is none. One that is installed meanwhile is found within a minute */
export function programFinder(program: string, path: string | undefined): () => Promise<string | undefined> {
  // The look itself is kept, not what it found: who asks while it goes on waits for it.
  let look: Promise<string | undefined> | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  return () => {
    if (look === undefined || performance.now() - lookedAt >= lookEveryMs) {
      lookedAt = performance.now()
      look = findProgram(program, path)
    }
    return look
  }
}

async function findProgram(program: string, path: string | undefined): Promise<string | undefined> {
  // An empty entry of PATH would be the directory that we happen to be in.
  const dirs = (path ?? '').split(delimiter).filter(each => isAbsolute(each))
  const places = isAbsolute(program) ? [program] : dirs.map(dir => join(dir, program))
  for (const place of places) {
    try {
      if (!(await stat(place)).isFile()) continue
      await access(place, constants.X_OK)
      return place
    } catch {
      // Not there, or not to be run by us: the next one may be.
    }
  }
  return undefined
}
