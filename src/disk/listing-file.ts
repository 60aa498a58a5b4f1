// A listing that is open for as long as its dataset is in work: its lines are read as they are needed, and none is kept. Never judges
// whether they are all; readListing() has done so before.

import type { FileHandle } from 'node:fs/promises'
import { type ListingLine, readListingLine } from '../words/listing.ts'
import { layout, type Root } from './layout.ts'
import { batches } from './stream.ts'
import { openRegular, type Stat, sameStat, statRegular, toDisk } from './way.ts'

export class ListingFile {
  readonly #root: Root
  readonly #path: string
  readonly #handle: FileHandle
  readonly #opened: Stat
  readonly #reading = new Set<Promise<unknown>>()
  #isClosed = false

  private constructor(root: Root, path: string, handle: FileHandle, opened: Stat) {
    this.#root = root
    this.#path = path
    this.#handle = handle
    this.#opened = opened
  }

  /** listing.jsonl of NAME; undefined when absent. Whoever opens it closes it.
   *  @throws Trouble as openRegular() */
  static async open(root: Root, name: string): Promise<ListingFile | undefined> {
    const path = layout.listing(root, name)
    const handle = await openRegular(root, path)
    if (handle === undefined) return undefined
    try {
      return new ListingFile(root, path, handle, await handle.stat())
    } catch (error) {
      await handle.close()
      throw toDisk(error)
    }
  }

  /** Does it lie under its name still, unchanged?
   *  @throws Trouble when the disk does not answer */
  async isStill(): Promise<boolean> {
    return sameStat(await statRegular(this.#root, this.#path), this.#opened)
  }

  /** All lines from the first on, some hundreds at a time; numbered from 0 they have the numbers that every reader of this listing
   *  counts. Ends early when it is closed meanwhile.
   *  @throws Trouble when the disk does not give it */
  async *lines(): AsyncGenerator<readonly ListingLine[], undefined> {
    const all = batches(this.#handle)
    let isHead = true
    let last: ListingLine | undefined
    while (!this.#isClosed) {
      const step = all.next()
      this.#reading.add(step)
      let found: Awaited<typeof step>
      try {
        found = await step
      } finally {
        this.#reading.delete(step)
      }
      if (found.done === true) return
      const lines: ListingLine[] = []
      for (const value of found.value.values) {
        const line = isHead ? undefined : readListingLine(value, last)
        isHead = false
        if (line === undefined) continue
        last = line
        lines.push(line)
      }
      yield lines
    }
  }

  /** What is being read is read to its end first. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.allSettled(this.#reading)
    await this.#handle.close()
  }
}
