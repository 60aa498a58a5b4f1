// Replicas of files that are about to be fetched: asked in slices, just before use, shared by the lanes. Never orders them.

import type { Rucio } from '../catalogue/rucio.ts'
import { orAbort } from '../outside/abort.ts'
import { readFullDid } from '../words/names.ts'
import type { FileReplicas } from '../words/replica.ts'
import type { World } from '../words/world.ts'

/** The first slice is small, so that the first byte comes soon; then as many as a central server answers well (facts/rucio.md 5). */
const slices = [16, 64, 250] as const
/** URLs may be signed and sites go down: an answer is not used for longer. */
const keptMs = 5 * 60_000

/** Enough answers lie ready then: more would only grow old. */
const keptMost = 300

/** A server that is slow is not made faster by more questions at once (a loaded one took a minute for 250 files). */
const callsAtOnce = 2

type Kept = { readonly at: number; readonly answer: Promise<FileReplicas | undefined> }

export type ReplicaBook = {
  /** @param next DIDs that will be wanted after this one, nearest first
   *  @throws Trouble of the catalogue */
  of(did: string, next: () => Iterable<string>, signal: AbortSignal): Promise<FileReplicas>
  /** After a failure the next try asks anew. */
  forget(did: string): void
}

export function openReplicaBook(rucio: Pick<Rucio, 'replicas'>, world: World): ReplicaBook {
  const kept = new Map<string, Kept>()
  const calls = new Set<Promise<unknown>>()
  /** files that failed: of these each way is to be known */
  const failed = new Set<string>()
  let asked = 0

  function ask(dids: readonly string[]): void {
    const at = world.now()
    for (const [did, entry] of kept) if (at - entry.at >= keptMs) kept.delete(did)
    // A slice serves many lanes: one lane's end must not take the answer from the others.
    const all = rucio.replicas(
      dids.flatMap(each => {
        const did = readFullDid(each)
        return did === undefined ? [] : [did]
      }),
      AbortSignal.timeout(120_000),
      dids.filter(each => failed.delete(each)).length > 0,
    )
    asked += 1
    const call: Promise<boolean> = all.then(
      () => calls.delete(call),
      () => calls.delete(call),
    )
    calls.add(call)
    for (const did of dids) {
      const answer = all.then(found => found.get(did))
      answer.catch(() => {
        // Whoever waits for this file is told; the others ask anew.
        if (kept.get(did)?.answer === answer) kept.delete(did)
      })
      kept.set(did, { at, answer })
    }
  }

  function missing(dids: Iterable<string>, most: number): string[] {
    const found: string[] = []
    for (const did of dids) {
      if (found.length >= most) break
      if (!isKept(did)) found.push(did)
    }
    return found
  }

  function isKept(did: string): boolean {
    const entry = kept.get(did)
    return entry !== undefined && world.now() - entry.at < keptMs
  }

  return {
    async of(did, next, signal) {
      // Another lane's answer may bring this file, too; and it may be dropped again when its call fails.
      while (!isKept(did) && calls.size >= callsAtOnce) await orAbort(Promise.race(calls), signal)
      const most = slices[Math.min(asked, slices.length - 1)] ?? 250
      if (!isKept(did)) ask([did, ...missing(withoutFirst(did, next()), most - 1)])
      else if (kept.size < keptMost && calls.size < callsAtOnce) {
        // Half a slice ahead the next one is asked, so that no lane waits for it.
        const ahead = missing(next(), most)
        if (ahead.length >= most / 2) ask(ahead)
      }
      const found = await orAbort(kept.get(did)?.answer ?? Promise.resolve(undefined), signal)
      kept.delete(did)
      return found ?? { did, bytes: 0, replicas: [], refused: 0 }
    },
    forget(did) {
      kept.delete(did)
      failed.add(did)
    },
  }
}

function* withoutFirst(did: string, dids: Iterable<string>): Iterable<string> {
  for (const each of dids) if (each !== did) yield each
}
