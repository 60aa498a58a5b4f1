// The one table of the engines that are programs: each is made here, and nowhere else. Never starts one.

import { noEngine, type Programs } from './program.ts'
import { type RucioEngineOptions, rucioEngine } from './rucio.ts'

/** @param rucio what the official client needs; without it that engine is missing */
export function openPrograms({ rucio }: { readonly rucio?: RucioEngineOptions } = {}): Programs {
  return {
    xrdcp: noEngine('this version fetches nothing over XRootD'),
    rucio: rucio === undefined ? noEngine('this version has no engine for that') : rucioEngine(rucio),
  }
}
