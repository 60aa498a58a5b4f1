// Chance that a seed repeats: the same choices in the same order. Never the machine's own.

export type Chance = {
  /** in [0, 1) */
  next(): number
  /** a whole number in [from, to) */
  between(from: number, to: number): number
  of<T>(all: readonly T[]): T | undefined
  is(likelihood: number): boolean
}

/** mulberry32 */
export function openChance(seed: number): Chance {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from))
  return {
    next,
    between,
    of: all => all[between(0, all.length)],
    is: likelihood => next() < likelihood,
  }
}
