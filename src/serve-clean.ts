// What a killed daemon has left is cleared away before the next one begins: first the programs that it left running, then the folders in
// which they write. Never touches what a living command line has there.

import type { Root } from './disk/layout.ts'
import { prepare } from './disk/root.ts'
import { endLeftovers } from './outside/leftovers.ts'

/** To be called with the lease held: whoever had it has died or stopped writing.
 *  @param previousBootId that owner.json named
 *  @param now ms since 1970 */
export async function startClean(
  root: Root,
  previousBootId: string | undefined,
  { now, tell }: { readonly now: number; readonly tell: (text: string) => void },
): Promise<void> {
  await prepare(root, previousBootId, now, async lives => {
    const { ended, left } = await endLeftovers(lives)
    const whose = 'of a daemon that was killed'
    if (ended > 0) tell(`${ended} running program${ended === 1 ? '' : 's'} ${whose} ended`)
    // A disk or share that hangs holds them: they write into their own files only, which are about to lose their names.
    if (left > 0) tell(`${left} running program${left === 1 ? '' : 's'} ${whose} cannot be ended`)
  })
}
