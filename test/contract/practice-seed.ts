// What the practice grid is filled with for the contract: the DIDs of names.ts, small. And the same as facts, worked out from the bytes.

import { createHash } from 'node:crypto'
import { bytesOf, type Seed, type SeedFile } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import * as names from './names.ts'
import type { Facts, SeededFile } from './subject.ts'

export const schemes = {
  XRD1: ['davs', 'root'],
  XRD2: ['https', 'davs', 'root'],
  POSIX1: ['file'],
  TAPE1: ['davs'],
}

const mc = 'mc16_13TeV'
const user = 'user.jdoe'
const both = { XRD1: 'good', XRD2: 'good' } as const

function file(
  scope: string,
  name: string,
  bytes: number,
  replicas: SeedFile['replicas'] = both,
  checksums: SeedFile['checksums'] = ['adler32', 'md5'],
): SeedFile {
  return { scope, name, bytes, replicas, checksums, events: bytes % 1000 }
}

const everywhere = { ...both, POSIX1: 'good' } as const
const daod = (number: string, bytes: number, replicas: SeedFile['replicas']) =>
  file(mc, `DAOD_PHYS.${number}.pool.root.1`, bytes, replicas)

const open = (did: { readonly scope: string; readonly name: string }, files: readonly SeedFile[]) => ({
  ...did,
  open: true,
  files,
})

export const seed: Seed = {
  datasets: [
    {
      ...names.small,
      open: false,
      files: [3072, 65537, 1000, 5007, 20_000].map((bytes, i) =>
        daod(`01._00000${i + 1}`, bytes, everywhere),
      ),
    },
    open(names.large, [daod('02._000001', 2_000_000, both), daod('02._000002', 40_000, both)]),
    open(names.empty, []),
    open(names.lost, [
      file(mc, 'lost.04._000001.root', 10_240),
      file(mc, 'lost.04._000002.root', 20_480, { XRD1: 'unavailable' }),
    ]),
    open(names.onlyBad, [file(mc, 'onlybad.06._000001.root', 102_400, { XRD2: 'corrupt' })]),
    open(
      names.xrd1Only,
      [1, 2].map(i => file(mc, `xrd1only.09._00000${i}.root`, 2000, { XRD1: 'good' })),
    ),
    open(names.tape, [
      file(mc, 'tape.11._000001.root', 30_720, { TAPE1: 'absent' }),
      file(mc, 'tape.11._000002.root', 30_720, { TAPE1: 'absent', XRD1: 'good' }),
    ]),
    open(names.odd, [
      file(user, 'user.jdoe.zero.txt', 0),
      file(user, 'user.jdoe.adleronly.txt', 5120, both, ['adler32']),
      file(user, 'user.jdoe.md5only.txt', 5120, both, ['md5']),
      file(user, 'user.jdoe.nochecksum.txt', 5120, both, []),
    ]),
    open(names.sameName, [file(user, 'same.name.root', 6144), file(mc, 'same.name.root', 7168)]),
    open(names.slashes, [
      file(user, 'user.jdoe/sub/one.root', 5120),
      file(user, '/user.jdoe/sub/two.root', 5120),
    ]),
  ],
  containers: [
    { ...names.box, children: [names.small, names.large] },
    { ...names.emptyBox, children: [] },
    { ...names.nested, children: [names.box, names.emptyBox] },
  ],
}

export const facts: Facts = {
  datasets: new Map(seed.datasets.map(each => [names.key(each), each.files.map(toFact)])),
  containers: new Map(seed.containers.map(each => [names.key(each), each.children.map(names.key)])),
  closed: new Set(seed.datasets.filter(each => !each.open).map(names.key)),
  schemes,
}

function toFact(entry: SeedFile): SeededFile {
  const bytes = bytesOf(entry, 0, entry.bytes)
  return {
    scope: entry.scope,
    name: entry.name,
    bytes: entry.bytes,
    adler32: entry.checksums.includes('adler32') ? printAdler32(adler32(1, bytes)) : null,
    md5: entry.checksums.includes('md5') ? createHash('md5').update(bytes).digest('hex') : null,
    events: entry.events ?? null,
    places: entry.replicas,
  }
}
