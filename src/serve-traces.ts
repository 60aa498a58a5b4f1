// Traces of the daemon's transfers, or none. Holds no rule of its own.

import { hostname } from 'node:os'
import type { Rucio } from './catalogue/rucio.ts'
import { openTraces, type TraceOptions, type Traces, traceTimes } from './catalogue/traces.ts'
import type { Credential } from './credential/credential.ts'
import type { Log } from './words/status.ts'
import type { World } from './words/world.ts'

const none: Traces = { finished: () => {}, close: () => {} }

/** @param options undefined = none are sent */
export function connectTraces(
  options: TraceOptions | undefined,
  means: {
    readonly credential: Credential
    readonly rucio: Rucio
    readonly version: string
    readonly log: Log
    readonly world: World
  },
): Traces {
  if (options === undefined) return none
  const { credential, rucio, version, log, world } = means
  return openTraces(options, {
    identity: () => credential.identity(),
    account: () => rucio.account?.(),
    hostname: hostname(),
    version,
    log,
    world,
    times: traceTimes,
  })
}
