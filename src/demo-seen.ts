// GET /datasets/NAME as the demo reads it, and what can be told of it in words. Never asks and never draws.

import type { SeedFile } from './practice/grid.ts'
import { asObject } from './words/text.ts'

export type FileSeen = {
  readonly name: string
  readonly bytes: number
  readonly soFar: number
  /** bytes a second; null when nothing comes */
  readonly rate: number | null
  /** the RSE that sends */
  readonly rse: string | null
  readonly isDone: boolean
  /** what went wrong last, in the daemon's own words; null = nothing */
  readonly trouble: string | null
}

export type Seen = {
  readonly state: string
  readonly message: string | null
  readonly files: readonly FileSeen[]
  readonly soFar: number
  readonly total: number
  readonly rate: number | null
  readonly etaSeconds: number | null
}

/** @param json answer of GET /datasets/NAME: it tells of unfinished files only, so that what it does not name has come once it is listed */
export function readSeen(json: unknown, files: readonly SeedFile[]): Seen {
  const answer = asObject(json) ?? {}
  const counted = asObject(answer['files'])
  const isListed = typeof counted?.['total'] === 'number'
  const unfinished = new Map<string, Record<string, unknown>>()
  for (const each of Array.isArray(answer['unfinished']) ? answer['unfinished'] : []) {
    const file = asObject(each)
    if (typeof file?.['path'] === 'string') unfinished.set(file['path'], file)
  }
  const seen = files.map(({ name, bytes }): FileSeen => {
    const file = unfinished.get(name)
    const isDone = isListed && file === undefined
    const rse = asObject(file?.['source'])?.['rse']
    return {
      name,
      bytes,
      soFar: isDone ? bytes : (number(file?.['so_far']) ?? 0),
      rate: number(file?.['rate']),
      rse: typeof rse === 'string' ? rse : null,
      isDone,
      trouble: text(file?.['message']),
    }
  })
  return {
    state: text(answer['state']) ?? 'waiting',
    message: text(answer['message']),
    files: seen,
    soFar: seen.reduce((sum, file) => sum + file.soFar, 0),
    total: files.reduce((sum, file) => sum + file.bytes, 0),
    rate: number(answer['rate']),
    etaSeconds: number(answer['eta_seconds']),
  }
}

/** What has changed from one look to the next and is worth a line. */
export function news(before: Seen | undefined, now: Seen): readonly string[] {
  const lines: string[] = []
  if (now.state !== before?.state)
    lines.push(`the dataset is ${now.state}${now.message === null ? '' : `: ${now.message}`}`)
  for (const [i, file] of now.files.entries()) {
    const was = before?.files[i]
    if (file.trouble !== null && file.trouble !== was?.trouble) lines.push(`${file.name}: ${file.trouble}`)
    if (file.isDone && was?.isDone !== true) lines.push(`${file.name} is here (${megabytes(file.bytes)})`)
  }
  return lines
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
