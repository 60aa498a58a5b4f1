// Wishes of HTTP and of the watch folder become files of requests/ and catalogue/, durable before they are answered.
// Never fetches, deletes or asks Rucio: the loop does, and it reads these files.

import { layout, type Root } from '../disk/layout.ts'
import { readListing } from '../disk/lines.ts'
import { makeDir, put } from '../disk/put.ts'
import { names } from '../disk/read.ts'
import { caseTwin, didHere, isRequestKept, knownNames, type Said, wordOf } from '../disk/word.ts'
import type { Destination } from '../words/destination.ts'
import { type Did, parseDid, printDid } from '../words/did.ts'
import { didOfName, nameOf } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import { toIso, type World } from '../words/world.ts'
import { isFresh, wholeListing } from './listed.ts'
import { type Keys, putAside, readWish, rewrite, type Wish } from './wish.ts'

export type Accepted =
  | ({ readonly kind: 'answer' } & Said)
  | { readonly kind: 'name_taken'; readonly by: string }
  | { readonly kind: 'queue_full' }

/** Wishes, one at a time (a queue of promises per process). Each returns once the wish survives a power cut; disk errors are thrown. */
export type Accept = {
  /** POST /ds and the watch folder.
   *  @param to where it shall lie, null = on this disk; left out: as its request says already, or else config.json */
  want(did: Did, to?: Destination | null): Promise<Accepted>
  /** DELETE /ds: `"remove": true` */
  remove(did: Did): Promise<Accepted>
  /** GET /dsfiles: catalogue/NAME.queued, unless there is a fresh answer; 100 at most */
  list(did: Did): Promise<'queued' | 'queue_full'>
  /** Runs in the same queue: while it runs no wish is written. For the loop's own steps on requests/. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
}

/** Requests, and listings, that may wait. */
export const most = { requests: 10_000, listings: 100 }
export type Most = typeof most
/** How long a count of requests/ is believed, our own additions counted. */
const countMs = 5000

/** @param wake tells the loop that there is something new */
export function openAccept(root: Root, world: World, wake: () => void, bounds: Most = most): Accept {
  let last: Promise<unknown> = Promise.resolve()
  /** One at a time, so that two wishes of one NAME cannot undo each other. A failed one does not hinder the next. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work)
    last = next.catch(() => {
      // Whoever asked for it has this error; the queue only waits for the end.
    })
    return next
  }
  const turn = {
    root,
    world,
    isFull: countRequests(root, world, bounds.requests),
    wake,
    mostListings: bounds.listings,
  }
  return {
    want: (did, to) => inTurn(() => want(turn, did, to)),
    remove: did => inTurn(() => remove(turn, did)),
    exclusive: inTurn,
    list: did =>
      inTurn(async () => {
        const answer = await list(root, world, did, bounds.listings)
        wake()
        return answer
      }),
  }
}

/** Whether requests/ can take one more. Counts by reading the directory only now and then: a flood must not read it each time. */
function countRequests(root: Root, world: World, mostRequests: number): () => Promise<boolean> {
  let counted = { at: Number.NEGATIVE_INFINITY, files: 0 }
  return async () => {
    const now = world.now()
    const old = now - counted.at > countMs || now < counted.at
    if (old || counted.files >= mostRequests) {
      const files = (await names(layout.requests(root))).filter(file => file.endsWith('.json')).length
      counted = { at: now, files }
    }
    if (counted.files >= mostRequests) return true
    counted.files++
    return false
  }
}

type Turn = {
  readonly root: Root
  readonly world: World
  readonly isFull: () => Promise<boolean>
  readonly wake: () => void
  readonly mostListings: number
}

async function want(turn: Turn, did: Did, to: Destination | null | undefined): Promise<Accepted> {
  const { root, world, wake } = turn
  const name = nameOf(did)
  const taken = await takenBy(root, name, did)
  if (taken !== undefined) return { kind: 'name_taken', by: taken }
  let full = false
  let other: string | undefined
  /** known already, since nothing was written */
  let said: Said | undefined
  await untilDone(async () => {
    const wish = await readWish(root, layout.request(root, name))
    other = didOfOther(wish, name)
    if (other !== undefined) return true
    // A broken text is its user's: it stays, and it is already a wish that waits to be mended.
    if (wish.kind === 'broken') return true
    if (wish.kind === 'good') {
      const { remove: _, ...kept } = wish.keys
      if (to !== undefined && !isSameDestination(wish.request.destination, to))
        return await rewrite(root, name, wish.text, { ...kept, destination: to })
      return !wish.request.remove || (await rewrite(root, name, wish.text, kept))
    }
    const now = await wordOf(root, name, world.now())
    // What is whole on this disk and shall be at a site as well is a wish still.
    if (now.word === 'local' && (to ?? null) === null && (await isRequestKept(root, name))) {
      said = now
      return true
    }
    full = await turn.isFull()
    if (!full) await putWish(root, world, did, to === undefined ? {} : { destination: to })
    return true
  })
  if (other !== undefined) return { kind: 'name_taken', by: other }
  if (full) return { kind: 'queue_full' }
  await askAgain(turn, did)
  wake()
  return { kind: 'answer', ...(said ?? (await wordOf(root, name, world.now()))) }
}

async function remove(turn: Turn, did: Did): Promise<Accepted> {
  const { root, world, wake } = turn
  const name = nameOf(did)
  const taken = await takenBy(root, name, did)
  if (taken !== undefined) return { kind: 'name_taken', by: taken }
  let other: string | undefined
  await untilDone(async () => {
    const wish = await readWish(root, layout.request(root, name))
    other = didOfOther(wish, name)
    if (other !== undefined) return true
    if (wish.kind === 'good') {
      return wish.request.remove || (await rewrite(root, name, wish.text, { ...wish.keys, remove: true }))
    }
    // The removal counts, and so does the text: it goes aside as NAME.json.bad-TIME in requests/.
    if (wish.kind === 'broken') await putAside(root, name, world.now())
    if (!(await knownNames(root)).has(name)) return true
    // A removal makes room, so a full queue does not refuse it.
    await putWish(root, world, did, { remove: true })
    return true
  })
  if (other !== undefined) return { kind: 'name_taken', by: other }
  wake()
  return { kind: 'answer', ...(await wordOf(root, name, world.now())) }
}

/** What the new one leaves out stays as the request has it. */
function isSameDestination(old: Destination | null | undefined, now: Destination | null): boolean {
  if (old === undefined || old === null || now === null) return old === now
  return old.rse === now.rse && (now.mount === undefined || now.mount === old.mount)
}

/** A request that a person put under this name and whose `did` says another: the loop renames it within seconds, and until then the
 *  name is not free. */
function didOfOther(wish: Wish, name: string): string | undefined {
  if (wish.kind !== 'good' || wish.request.did === undefined) return undefined
  const did = parseDid(wish.request.did)
  return did instanceof Trouble || nameOf(did) === name ? undefined : printDid(did)
}

/** A person's editor may change a text while it is rewritten; more often than five times it is no editor. */
async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 5; i++) if (await attempt()) return
  throw new Trouble('disk_error', 'the request changes all the time, so it was left as it is')
}

async function putWish(root: Root, world: World, did: Did, more: Keys): Promise<void> {
  const name = nameOf(did)
  // A person may have deleted requests/ with all that was in it.
  await makeDir(layout.requests(root), root)
  await put(root, layout.request(root, name), {
    format: 1,
    ...(await keysKept(root, name)),
    // `did` stands in a request only where the file's name does not say it (a name that was cut).
    ...(didOfName(name) instanceof Trouble ? { did: printDid(did) } : {}),
    created: toIso(world.now()),
    ...more,
  })
}

async function list(
  root: Root,
  world: World,
  did: Did,
  mostListings: number,
): Promise<'queued' | 'queue_full'> {
  if ((await wholeListing(root, did, world.now())) !== undefined) return 'queued'
  const files = (await names(layout.catalogue(root))).filter(file => file.endsWith('.queued'))
  const name = nameOf(did)
  if (files.includes(`${name}.queued`)) return 'queued'
  if (files.length >= mostListings) return 'queue_full'
  await put(root, layout.queued(root, name), {
    format: 1,
    did: printDid(did),
    created: toIso(world.now()),
  })
  return 'queued'
}

/** A POST asks again for the listing of what is open, or a container, when it is older than an hour. What has no listing yet is
 *  asked for by its request alone. A full queue of listings is no reason to refuse the wish. */
async function askAgain(turn: Turn, did: Did): Promise<void> {
  const { root, world } = turn
  const head = await readListing(root, layout.listing(root, nameOf(did)))
  if (head !== undefined && !isFresh(head, world.now())) await list(root, world, did, turn.mostListings)
}

/** Another DID that has this NAME, or one that differs from it by letter case only. */
async function takenBy(root: Root, name: string, did: Did): Promise<string | undefined> {
  const twin = await caseTwin(root, name)
  if (twin !== undefined) return twin
  const here = await didHere(root, name)
  return here === undefined || printDid(here) === printDid(did) ? undefined : printDid(here)
}

/** What the user once said of a dataset (priority, destination, keys of their own) holds for its repair or removal too. */
async function keysKept(root: Root, name: string): Promise<Keys> {
  const kept = await readWish(root, layout.keptRequest(root, name))
  if (kept.kind !== 'good') return {}
  const { remove: _, repair: __, ...keys } = kept.keys
  return keys
}
