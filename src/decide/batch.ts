// Which files one lane takes in one go. Never looks whether a lane is free.

import type { FileReady } from './observation.ts'

/** A file up to this size may share a lane's batch: one pass of the loop for each would cost more than the file. */
const smallBytes = 16 * 2 ** 20
const batchFiles = 256
const batchBytes = 512 * 2 ** 20

/** @param ready in order; the first is taken in any case
 *  @param share so many files at most, that the other lanes have some too
 *  @param budget bytes that may still be written */
export function batchOf(
  ready: readonly FileReady[],
  share: number,
  budget: number,
): { readonly paths: readonly string[]; readonly bytes: number } {
  const paths: string[] = []
  const firstBytes = ready[0]?.bytes ?? 0
  let bytes = 0
  for (const file of ready) {
    const more = file.bytes <= smallBytes && firstBytes <= smallBytes
    if (paths.length > 0 && !(more && paths.length < Math.min(batchFiles, share))) break
    if (paths.length > 0 && (bytes + file.bytes > batchBytes || bytes + file.bytes > budget)) break
    paths.push(file.path)
    bytes += file.bytes
  }
  return { paths, bytes }
}
