// Which schemes are worth asking for. A server makes an address for each protocol of each replica, and takes 1.5 to 2 ms of its CPU for each
// (41.5.1, measured): one address of each storage is a third of the work. Never leaves a storage out that is not known.

import type { Replica } from '../words/replica.ts'

// Without a list the server names one protocol of each RSE, and that may be one that we have no engine for. What nobody here can fetch
// from is asked for as well, so that such a file counts as one that no engine takes, not as one without a replica.
const all = 'https davs http dav root roots file srm gsiftp s3s s3 gs swift magnet'.split(' ')

/** A site may get another protocol. */
const knownMs = 10 * 60_000

/** What the answers have told of the storages so far. One for each server. */
export class Schemes {
  /** RSE -> the scheme that it is asked for; undefined = it gives no address at all */
  readonly #best = new Map<string, string | undefined>()
  #since = 0

  /** @param everything after a failure: each way to each replica
   *  @param now ms since 1970 */
  ask(everything: boolean, now: number): readonly string[] {
    if (now - this.#since >= knownMs || now < this.#since) this.#best.clear()
    if (everything || this.#best.size === 0) return all
    const best = new Set([...this.#best.values()].flatMap(each => each ?? []))
    return best.size === 0 ? all : [...best].sort()
  }

  /** @param asked what ask() said */
  isAll(asked: readonly string[]): boolean {
    return asked === all
  }

  /** From an answer to a question for all of them.
   *  @param rses where the file lies, with an address or without */
  learn(rses: Iterable<string>, replicas: readonly Replica[], now: number): void {
    if (this.#best.size === 0) this.#since = now
    const best = new Map<string, Replica>()
    for (const each of replicas) {
      const before = best.get(each.rse)
      if (before === undefined || isBetter(each, before)) best.set(each.rse, each)
    }
    for (const rse of rses) this.#best.set(rse, best.get(rse)?.pfn.scheme)
  }

  /** Does an answer name a storage whose ways are not known yet? */
  isNew(rses: Iterable<string>): boolean {
    for (const rse of rses) if (!this.#best.has(rse)) return true
    return false
  }
}

function isBetter(one: Replica, other: Replica): boolean {
  const [a, b] = [rank(one.pfn.scheme), rank(other.pfn.scheme)]
  return a === b ? one.priority < other.priority : a < b
}

/** decide/replicas.ts orders by engine as well; this only says what is to be heard of at all. */
function rank(scheme: string): number {
  if (scheme === 'https' || scheme === 'davs') return 0
  if (scheme === 'root' || scheme === 'roots') return 1
  return scheme === 'http' || scheme === 'dav' ? 2 : 3
}
