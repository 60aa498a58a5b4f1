// The short ones: look at a dataset, go on with a removal, ask whether the catalogue is back.

import type { Action } from '../decide/action.ts'
import { throwAway } from '../disk/trash.ts'
import { readFullDid } from '../words/names.ts'
import { toTrouble } from '../words/reason.ts'
import type { Daemon } from './daemon.ts'
import type { Notes } from './observe.ts'
import { readyFiles } from './work-seen.ts'

/** So many datasets are kept in memory; those that wait for a next try make room first. */
const keptMost = 16

export async function actLoad(
  daemon: Daemon,
  action: Extract<Action, { kind: 'load' }>,
  notes: Notes,
): Promise<void> {
  const did = readFullDid(action.did)
  if (did === undefined) return
  if (daemon.works.size >= keptMost) await makeRoom(daemon, notes)
  const work = await daemon.works.load(action.name, did)
  // The listing went between two looks: the next pass asks for a new one.
  if (work === undefined) notes.heads.delete(action.name)
}

async function makeRoom(daemon: Daemon, notes: Notes): Promise<void> {
  for (const [name, work] of daemon.works) {
    if ([...work.files.values()].some(each => each.busy) || work.toAdopt.count > 0) continue
    const { count, nextTryAt } = readyFiles(work, daemon.world.now(), 1)
    if (count > 0 || nextTryAt === null) continue
    notes.idleUntil.set(name, nextTryAt)
    await daemon.works.unload(name)
    return
  }
}

export async function actClean(daemon: Daemon, name: string): Promise<void> {
  await throwAway(daemon.root, name)
  daemon.log('rucio_downloader', `${name}: its removal was ended`)
}

export async function actProbe(daemon: Daemon, signal: AbortSignal): Promise<void> {
  try {
    await daemon.rucio.ping(AbortSignal.any([signal, AbortSignal.timeout(40_000)]))
    daemon.catalogue.answered()
  } catch (error) {
    if (signal.aborted) return
    daemon.catalogue.failed(toTrouble(error))
  }
}
