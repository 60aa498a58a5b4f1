// Looks at files under their final names: each is whole and right, at every instant. Never writes.

import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { names } from '../../src/disk/read.ts'
import { printAdler32, adler32 as sumOn } from '../../src/words/adler32.ts'
import { codeOf } from '../../src/words/reason.ts'
import type { Model } from './model.ts'
import type { Known, KnownFile } from './universe.ts'

const slab = 2 ** 20

export type Looks = {
  /** undefined: right, or not there; else what is wrong with it */
  file(known: Known, file: KnownFile): Promise<string | undefined>
  /** every file of every dataset */
  everything(): Promise<readonly string[]>
  /** those of a dataset that are not there, or not right */
  missing(known: Known): Promise<readonly string[]>
  /** reads a file; undefined when absent */
  sum(path: string): Promise<{ readonly bytes: number; readonly adler32: string } | undefined>
}

export function openLooks(data: string, model: Model): Looks {
  /** path -> stamp and what was found; a file that has not changed is not read again */
  const seen = new Map<string, { readonly stamp: string; readonly bytes: number; readonly adler32: string }>()

  async function sum(path: string): Promise<{ bytes: number; adler32: string } | undefined> {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await lstat(path)
      const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`
      const before = seen.get(path)
      if (before?.stamp === stamp) return before
      const found = { stamp, ...(await read(path)) }
      seen.set(path, found)
      return found
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async function file(known: Known, { path, bytes, adler32 }: KnownFile): Promise<string | undefined> {
    const found = await sum(join(data, known.name, path))
    if (found === undefined || (found.bytes === bytes && found.adler32 === adler32)) return undefined
    if (model.harm.get(`${known.name}/${path}`)?.sum === found.adler32) return undefined
    return `${known.name}/${path} has ${found.bytes} of ${bytes} bytes, adler32 ${found.adler32} for ${adler32}`
  }

  return {
    file,
    sum,
    async everything() {
      const wrong: string[] = []
      for (const known of model.all) {
        const there = new Set(await names(join(data, known.name)))
        for (const each of known.files.values()) {
          const what = there.has(each.path) ? await file(known, each) : undefined
          if (what !== undefined) wrong.push(what)
        }
      }
      return wrong
    },
    async missing(known) {
      const wrong: string[] = []
      for (const { path, bytes, adler32 } of known.files.values()) {
        const found = await sum(join(data, known.name, path))
        if (found === undefined) wrong.push(`${path} is not there`)
        else if (found.bytes !== bytes || found.adler32 !== adler32) wrong.push(`${path} is not right`)
      }
      return wrong
    },
  }
}

async function read(path: string): Promise<{ bytes: number; adler32: string }> {
  const buffer = Buffer.allocUnsafe(slab)
  const handle = await open(path, 'r')
  try {
    let state = 1
    let bytes = 0
    for (;;) {
      const { bytesRead: count } = await handle.read(buffer, 0, slab, bytes)
      if (count === 0) return { bytes, adler32: printAdler32(state) }
      state = sumOn(state, buffer.subarray(0, count))
      bytes += count
    }
  } finally {
    await handle.close()
  }
}
