// What the running grid was filled with, from its seeded.json. Only reads.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import type { Facts, SeededFile } from '../contract/subject.ts'

type Entry = {
  readonly scope: string
  readonly name: string
  readonly size: number
  readonly place: Readonly<Record<string, string>>
  readonly meta: { readonly events?: number }
  readonly checksums: readonly string[]
  readonly adler32: string
  readonly md5: string
}

/** A variable that env.sh of a grid sets. */
export function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: run this by test/grid/run.sh`)
  return value
}

/** Connections that know the grid's CA and show no certificate. Whoever asks for it destroys it. */
export function gridAgent(): Agent {
  return new Agent({ ca: readFileSync(variable('CA_FILE'), 'utf8'), keepAlive: true })
}

/** Where a file lies below `/rucio/` of its storage: Rucio's algorithm `hash`. seed.py has checked that it is so. */
export function pathOf({ scope, name }: { readonly scope: string; readonly name: string }): string {
  const hash = createHash('md5').update(`${scope}:${name}`).digest('hex')
  const folder = /^(user|group)/.test(scope) ? scope.replaceAll('.', '/') : scope
  return `${folder}/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${name}`
}

/** RSE -> schemes, as seed.py gives them. */
const schemes = {
  XRD1: ['davs', 'root'],
  XRD2: ['https', 'davs', 'root'],
  POSIX1: ['file'],
  SLOW1: ['davs'],
  SLOWROOT1: ['root'],
  ROOT1: ['root'],
  ROOT2: ['root'],
  DOWN1: ['davs'],
  HANG1: ['davs'],
  ERR403: ['davs'],
  ERR404: ['davs'],
  ERR500: ['davs'],
  TAPE1: ['davs'],
}

/** A file with the checksums of its good bytes, whatever the catalogue was told. */
export type TrueFile = SeededFile & { readonly truth: { readonly adler32: string; readonly md5: string } }

export function seeded(): Facts<TrueFile> {
  const json = JSON.parse(readFileSync(`${variable('GRID_DIR')}/seeded.json`, 'utf8')) as {
    readonly datasets: Readonly<Record<string, readonly Entry[]>>
    readonly containers: Readonly<Record<string, readonly string[]>>
    readonly closed: readonly string[]
  }
  return {
    datasets: new Map(Object.entries(json.datasets).map(([did, files]) => [did, files.map(fileOf)])),
    containers: new Map(Object.entries(json.containers)),
    closed: new Set(json.closed),
    schemes,
  }
}

function fileOf(entry: Entry): TrueFile {
  return {
    scope: entry.scope,
    name: entry.name,
    bytes: entry.size,
    adler32: entry.checksums.includes('adler32') ? entry.adler32 : null,
    md5: entry.checksums.includes('md5') ? entry.md5 : null,
    events: entry.meta.events ?? null,
    places: entry.place,
    truth: { adler32: entry.adler32, md5: entry.md5 },
  }
}
