// verified.jsonl, complete: the proof that a dataset is whole. Never looks at the files it speaks of.

import { isComponent } from './names.ts'
import { asObject, isAdler32, isBytes, isMd5, isTotal } from './text.ts'
import { fromIso } from './world.ts'

export type VerifiedHead = {
  readonly format: 1
  /** of the data directory; another's id: no line counts */
  readonly id: string
}

export type VerifiedLine = {
  readonly path: string
  readonly bytes: number
  /** always ours, of the bytes that lie there */
  readonly adler32: string
  readonly md5?: string
  /** the catalogue had no checksum: size alone was compared */
  readonly unchecked?: true
  /** ISO time; "unchanged since" within 2 s, never an order */
  readonly mtime: string
  readonly at: string
}

export type Complete = {
  readonly format: 1
  readonly files: number
  readonly bytes: number
  readonly at: string
}

export function readVerifiedHead(json: unknown): VerifiedHead | undefined {
  const { format, id } = asObject(json) ?? {}
  return format === 1 && typeof id === 'string' && id !== '' ? { format, id } : undefined
}

export function readVerifiedLine(json: unknown): VerifiedLine | undefined {
  const { path, bytes, adler32, md5, unchecked, mtime, at } = asObject(json) ?? {}
  if (!isComponent(path) || !isBytes(bytes) || !isAdler32(adler32)) return undefined
  if (typeof mtime !== 'string' || fromIso(mtime) === undefined || typeof at !== 'string') return undefined
  return {
    path,
    bytes,
    adler32,
    ...(isMd5(md5) ? { md5 } : {}),
    ...(unchecked === true ? { unchecked } : {}),
    mtime,
    at,
  }
}

export function readComplete(json: unknown): Complete | undefined {
  const { format, files, bytes, at } = asObject(json) ?? {}
  if (format !== 1 || !isTotal(files) || !isTotal(bytes) || typeof at !== 'string') return undefined
  return { format, files, bytes, at }
}

/** mtimes agree when they are within 2 s: FAT keeps no finer ones (DESIGN.md, The records). */
export function sameMtime(aMs: number, bMs: number): boolean {
  return Math.abs(aMs - bMs) <= 2000
}
