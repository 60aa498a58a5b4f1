// The lease around the daemon's work: waits for it, hands the directory over, gives it back, and says who holds it. Never writes without it.

import type { Root } from './disk/layout.ts'
import { Held, type Lease, leaseTimes, takeLease } from './disk/lease.ts'
import { Fenced } from './disk/put.ts'
import { whenAborted } from './outside/abort.ts'
import { startClean } from './serve-clean.ts'
import type { World } from './words/world.ts'

type Ground = {
  readonly root: Root
  readonly world: World
  readonly signal: AbortSignal
  readonly complain: (line: string) => void
}

/** Runs `work` while the data directory is ours; not at all when `signal` fires before it is.
 *  @param url of the HTTP interface, for owner.json
 *  @param work `lost` rejects with Fenced when another daemon has taken over
 *  @throws Held; what `work` throws */
export async function withLease(
  { root, world, signal, complain }: Ground,
  url: string,
  work: (lease: Lease, lost: Promise<never>) => Promise<void>,
): Promise<void> {
  let lose: (error: Fenced) => void = () => {}
  const lost = new Promise<never>((_resolve, reject) => {
    lose = reject
  })
  lost.catch(() => {}) // whoever works hears of it; before that nobody does
  const taking = takeLease(root, world, () => lose(new Fenced()), complain)
  const taken = await Promise.race([taking, whenAborted(signal)])
  if (taken === undefined) {
    // Told to end while another's lock runs out: what comes of the wait is given back, or ends with the process.
    taking.then(late => late.lease.release()).catch(() => {})
    return
  }
  const { lease, previous } = taken
  try {
    await startClean(root, previous?.boot_id, { now: world.now(), tell: complain })
    await lease.announce(url)
    if (!signal.aborted) await work(lease, lost)
  } finally {
    await lease.release()
  }
}

/** @returns a sentence on the daemon that holds the directory now; undefined when none does */
export async function whoHolds(root: Root, world: World): Promise<string | undefined> {
  const quiet: Root = { ...root, fenced: false }
  try {
    const { lease } = await takeLease(
      quiet,
      world,
      () => {},
      () => {},
      // One look: a living holder has renewed its lock within the last 3 s.
      { ...leaseTimes, everyMs: 0, tries: 0 },
    )
    await lease.release()
    return undefined
  } catch (error) {
    if (error instanceof Held) return heldBy(root, error)
    throw error
  }
}

export function heldBy(root: Root, held: Held): string {
  const { owner } = held
  const who =
    owner === undefined
      ? 'another daemon'
      : `the daemon with pid ${owner.pid} on ${owner.host}, started ${owner.started}${owner.url === null ? '' : `, at ${owner.url}`}`
  return `${root.dir} is in use by ${who}; stop that one first, or use it`
}
