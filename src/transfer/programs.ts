// The one table of the engines that are programs: each is made here, and nowhere else. Never starts one.

import { noEngine, type Programs } from './program.ts'

export function openPrograms(): Programs {
  return {
    xrdcp: noEngine('this version fetches nothing over XRootD'),
    rucio: noEngine('this version has no engine for that'),
  }
}
