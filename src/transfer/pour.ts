// Bytes that lie here already, in a file or in a member of an archive, go the way of those that come over a line. Never judges them.

import { toDisk } from '../disk/way.ts'
import { Trouble } from '../words/reason.ts'
import type { Filler } from './filler.ts'

/** What is read of a FileHandle. */
export type Readable = {
  read(into: Uint8Array, offset: number, length: number, at: number): Promise<{ readonly bytesRead: number }>
}

/** Fills the claim from the same places of a file. Resolves when all has been handed over (it may not be written yet).
 *  @throws Trouble disk_error when the file ends before the claim does; what writing threw; the reason of `signal` */
export async function pourFile(handle: Readable, filler: Filler, signal: AbortSignal): Promise<void> {
  const room = roomOf(filler)
  while (!filler.isFull) {
    signal.throwIfAborted()
    const into = filler.room(2 ** 20)
    let bytesRead: number
    try {
      ;({ bytesRead } = await handle.read(into, 0, into.length, filler.claim.at))
    } catch (error) {
      throw toDisk(error)
    }
    if (bytesRead === 0) throw new Trouble('disk_error', 'a file was cut while it was read')
    if (!filler.filled(bytesRead)) await room()
  }
}

/** Fills the claim from the same places of a file that grows, as far as byte `to` of it.
 *  @throws as pourFile() */
export async function pourSome(
  file: { read(into: Uint8Array, at: number): Promise<number> },
  filler: Filler,
  to: number,
  signal: AbortSignal,
): Promise<void> {
  const room = roomOf(filler)
  while (!filler.isFull && filler.claim.at < to) {
    signal.throwIfAborted()
    const into = filler.room(Math.min(2 ** 20, to - filler.claim.at))
    const bytesRead = await file.read(into, filler.claim.at)
    if (bytesRead === 0) throw new Trouble('disk_error', 'a file was cut while it was read')
    if (!filler.filled(bytesRead)) await room()
  }
}

/** Fills the claim from a stream that begins with the file's first byte; what lies before the claim is passed over, and the stream is left
 *  when the claim is full.
 *  @returns false when the stream ended before the claim was full
 *  @throws what the stream and writing throw; the reason of `signal` */
export async function pourStream(
  stream: AsyncIterable<Uint8Array>,
  filler: Filler,
  signal: AbortSignal,
): Promise<boolean> {
  const room = roomOf(filler)
  let skip = filler.claim.at
  for await (const chunk of stream) {
    signal.throwIfAborted()
    const wanted = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - wanted.length
    if (wanted.length > 0 && !filler.push(wanted)) await room()
    if (filler.isFull) return true
  }
  return filler.isFull
}

/** @returns waits while the disk is behind */
function roomOf(filler: Filler): () => Promise<void> {
  let go: () => void = () => {}
  let failed: { readonly error: unknown } | undefined
  filler.onRoom = () => go()
  filler.onError = error => {
    failed = { error }
    go()
  }
  return async () => {
    while (filler.isPaused && failed === undefined)
      await new Promise<void>(resolve => {
        go = resolve
      })
    if (failed !== undefined) throw failed.error
  }
}
