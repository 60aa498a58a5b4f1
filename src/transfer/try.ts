// What one try of one file knows. Shared by its lanes; never outlives the try.

import { type Choice, chooseReplicas, type Engine, replicaKey } from '../decide/replicas.ts'
import type { Part } from '../disk/part.ts'
import type { Identity } from '../outside/request.ts'
import type { Config } from '../words/config.ts'
import type { Trouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import type { Filler } from './filler.ts'
import type { Hosts } from './hosts.ts'
import type { Limits } from './limits.ts'
import type { Lines } from './lines.ts'
import type { Programs } from './program.ts'

/** What all tries of all files need. */
export type Means = {
  readonly hosts: Hosts
  readonly lines: Lines
  readonly limits: Limits
  readonly identity: () => Promise<Identity>
  readonly token: () => Promise<string | undefined>
  readonly now: () => number
  readonly chance: () => number
  readonly tell: (text: string) => void
  /** the engines that are programs */
  readonly programs: Programs
}

export type Try = {
  readonly means: Means
  readonly part: Part
  readonly file: FileReplicas
  readonly plainData: boolean
  /** 'rucio' = everything by the official client */
  readonly by: 'auto' | 'rucio'
  /** engines that are not installed here, as the try began -> what to install */
  readonly missing: ReadonlyMap<Engine, string>
  /** connections at most */
  readonly most: number
  /** keys of replicas that are not asked again in this try */
  readonly excluded: Set<string>
  /** what went wrong, in order */
  readonly troubles: Trouble[]
  /** bytes that came over the line and were taken */
  came: number
  /** of those, what had come when the whole was last found wrong: no progress */
  wasted: number
  /** after wrong bytes one replica at a time is asked, so that the next verdict has one suspect */
  alone: boolean
  /** that sends now, or sent last */
  source: Replica | undefined
  /** out of the archive at that replica, which is fetched first if need be. @throws as a program's bring() */
  readonly extract: (replica: Replica, filler: Filler, signal: AbortSignal) => Promise<void>
}

/** One that begins now, and knows no more than the part's sidecar does. */
export function openTry({
  config,
  ...what
}: Pick<Try, 'means' | 'part' | 'file' | 'by' | 'missing' | 'extract'> & {
  readonly config: Pick<Config, 'plain_data' | 'connections_per_file'>
}): Try {
  return {
    ...what,
    plainData: config.plain_data,
    most: config.connections_per_file,
    excluded: new Set(),
    troubles: [],
    came: 0,
    wasted: 0,
    alone: what.part.sidecar.strikes.length > 0,
    source: undefined,
  }
}

/** Whom to ask now: the policy of decide/, with what this try has learned. */
export function choose(of: Try): Choice {
  const { means, file, part, plainData, by, missing, excluded } = of
  return chooseReplicas({
    file: { ...file, replicas: file.replicas.filter(each => !excluded.has(replicaKey(each))) },
    plainData,
    by,
    missing,
    strikes: part.sidecar.strikes,
    resting: means.hosts.resting(),
    rates: means.hosts.rates(),
    now: means.now(),
  })
}
