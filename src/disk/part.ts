// FILE.part and its sidecar: bytes at an offset, fdatasync, then the checkpoint that counts them. Never gives a final name, and never
// counts a byte that was not synced.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { ListingLine } from '../words/listing.ts'
import { emptySidecar, type Range, readSidecar, type Sidecar } from '../words/part.ts'
import { addRange } from '../words/ranges.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { asObject } from '../words/text.ts'
import { layout, type Root } from './layout.ts'
import { makeDir, put } from './put.ts'
import { readRecord } from './read.ts'
import { goodRanges } from './read-back.ts'
import { type Stat, sameStat, statRegular, toDisk } from './way.ts'

/** Parts that this process has read back and left in a state it knows: path -> that state. */
export type KnownParts = Map<string, Stat>

export type PartOptions = {
  readonly root: Root
  /** NAME of the dataset */
  readonly name: string
  readonly line: ListingLine
  readonly known: KnownParts
  /** called before each write; throws Fenced when another process owns DATA */
  readonly guard: () => Promise<void>
  /** told what did not fit and no longer counts */
  readonly tell: (text: string) => void
}

/** One part, open for writing by one fetch. The owner calls close(), whatever happened. */
export class Part {
  readonly bytes: number
  readonly #options: PartOptions
  readonly #path: string
  readonly #handle: FileHandle
  readonly #ino: number
  readonly #unknownKeys: Record<string, unknown>
  #sidecar: Sidecar
  #onDisk: boolean
  /** all that was written, synced or not */
  #have: readonly Range[]
  /** written since the last checkpoint began */
  #fresh: Range[] = []
  #freshSince: number | undefined
  #broken: unknown
  isClosed = false
  #turn: Promise<void> = Promise.resolve()

  private constructor(
    options: PartOptions,
    path: string,
    handle: FileHandle,
    found: Found & { readonly ino: number },
  ) {
    this.bytes = options.line.bytes
    this.#options = options
    this.#path = path
    this.#handle = handle
    this.#ino = found.ino
    this.#unknownKeys = found.unknownKeys
    this.#sidecar = found.sidecar
    this.#onDisk = found.onDisk
    this.#have = found.sidecar.ranges
  }

  /** Opens or makes the part. The first time in a process each range of its sidecar is read back against its adler32, and the bad
   *  ones are dropped. Without a sidecar nothing counts.
   *  @throws Trouble `refused` for a link or whatever is no regular file, disk_full, disk_error, read_only; Fenced; the reason of `signal` */
  static async open(options: PartOptions, signal: AbortSignal): Promise<Part> {
    const { root, name, line, known } = options
    const path = layout.part(root, name, line.path)
    await options.guard()
    const before = await statRegular(root, path)
    const handle = await openPart(path, layout.parts(root, name), before !== undefined)
    try {
      const stat = await handle.stat()
      if (!stat.isFile()) throw new Trouble('refused', 'a part is no regular file')
      const found = await readFound(options)
      const seen = known.get(path)
      const asLeft = sameStat(seen, stat) && found.onDisk
      const good = asLeft
        ? found.sidecar.ranges
        : await goodRanges(handle, found.sidecar.ranges, stat.size, signal)
      const lost = found.sidecar.ranges.length - good.length
      if (lost > 0)
        options.tell(
          `${name}/${line.path}: ${lost} stretches do not lie there as they came; they are fetched again`,
        )
      const keep = Math.min(line.bytes, good.at(-1)?.to ?? 0)
      if (stat.size > keep) await handle.truncate(keep)
      known.delete(path)
      return new Part(options, path, handle, {
        ...found,
        ino: stat.ino,
        sidecar: { ...found.sidecar, ranges: good },
      })
    } catch (error) {
      await handle.close()
      throw toDisk(error)
    }
  }

  /** as it lies on the disk, or will with the next checkpoint; its ranges are synced */
  get sidecar(): Sidecar {
    return this.#sidecar
  }

  /** the bytes that lie there, synced or not */
  get ranges(): readonly Range[] {
    return this.#have
  }

  get unsyncedBytes(): number {
    return this.#fresh.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** performance.now() when the oldest byte was written that no checkpoint counts; undefined = none */
  get unsyncedSince(): number | undefined {
    return this.#freshSince
  }

  /** Writes bytes[0 … length) at the first range's `from`. `ranges` follow each other, make up the length and hold its sums. */
  async write(bytes: Uint8Array, ranges: readonly Range[]): Promise<void> {
    const from = ranges[0]?.from ?? 0
    const to = ranges.at(-1)?.to ?? from
    this.#throwIfBroken()
    await this.#options.guard()
    try {
      for (let at = from; at < to; ) {
        // A disk that is nearly full, or a share, may take less than it was given.
        const { bytesWritten } = await this.#handle.write(bytes, at - from, to - at, at)
        if (bytesWritten === 0) throw new Trouble('disk_full', 'the disk takes no more bytes')
        at += bytesWritten
      }
    } catch (error) {
      throw toDisk(error)
    }
    this.#throwIfBroken()
    for (const range of ranges) {
      this.#have = addRange(this.#have, range)
      this.#fresh = addRange(this.#fresh, range)
    }
    this.#freshSince ??= performance.now()
  }

  /** Syncs what was written until now, then writes the sidecar that counts it. One at a time; writes may go on meanwhile.
   *  @throws Trouble disk_error when the sync failed: the bytes since the last checkpoint no longer count, and this part takes no more.
   *  When only the sidecar could not be written (disk_full), what was synced still counts for this process. */
  checkpoint(): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#sync()) await this.#putSidecar()
    })
  }

  /** Replaces what the sidecar says besides its ranges (tries, error, strikes, source), and writes it, after a sync. */
  record(change: (sidecar: Sidecar) => Sidecar): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#broken === undefined) await this.#sync()
      this.#sidecar = { ...change(this.#sidecar), ranges: this.#sidecar.ranges }
      await this.#putSidecar()
    })
  }

  /** The same without writing it: it goes with the next checkpoint. */
  note(change: (sidecar: Sidecar) => Sidecar): void {
    this.#sidecar = { ...change(this.#sidecar), ranges: this.#sidecar.ranges }
  }

  /** These no longer count; on disk so once record() has ended. Nothing may be writing meanwhile. */
  drop(isBad: (range: Range) => boolean): void {
    const keep = (ranges: readonly Range[]) => ranges.filter(each => !isBad(each))
    this.#have = keep(this.#have)
    this.#fresh = keep(this.#fresh)
    this.#sidecar = { ...this.#sidecar, ranges: keep(this.#sidecar.ranges) }
  }

  /** All bytes are on the disk when this resolves, and no sidecar was written: the file is about to get its name, by finish(), which looks
   *  whether it lies under its path still. */
  seal(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sync()
    })
  }

  get ino(): number {
    return this.#ino
  }

  /** under its own path still: it has not got its name, and nobody has removed it */
  async liesThere(): Promise<boolean> {
    return (await statRegular(this.#options.root, this.#path))?.ino === this.#ino
  }

  /** @param gone the part has its final name: nothing is remembered of it */
  async close(gone = false): Promise<void> {
    await this.#turn
    this.isClosed = true
    try {
      await this.#handle.close()
    } catch (error) {
      // Whatever close() may tell of was told by the sync before it; but an unsynced part is read back next time.
      this.#broken ??= error
    }
    if (gone || this.#broken !== undefined) return
    const stat = await statRegular(this.#options.root, this.#path)
    if (stat !== undefined)
      this.#options.known.set(this.#path, { size: stat.size, mtimeMs: stat.mtimeMs, ino: stat.ino })
  }

  /** @returns whether anything was there to sync */
  async #sync(): Promise<boolean> {
    this.#throwIfBroken()
    const taken = this.#fresh
    if (taken.length === 0) return false
    this.#fresh = []
    this.#freshSince = undefined
    try {
      await this.#handle.datasync()
    } catch (error) {
      // The kernel marks the pages clean after a failed sync: another one would succeed without them (facts/faults.md 1a).
      this.#broken = toDisk(error)
      this.#have = this.#sidecar.ranges
      this.#fresh = []
      this.#freshSince = undefined
      throw this.#broken
    }
    const ranges = taken.reduce<readonly Range[]>(addRange, this.#sidecar.ranges)
    this.#sidecar = { ...this.#sidecar, ranges }
    return true
  }

  async #putSidecar(): Promise<void> {
    const { root, name, line } = this.#options
    const record = { ...this.#unknownKeys, ...this.#sidecar }
    await put(root, layout.sidecar(root, name, line.path), record, () => this.#mustLieThere())
    this.#onDisk = true
  }

  /** Whoever deletes a dataset's folder while it comes leaves us writing to a file without a name; its folder may be there again. */
  async #mustLieThere(): Promise<void> {
    if (await this.liesThere()) return
    this.#broken = new Trouble('disk_error', 'the part was removed or replaced while it was written')
    throw this.#broken
  }

  #throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  #inTurn(what: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(what)
    this.#turn = mine.catch(() => {
      // The caller of `mine` has it; the next in turn must not fail for it.
    })
    return mine
  }

  /** whether a sidecar lies on the disk */
  get hasSidecar(): boolean {
    return this.#onDisk
  }
}

type Found = {
  readonly sidecar: Sidecar
  readonly unknownKeys: Record<string, unknown>
  readonly onDisk: boolean
}

/** The sidecar that lies there, if it speaks of this file. One of another file, or of another size, does not count. */
async function readFound({ root, name, line }: PartOptions): Promise<Found> {
  const found = await readRecord(root, layout.sidecar(root, name, line.path), json => {
    const sidecar = readSidecar(json)
    return sidecar === undefined ? undefined : { sidecar, unknownKeys: asObject(json) ?? {} }
  })
  if (found !== undefined && found.sidecar.did === line.did && found.sidecar.bytes === line.bytes)
    return { ...found, onDisk: true }
  return { sidecar: emptySidecar(line.did, line.bytes), unknownKeys: {}, onDisk: false }
}

/** @param dir made when it is not there yet: it is for all but the first file */
async function openPart(path: string, dir: string, isThere: boolean): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants
  const flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | (isThere ? 0 : O_CREAT | O_EXCL)
  for (let made = false; ; made = true) {
    try {
      return await open(path, flags, 0o666)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || isThere || made) throw toDisk(error)
    }
    await makeDir(dir)
  }
}
