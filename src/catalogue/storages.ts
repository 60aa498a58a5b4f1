// What the catalogue has told of the storages so far, so that it need not be asked for it again with each file: how each speaks, and which
// is nearer. A server (41.5.1, measured) makes an address for each protocol of each replica and sorts them by distance, which takes 2 ms
// of its CPU for each; with one address of each storage, unsorted, a file is a tenth of the work. Never guesses at a storage that is new.

import type { Replica } from '../words/replica.ts'

// Without a list the server names one protocol of each RSE, and that may be one that we have no engine for. What nobody here can fetch
// from is asked for as well, so that such a file counts as one that no engine takes, not as one without a replica.
const all = 'https davs http dav root roots file srm gsiftp s3s s3 gs swift magnet'.split(' ')

/** A site may get another protocol, and this machine another place. */
const knownMs = 10 * 60_000
const mostOrders = 64

/** The part of the body of POST /replicas/list that says how. */
export type How = { readonly schemes: readonly string[]; readonly sort?: 'random' }

/** One for each server. */
export class Storages {
  /** RSE -> the scheme that it is asked for; undefined = it gives no address at all */
  readonly #best = new Map<string, string | undefined>()
  /** RSEs as the server put them for one file, nearest first */
  #orders: (readonly string[])[] = []
  #since = 0

  /** @param everything after a failure: each way to each replica
   *  @param now ms since 1970 */
  ask(everything: boolean, now: number): How {
    if (now - this.#since >= knownMs || now < this.#since) this.#forget()
    const schemes = new Set([...this.#best.values()].flatMap(each => each ?? []))
    if (everything || schemes.size === 0) return { schemes: all }
    return { schemes: [...schemes].sort(), sort: 'random' }
  }

  /** Was it the question for everything? */
  isAll(how: How): boolean {
    return how.schemes === all
  }

  /** From an answer to a question for everything.
   *  @param rses where the file lies, with an address or without
   *  @param replicas nearest first */
  learn(rses: readonly string[], replicas: readonly Replica[], now: number): void {
    if (this.#best.size === 0) this.#since = now
    const best = new Map<string, Replica>()
    for (const each of replicas) {
      const before = best.get(each.rse)
      if (before === undefined || rank(each) < rank(before)) best.set(each.rse, each)
    }
    for (const rse of rses) this.#best.set(rse, best.get(rse)?.pfn.scheme)
    if (this.#orderOf(rses) !== undefined) return
    const order = [...new Set([...best.keys(), ...rses])]
    this.#orders = [...this.#orders.slice(1 - mostOrders), order]
  }

  /** The replicas of an answer to a lesser question, nearest first and numbered so.
   *  @returns undefined where it names storages that are not known, or were never seen side by side: the file is to be asked for in full */
  arrange(rses: readonly string[], replicas: readonly Replica[]): readonly Replica[] | undefined {
    const order = this.#orderOf(rses)
    if (order === undefined) return undefined
    const place = (each: Replica): number => order.indexOf(each.rse)
    return [...replicas]
      .sort((a, b) => place(a) - place(b) || rank(a) - rank(b))
      .map((each, i) => ({ ...each, priority: i + 1 }))
  }

  #orderOf(rses: readonly string[]): readonly string[] | undefined {
    return this.#orders.find(order => rses.every(each => order.includes(each)))
  }

  #forget(): void {
    this.#best.clear()
    this.#orders = []
  }
}

/** decide/replicas.ts orders by engine as well; this only says what is to be heard of at all. */
function rank({ pfn }: Replica): number {
  if (pfn.scheme === 'https' || pfn.scheme === 'davs') return 0
  if (pfn.scheme === 'root' || pfn.scheme === 'roots') return 1
  return pfn.scheme === 'http' || pfn.scheme === 'dav' ? 2 : 3
}
