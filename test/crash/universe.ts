// What lies on the practice grid of the crash tests, and what must lie on the disk of it in the end. Never touches either.

import { bytesOf, type Seed, type SeedFile } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import type { Did } from '../../src/words/did.ts'
import { printDid } from '../../src/words/did.ts'
import { nameOf, Paths } from '../../src/words/names.ts'
import type { Chance } from './chance.ts'

export type KnownFile = {
  readonly did: string
  readonly path: string
  readonly bytes: number
  readonly adler32: string
  /** one of its replicas is wrong: some of its bytes may come twice */
  readonly hasCorrupt: boolean
}

export type Known = {
  readonly did: string
  readonly name: string
  /** empty for a DID that Rucio does not know */
  readonly files: ReadonlyMap<string, KnownFile>
  readonly exists: boolean
}

export type Universe = { readonly seed: Seed; readonly datasets: readonly Known[] }

const mib = 2 ** 20

/** @param options.bigMib sizes of the two big files of each dataset, in MiB: [from, to) */
export function makeUniverse(
  chance: Chance,
  options: {
    readonly datasets: number
    readonly files: number
    readonly bigMib: readonly [number, number]
    readonly rses: readonly string[]
    /** share of files that have a wrong replica */
    readonly corrupt: number
  },
): Universe {
  const seeds: Seed['datasets'][number][] = []
  const datasets: Known[] = []
  for (let i = 0; i < options.datasets; i++) {
    // One of a scope that its name does not tell: its NAME is `other=3A…`.
    const did: Did = { scope: i === 1 ? 'other' : 'crash', name: `crash.${i}.AOD_p3795` }
    const files = makeFiles(chance, `${i}`, options)
    seeds.push({ ...did, open: false, files })
    datasets.push(known(did, files))
  }
  const children = ['a', 'b'].map(each => ({
    scope: 'crash',
    name: `crash.child.${each}`,
    open: false,
    files: makeFiles(chance, each, { ...options, files: 12 }),
  }))
  const container: Did = { scope: 'crash', name: 'crash.container' }
  datasets.push(
    known(
      container,
      children.flatMap(each => each.files),
    ),
  )
  datasets.push({ did: 'crash:crash.nowhere', name: 'crash.nowhere', files: new Map(), exists: false })
  return {
    seed: {
      datasets: [...seeds, ...children],
      containers: [{ ...container, children: children.map(({ scope, name }) => ({ scope, name })) }],
    },
    datasets,
  }
}

function makeFiles(
  chance: Chance,
  tag: string,
  {
    files,
    bigMib,
    rses,
    corrupt,
  }: { files: number; bigMib: readonly [number, number]; rses: readonly string[]; corrupt: number },
): SeedFile[] {
  const made: SeedFile[] = []
  for (let i = 0; i < files; i++) {
    const kind = chance.next()
    // Two that differ by letter case alone, two names that must be escaped.
    const name =
      i === 3
        ? `${tag}.Twin.root`
        : i === 4
          ? `${tag}.twin.root`
          : i === 5
            ? `-rf.${tag}`
            : `${tag}.${i}.root`
    const bytes =
      i < 2
        ? i
        : i < 4
          ? chance.between((bigMib[0] * mib) | 0, (bigMib[1] * mib) | 0)
          : kind < 0.05
            ? 0
            : kind < 0.85
              ? chance.between(1, 400_000)
              : chance.between(mib, 4 * mib)
    const wrong = chance.is(corrupt) ? chance.of(rses) : undefined
    made.push({
      scope: 'crash',
      name,
      bytes,
      checksums: chance.is(0.8) ? ['adler32', 'md5'] : chance.is(0.5) ? ['adler32'] : ['md5'],
      replicas: Object.fromEntries(rses.map(rse => [rse, rse === wrong ? 'corrupt' : 'good'])),
      events: 10,
    })
  }
  return made
}

function known(did: Did, files: readonly SeedFile[]): Known {
  const paths = new Paths()
  for (const file of files) paths.add(file)
  const byPath = new Map<string, KnownFile>()
  for (const file of files) {
    const path = paths.pathOf(file)
    byPath.set(path, {
      did: printDid(file),
      path,
      bytes: file.bytes,
      adler32: sumOf(file),
      hasCorrupt: Object.values(file.replicas).includes('corrupt'),
    })
  }
  return { did: printDid(did), name: nameOf(did), files: byPath, exists: true }
}

function sumOf(file: SeedFile): string {
  let sum = 1
  for (let at = 0; at < file.bytes; at += mib)
    sum = adler32(sum, bytesOf(file, at, Math.min(file.bytes, at + mib)))
  return printAdler32(sum)
}
