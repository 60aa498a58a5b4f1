// One daemon at a time: a lease (the mtime of a directory), and owner.json, which alone decides (DESIGN.md rule 7).
// Never trusts a pid, and never removes a lock that may be another's.

import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Owner, readOwner } from '../words/owner.ts'
import { codeOf, toTrouble } from '../words/reason.ts'
import { toIso, type World } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import { dropFresh, tryLock } from './lock.ts'
import { makeDir, ownership, put } from './put.ts'
import { readRecord } from './read.ts'
import { toDisk } from './way.ts'

export type Lease = {
  /** ms since 1970 of the last renewal that succeeded; 0 where the file system lets none succeed (look at owner.json then) */
  renewedAt(): number
  /** owner.json gets the URL in use */
  announce(url: string): Promise<void>
  release(): Promise<void>
}

/** Somebody else holds the data directory. */
export class Held extends Error {
  readonly owner: Owner | undefined

  constructor(owner: Owner | undefined) {
    const where = owner?.url === undefined || owner.url === null ? '' : `, at ${owner.url}`
    const who = owner === undefined ? '' : ` (process ${owner.pid} on ${owner.host}${where})`
    super(`another desktop-rucio is at work in this data directory${who}`)
    this.owner = owner
  }
}

/** For tests alone: waiting for the real times would take them a minute. */
export type Times = {
  readonly staleMs: number
  readonly updateMs: number
  readonly everyMs: number
  readonly tries: number
}

// A killed holder renewed at most 3 s before, and the lock may be dated up to 1 s ahead (proper-lockfile rounds its
// mtime up), so the next one is in after 9.3 s at the latest; who waits 12 s in vain has met a living one.
export const leaseTimes: Times = { staleMs: 8000, updateMs: 3000, everyMs: 250, tries: 48 }

/** DESIGN.md rule 7. Tries every 250 ms for up to 12 s, then Held. `lost` is called once when owner.json is another's.
 *  Where a share refuses the renewal (utimes: EPERM, ENOTSUP) owner.json is all there is: `warn` says so, and the last one
 *  to start takes over. Of a root that is read-only nothing is taken.
 *  @returns the lease and the owner before (for prepare())
 *  @throws Held; Trouble when the disk takes no write */
export async function takeLease(
  root: Root,
  world: World,
  lost: () => void,
  warn: (text: string) => void,
  times: Times = leaseTimes,
): Promise<{ readonly lease: Lease; readonly previous: Owner | undefined }> {
  if (root.readOnly === true) return { lease: noLease(world), previous: await ownerOf(root) }
  await makeDir(layout.lock(root))
  const keeper = new Keeper(root, world, { lost, warn }, times)
  for (let tries = 0; !(await keeper.take()); tries++) {
    if (tries >= times.tries) throw new Held(await ownerOf(root))
    await sleep(times.everyMs)
  }
  try {
    const previous = await ownerOf(root)
    await keeper.begin()
    return { lease: keeper, previous }
  } catch (error) {
    await keeper.giveUp()
    throw toDisk(error)
  }
}

class Keeper implements Lease {
  readonly #root: Root
  readonly #world: World
  readonly #tell: { readonly lost: () => void; readonly warn: (text: string) => void }
  readonly #times: Times
  readonly #started: string
  #renewedAt = 0
  /** owner.json was made ours under this lock */
  #mine = false
  #unlock: (() => Promise<void>) | undefined
  #watch: NodeJS.Timeout | undefined
  #over = false

  constructor(
    root: Root,
    world: World,
    tell: { readonly lost: () => void; readonly warn: (text: string) => void },
    times: Times,
  ) {
    this.#root = root
    this.#world = world
    this.#tell = tell
    this.#times = times
    this.#started = toIso(world.now())
  }

  renewedAt(): number {
    return this.#renewedAt
  }

  async announce(url: string): Promise<void> {
    await this.#putOwner(this.#root, url)
  }

  /** owner.json becomes ours: it cannot be fenced, since it still names the one before. */
  async begin(): Promise<void> {
    await this.#putOwner({ ...this.#root, fenced: false }, null)
    this.#mine = true
  }

  async release(): Promise<void> {
    this.#over = true
    clearInterval(this.#watch)
    const unlock = this.#unlock
    this.#unlock = undefined
    try {
      await unlock?.()
    } catch (error) {
      // It was compromised meanwhile: then there is nothing of ours to remove.
      if (!['ERELEASED', 'ENOTACQUIRED'].includes(codeOf(error) ?? ''))
        throw codeOf(error) === 'ELOCKED' ? error : toDisk(error)
    }
  }

  /** A lock that was taken, but whose owner.json could not be written. */
  async giveUp(): Promise<void> {
    try {
      await this.release()
    } catch (error) {
      // Without owner.json a fresh lock cannot be told from another's, so unlocking left it; but we made it a moment ago.
      if (codeOf(error) !== 'ELOCKED') throw error
      await dropFresh(layout.lease(this.#root))
    }
  }

  /** One try. @returns false while somebody holds it */
  async take(): Promise<boolean> {
    this.#mine = false
    const got = await tryLock({
      root: this.#root,
      world: this.#world,
      ...this.#times,
      isMine: () => this.#mine,
      renewed: at => {
        this.#renewedAt = at
      },
      compromised: () => void this.#retake(),
    })
    if (got.kind === 'busy') return false
    if (got.kind === 'held') this.#unlock = got.unlock
    else this.#fenceAlone(got.code)
    return true
  }

  /** The lock was touched by others, or could not be renewed in time. That is no verdict: owner.json is. Nothing is
   *  written meanwhile without a look at it, since renewedAt() stands still. */
  async #retake(): Promise<void> {
    this.#unlock = undefined
    let told = false
    while (!this.#over) {
      let pauseMs = this.#times.everyMs
      try {
        const whose = await ownership(this.#root)
        if (whose === 'another') return this.#end()
        if (whose === 'missing') pauseMs = this.#times.updateMs
        else if (await this.take()) {
          this.#mine = true
          // release() may have come while the lock was on its way.
          if (this.#over) await this.release()
          return
        }
      } catch (error) {
        pauseMs = this.#times.updateMs
        if (!told)
          this.#tell.warn(`the lock could not be taken anew yet: ${toTrouble(toDisk(error)).message}`)
        told = true
      }
      await sleep(pauseMs, undefined, { ref: false })
    }
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#watch)
    this.#tell.lost()
  }

  #fenceAlone(code: string): void {
    this.#renewedAt = 0
    this.#tell.warn(
      `the lock cannot be renewed on this file system (${code}): the data directory is guarded by owner.json alone,` +
        ' so a second daemon would take it over instead of being refused',
    )
    clearInterval(this.#watch)
    this.#watch = setInterval(() => void this.#look(), this.#times.updateMs).unref()
  }

  async #look(): Promise<void> {
    try {
      if ((await ownership(this.#root)) === 'another') this.#end()
    } catch {
      // A disk that does not answer is no verdict; each write looks for itself.
    }
  }

  async #putOwner(root: Root, url: string | null): Promise<void> {
    const owner: Owner = {
      format: 1,
      boot_id: root.bootId,
      host: hostname(),
      pid: process.pid,
      url,
      started: this.#started,
    }
    await put(root, layout.owner(root), owner)
  }
}

function noLease(world: World): Lease {
  return { renewedAt: () => world.now(), announce: async () => undefined, release: async () => undefined }
}

/** Who owned the data directory last; an owner.json that cannot be read names nobody. */
async function ownerOf(root: Root): Promise<Owner | undefined> {
  return await readRecord({ ...root, fenced: false }, layout.owner(root), readOwner)
}
