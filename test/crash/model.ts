// What was acknowledged, and so what may lie there in the end. Knows nothing of the disk or the daemon.

import type { Chance } from './chance.ts'
import type { Known } from './universe.ts'

/** How a NAME may end. `left`: its request was taken away by hand, what has come stays. `harmed`: a person took or changed a file of a
 *  whole dataset, and nobody asked again. */
export type End = 'whole' | 'gone' | 'left' | 'harmed'

export type Harm = {
  readonly sum: string
  readonly at: number
  /** no entry of a folder changed with it */
  readonly inPlace: boolean
  /** the dataset was removed since, and what a person wrote may be anywhere */
  readonly over?: true
}

export class Model {
  readonly all: readonly Known[]
  /** more than one where the daemon was killed before it had answered */
  readonly #ends = new Map<string, ReadonlySet<End>>()
  /** one act at a time on each NAME */
  readonly #busy = new Set<string>()
  /** NAMEs of which something was taken away since the ledger was written: their bytes may come again */
  readonly disturbed = new Set<string>()
  /** `NAME/PATH` -> what a person put there, by its sum, and when */
  readonly harm = new Map<string, Harm>()
  /** NAMEs in which a person ever changed a file */
  readonly wasHarmed = new Set<string>()
  /** file dropped into watch/ that has no answer yet -> NAMEs */
  readonly drops = new Map<string, readonly string[]>()
  /** all that were ever dropped */
  readonly dropped = new Map<string, readonly string[]>()
  readonly counts = new Map<string, number>()

  #answered = 0
  #waits: { readonly at: number; readonly resolve: () => void } | undefined

  constructor(all: readonly Known[]) {
    this.all = all
    for (const { name } of all) this.#ends.set(name, new Set(['gone']))
  }

  get(name: string): Known {
    const found = this.all.find(each => each.name === name)
    if (found === undefined) throw new Error(`the model knows no ${name}`)
    return found
  }

  ends(name: string): ReadonlySet<End> {
    return this.#ends.get(name) ?? new Set()
  }

  isOnly(name: string, end: End): boolean {
    const ends = this.ends(name)
    return ends.size === 1 && ends.has(end)
  }

  /** It was answered, or done by hand: nothing else counts any more. */
  is(name: string, end: End): void {
    this.#ends.set(name, new Set([end]))
    if (end === 'gone') this.disturbed.add(name)
  }

  /** Asked for, and not answered yet. */
  may(name: string, end: End): void {
    this.#ends.set(name, new Set([...this.ends(name), end]))
    if (end === 'gone') this.disturbed.add(name)
  }

  /** The daemon has answered a wish. */
  answered(): void {
    this.#answered += 1
    if (this.#waits !== undefined && this.#answered >= this.#waits.at) this.#waits.resolve()
  }

  /** Resolves with the so many-th answer from now on. */
  whenAnswered(count: number): Promise<void> {
    return new Promise(resolve => {
      this.#waits = { at: this.#answered + count, resolve }
    })
  }

  isAwaited(name: string): boolean {
    return [...this.drops.values()].some(names => names.includes(name))
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  /** Runs an act on up to `most` NAMEs that nobody else is at; does nothing when there is none that suits. */
  async withNames(
    chance: Chance,
    most: number,
    suits: (known: Known) => boolean,
    act: (all: readonly [Known, ...Known[]]) => Promise<void>,
  ): Promise<void> {
    const taken: Known[] = []
    for (let i = 0; i < most; i++) {
      const known = chance.of(this.all.filter(each => !this.#busy.has(each.name) && suits(each)))
      if (known === undefined) break
      this.#busy.add(known.name)
      taken.push(known)
    }
    const [first, ...others] = taken
    try {
      if (first !== undefined) await act([first, ...others])
    } finally {
      for (const { name } of taken) this.#busy.delete(name)
    }
  }
}
