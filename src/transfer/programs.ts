// The one table of the engines that are programs: each is made here, and nowhere else. Never starts one.

import { noEngine, type Programs } from './program.ts'
import { type RucioEngineOptions, rucioEngine } from './rucio.ts'
import { type XrdcpOptions, xrdcpEngine } from './xrdcp.ts'

/** What each engine needs; without it that engine is missing. */
export function openPrograms({
  xrdcp,
  rucio,
}: {
  readonly xrdcp?: XrdcpOptions
  readonly rucio?: RucioEngineOptions
} = {}): Programs {
  return {
    xrdcp: xrdcp === undefined ? noEngine('this version fetches nothing over XRootD') : xrdcpEngine(xrdcp),
    rucio: rucio === undefined ? noEngine('this version has no engine for that') : rucioEngine(rucio),
  }
}
