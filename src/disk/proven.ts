// What verified.jsonl proves, file by file, as a table of numbers: 200,000 lines in 25 MB. Never looks at the files it speaks of.

import { parseAdler32, printAdler32 } from '../words/adler32.ts'
import { grown, roomFor } from '../words/texts.ts'
import { fromIso } from '../words/world.ts'
import type { Root } from './layout.ts'
import { openTexts } from './texts.ts'
import { eachVerified } from './verified.ts'

/** What of a verified line proves a file. */
export type Proven = {
  readonly bytes: number
  readonly adler32: string
  readonly md5: string | undefined
  /** ms since 1970 */
  readonly mtimeMs: number
}

export type ProvenFiles = {
  /** how many files have a line */
  readonly size: number
  of(path: string): Proven | undefined
}

/** The last good line of each path counts; empty when the id is another's.
 *  @throws Trouble when the disk does not give it */
export async function readProven(root: Root, name: string): Promise<ProvenFiles> {
  const paths = openTexts()
  let sizes = new Float64Array(64)
  let mtimes = new Float64Array(64)
  let sums = new Uint32Array(64)
  // Few have one: it is kept where the catalogue has no adler32.
  const md5s = new Map<number, string>()
  await eachVerified(root, name, ({ path, bytes, adler32, md5, mtime }) => {
    const number = paths.add(path)
    if (number >= sizes.length) {
      const room = roomFor(number + 1)
      sizes = grown(sizes, new Float64Array(room))
      mtimes = grown(mtimes, new Float64Array(room))
      sums = grown(sums, new Uint32Array(room))
    }
    sizes[number] = bytes
    mtimes[number] = fromIso(mtime) ?? Number.NaN
    sums[number] = parseAdler32(adler32)
    if (md5 !== undefined) md5s.set(number, md5)
    else md5s.delete(number)
  })
  return {
    size: paths.size,
    of(path) {
      const number = paths.find(path)
      if (number < 0) return undefined
      return {
        bytes: sizes[number] ?? 0,
        adler32: printAdler32(sums[number] ?? 0),
        md5: md5s.get(number),
        mtimeMs: mtimes[number] ?? Number.NaN,
      }
    },
  }
}
