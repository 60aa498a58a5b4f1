// Body bytes -> slabs -> the part. One copy at most: a slab is summed where it lies and written from there. Never opens a connection.

import { AdlerMemory, printAdler32 } from '../words/adler32.ts'
import { pieceBytes, type Range } from '../words/part.ts'

// 64 KiB slabs cost 1.4 times the CPU of 1 MiB, 4 MiB gains nothing (facts/engine.md 1).
const slabBytes = 2 ** 20
// One fills, one is being written, one takes what still comes after a pause.
const slabs = 3
const mostIdle = 16
const idle: AdlerMemory[] = []

/** A stretch that one connection is to bring. `to` may come nearer while it runs, when another connection takes the rest. */
export type Claim = {
  /** where it began: bytes from here to `at` have come, and are written when the filler has ended */
  readonly from: number
  /** the next byte that is to come */
  at: number
  to: number
}

/** Where the bytes go: a Part, or what a test gives. */
export type Target = { write(bytes: Uint8Array, ranges: readonly Range[]): Promise<void> }

export class Filler {
  readonly claim: Claim
  /** set by whoever reads the connection: there is room again */
  onRoom: () => void = () => {}
  /** set by whoever reads the connection: writing failed, nothing more is taken */
  onError: (error: unknown) => void = () => {}
  readonly #target: Target
  readonly #rse: string
  readonly #came: (bytes: number) => void
  readonly #memory = idle.pop() ?? new AdlerMemory(slabs * slabBytes)
  readonly #free = [1, 2]
  #slab = 0
  #filled = 0
  #paused = false
  #tail: Promise<void> = Promise.resolve()
  #failed: { readonly error: unknown } | undefined

  /** @param came told of bytes as they come, before they are written */
  constructor(claim: Claim, rse: string, target: Target, came: (bytes: number) => void) {
    this.claim = claim
    this.#rse = rse
    this.#target = target
    this.#came = came
  }

  /** true when all of the claim has come (it may not be written yet) */
  get isFull(): boolean {
    return this.claim.at >= this.claim.to
  }

  /** true while the disk is behind: the connection is not to be read */
  get isPaused(): boolean {
    return this.#paused
  }

  /** Copies a chunk; what lies beyond the claim is left out. @returns false = read no more until onRoom() */
  push(chunk: Uint8Array): boolean {
    for (let taken = 0; taken < chunk.length && !this.isFull; ) {
      const room = this.room(chunk.length - taken)
      room.set(chunk.subarray(taken, taken + room.length))
      taken += room.length
      this.filled(room.length)
    }
    return !this.#paused
  }

  /** Where the next bytes may land, in place, at most `most`; never empty unless the claim is full. Told of by filled(). */
  room(most: number): Uint8Array<ArrayBuffer> {
    const length = Math.min(most, slabBytes - this.#filled, this.claim.to - this.claim.at)
    const start = this.#slab * slabBytes + this.#filled
    return this.#memory.bytes.subarray(start, start + length)
  }

  /** So many bytes were put where room() said. @returns false = read no more until onRoom() */
  filled(bytes: number): boolean {
    this.#filled += bytes
    this.claim.at += bytes
    this.#came(bytes)
    if (this.#filled === slabBytes || (this.isFull && this.#filled > 0)) this.#flush()
    return !this.#paused
  }

  /** Writes what has come, and gives the slabs back. @throws what writing threw */
  async end(): Promise<void> {
    if (this.#filled > 0) this.#flush()
    await this.#tail
    if (idle.length < mostIdle) idle.push(this.#memory)
    if (this.#failed !== undefined) throw this.#failed.error
  }

  #flush(): void {
    const slab = this.#slab
    const length = this.#filled
    const start = slab * slabBytes
    const from = this.claim.at - length
    const ranges = this.#rangesOf(start, from, length)
    this.#tail = this.#tail.then(async () => {
      // After a write that failed the order of bytes is lost: nothing behind it is written.
      if (this.#failed !== undefined) return
      try {
        await this.#target.write(this.#memory.bytes.subarray(start, start + length), ranges)
      } catch (error) {
        this.#failed = { error }
        this.onError(error)
        return
      }
      this.#free.push(slab)
      if (this.#paused) {
        this.#paused = false
        this.onRoom()
      }
    })
    this.#filled = 0
    const next = this.#free.pop()
    if (next === undefined) {
      // Only at the end of a claim, when nothing more comes; else it was paused a slab earlier.
      if (this.isFull) return
      throw new Error('more bytes came after a pause than a slab holds')
    }
    this.#slab = next
    this.#paused = this.#free.length === 0
  }

  /** The sums of a slab, one for each piece that it lies in. */
  #rangesOf(start: number, from: number, length: number): Range[] {
    const ranges: Range[] = []
    for (let done = 0; done < length; ) {
      const at = from + done
      const border = (Math.floor(at / pieceBytes) + 1) * pieceBytes
      const bytes = Math.min(length - done, border - at)
      const sum = printAdler32(this.#memory.sum(1, start + done, bytes))
      ranges.push({ from: at, to: at + bytes, adler32: sum, rse: this.#rse })
      done += bytes
    }
    return ranges
  }
}
