// What an engine that is a program must do; programs.ts makes each of them. Starts none itself.

import type { Engine } from '../decide/replicas.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import type { Filler } from './filler.ts'
import type { Limits, Pace } from './limits.ts'

/** What is wanted of a program: bytes of one file from one replica. */
export type ProgramAsk = {
  readonly replica: Replica
  readonly file: FileReplicas
  /** false: no byte over a line that is not encrypted */
  readonly plainData: boolean
  readonly limits: Limits
  /** told of bytes as they come; says whether they come too slowly */
  readonly pace: Pace
}

export type ProgramEngine = {
  /** @returns undefined when it can be used now; else what to install, in words that follow `…, and`. It looks at the disk once a minute at
   *  most, so that it may be asked for each file */
  missing(): Promise<string | undefined>
  /** Brings the bytes of `filler.claim`, from its `at` to its end, and hands them to `filler` in order. One call runs for a file at a time.
   *  The program writes where it likes in a place of its own, never into the part: what a program that outlived us still writes must not
   *  reach a file that was verified. Nothing of it runs or lies there any more when this ends.
   *  @throws Miss with whose fault it was; the reason of `signal` */
  bring(ask: ProgramAsk, filler: Filler, signal: AbortSignal): Promise<void>
  /** The daemon ends: what it holds outside DATA goes. Nothing of it runs any more then. */
  close?(): Promise<void>
}

export type ProgramName = Exclude<Engine, 'https' | 'archive'>

/** Every engine that is a program. */
export type Programs = Readonly<Record<ProgramName, ProgramEngine>>

/** @returns engine -> what to install, of those that cannot be used now */
export async function missingOf(programs: Programs): Promise<ReadonlyMap<Engine, string>> {
  const [xrdcp, rucio] = await Promise.all([programs.xrdcp.missing(), programs.rucio.missing()])
  const missing = new Map<Engine, string>()
  if (xrdcp !== undefined) missing.set('xrdcp', xrdcp)
  if (rucio !== undefined) missing.set('rucio', rucio)
  return missing
}

/** Stands in the table for an engine that this version has not. */
export function noEngine(why: string): ProgramEngine {
  return {
    missing: async () => why,
    bring() {
      throw new Error(`an engine that is missing was asked: ${why}`)
    },
  }
}
