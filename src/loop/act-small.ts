// The short ones: look at a dataset, go on with a removal, ask whether the catalogue is back.

import type { Action } from '../decide/action.ts'
import { throwAway } from '../disk/trash.ts'
import { readFullDid } from '../words/names.ts'
import { toTrouble } from '../words/reason.ts'
import type { House } from './house.ts'
import type { Notes } from './observe.ts'
import { readyFiles } from './work.ts'

/** So many datasets are kept in memory; those that wait for a next try make room first. */
const keptMost = 16

export async function actLoad(
  house: House,
  action: Extract<Action, { kind: 'load' }>,
  notes: Notes,
): Promise<void> {
  const did = readFullDid(action.did)
  if (did === undefined) return
  if (house.works.size >= keptMost) await makeRoom(house, notes)
  const work = await house.works.load(action.name, did)
  // The listing went between two looks: the next pass asks for a new one.
  if (work === undefined) notes.heads.delete(action.name)
}

async function makeRoom(house: House, notes: Notes): Promise<void> {
  for (const [name, work] of house.works) {
    if ([...work.files.values()].some(each => each.busy) || work.toAdopt.size > 0) continue
    const { count, nextTryAt } = readyFiles(work, house.world.now(), 1)
    if (count > 0 || nextTryAt === null) continue
    notes.idleUntil.set(name, nextTryAt)
    await house.works.unload(name)
    return
  }
}

export async function actClean(house: House, name: string): Promise<void> {
  await throwAway(house.root, name)
  house.log('rucio_downloader', `${name}: its removal was ended`)
}

export async function actProbe(house: House, signal: AbortSignal): Promise<void> {
  try {
    await house.rucio.ping(AbortSignal.any([signal, AbortSignal.timeout(40_000)]))
    house.catalogue.answered()
  } catch (error) {
    if (signal.aborted) return
    house.catalogue.failed(toTrouble(error))
  }
}
