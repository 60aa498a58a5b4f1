// Many short ASCII texts, each once, in the order in which they came: 200,000 names take some 12 MB in three arrays, where a Set of
// strings takes five times that and is walked by each garbage collection. Never forgets one.

/** Texts of characters up to 0x7F, numbered from 0. */
export type Texts = {
  readonly size: number
  /** @returns its number, the one that it has already where it came before
   *  @throws RangeError for a text with other characters */
  add(text: string): number
  /** @returns its number, -1 where it did not come */
  find(text: string): number
  /** @param number below `size` */
  at(number: number): string
}

/** @param seed makes the places of the table another order in each process: who chooses the names (anybody who writes to the catalogue)
 *  cannot choose them so that each is looked for at the place of all others */
export function emptyTexts(seed: number): Texts {
  /** the texts one after the other, and where each ends */
  let bytes = new Uint8Array(1024)
  let ends = new Uint32Array(64)
  let hashes = new Uint32Array(64)
  /** number + 1 at the place that a text's hash names, or the next free one after it; 0 = free. Half of it stays free */
  let table = new Uint32Array(128)
  let size = 0

  const startOf = (number: number): number => (number === 0 ? 0 : (ends[number - 1] ?? 0))

  const isAt = (number: number, text: string, hash: number): boolean => {
    if (hashes[number] !== hash) return false
    const start = startOf(number)
    if ((ends[number] ?? 0) - start !== text.length) return false
    for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false
    return true
  }

  /** Where the text's number stands, or would. */
  const placeOf = (text: string, hash: number): number => {
    const mask = table.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const entry = table[place] ?? 0
      if (entry === 0 || isAt(entry - 1, text, hash)) return place
    }
  }

  const growTable = (): void => {
    const old = table
    table = new Uint32Array(2 * old.length)
    const mask = table.length - 1
    for (const entry of old) {
      if (entry === 0) continue
      let place = (hashes[entry - 1] ?? 0) & mask
      while (table[place] !== 0) place = (place + 1) & mask
      table[place] = entry
    }
  }

  const at = (number: number): string =>
    String.fromCharCode(...bytes.subarray(startOf(number), ends[number] ?? 0))

  return {
    get size() {
      return size
    },
    add(text) {
      const hash = hashOf(text, seed)
      const place = placeOf(text, hash)
      const known = table[place] ?? 0
      if (known !== 0) return known - 1
      const start = startOf(size)
      const end = start + text.length
      if (end > bytes.length) bytes = grown(bytes, new Uint8Array(roomFor(end)))
      if (size >= ends.length) {
        ends = grown(ends, new Uint32Array(roomFor(size + 1)))
        hashes = grown(hashes, new Uint32Array(ends.length))
      }
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i)
        if (code > 0x7f) throw new RangeError(`not ASCII: ${text.slice(0, 80)}`)
        bytes[start + i] = code
      }
      ends[size] = end
      hashes[size] = hash
      table[place] = ++size
      if (2 * size > table.length) growTable()
      return size - 1
    },
    find: text => (table[placeOf(text, hashOf(text, seed))] ?? 0) - 1,
    at,
  }
}

/** A half more than is needed: twice would leave as much behind each time. */
export function roomFor(length: number): number {
  return Math.ceil(length * 1.5)
}

export function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** Murmur's steps: with another seed other texts meet. */
function hashOf(text: string, seed: number): number {
  let hash = seed | 0
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ text.length, 0x27d4eb2f)
  return (hash ^ (hash >>> 13)) >>> 0
}
