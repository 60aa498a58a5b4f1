// What one try of one file knows. Shared by its lanes; never outlives the try.

import { type Choice, chooseReplicas, replicaKey } from '../decide/replicas.ts'
import type { Part } from '../disk/part.ts'
import type { Identity } from '../outside/request.ts'
import type { Trouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import type { Hosts } from './hosts.ts'
import type { Limits } from './limits.ts'
import type { Lines } from './lines.ts'

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
}

export type Try = {
  readonly means: Means
  readonly part: Part
  readonly file: FileReplicas
  readonly plainData: boolean
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
}

/** Whom to ask now: the policy of decide/, with what this try has learned. */
export function choose(of: Try): Choice {
  const { means, file, part, plainData, excluded } = of
  return chooseReplicas({
    file: { ...file, replicas: file.replicas.filter(each => !excluded.has(replicaKey(each))) },
    plainData,
    strikes: part.sidecar.strikes,
    resting: means.hosts.resting(),
    rates: means.hosts.rates(),
    now: means.now(),
  })
}
