// The bytes that lie on the disk against those that were seeded, by checksums that the test makes itself. Trusts no record of the daemon.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { codeOf } from '../../src/words/reason.ts'
import type { TrueFile } from './seeded.ts'

export type Sums = { readonly bytes: number; readonly adler32: string; readonly md5: string }

/** undefined where no such file is. */
export async function sumsOf(path: string): Promise<Sums | undefined> {
  const file = await open(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const md5 = createHash('md5')
    const block = Buffer.alloc(2 ** 20)
    let [adler, bytes] = [1, 0]
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length, bytes)
      if (bytesRead === 0) return { bytes, adler32: printAdler32(adler), md5: md5.digest('hex') }
      const piece = block.subarray(0, bytesRead)
      adler = adler32(adler, piece)
      md5.update(piece)
      bytes += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Are these the bytes that were seeded? */
export function isGood(file: TrueFile, sums: Sums | undefined): boolean {
  return (
    sums !== undefined &&
    sums.bytes === file.bytes &&
    sums.md5 === file.truth.md5 &&
    sums.adler32 === file.truth.adler32
  )
}
