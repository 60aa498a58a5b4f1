// Which of many numbers are meant, a bit each: 200,000 files of a listing in 25 kB. Never shrinks.

export type Bits = {
  /** how many are set */
  readonly count: number
  has(number: number): boolean
  set(number: number): void
  clear(number: number): void
}

/** @param numbers not negative */
export function emptyBits(): Bits {
  let bytes = new Uint8Array(64)
  let count = 0
  const has = (number: number): boolean => ((bytes[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  return {
    get count() {
      return count
    },
    has,
    set(number) {
      if (has(number)) return
      const byte = number >>> 3
      if (byte >= bytes.length) {
        const more = new Uint8Array(2 * (byte + 1))
        more.set(bytes)
        bytes = more
      }
      bytes[byte] = (bytes[byte] ?? 0) | (1 << (number & 7))
      count++
    },
    clear(number) {
      if (!has(number)) return
      const byte = number >>> 3
      bytes[byte] = (bytes[byte] ?? 0) & ~(1 << (number & 7))
      count--
    },
  }
}
