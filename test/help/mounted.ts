// What Rucio and FTS would do of a site: lay a dataset's files below its mount, and tell the practice catalogue. Only in directories of
// the tests' own.

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bytesOf, type Seed, type SeedFile } from '../../src/practice/grid.ts'
import { pathOf } from '../../src/practice/seed.ts'
import type { Dataset } from './home.ts'

/** Where a file lies below the mount. */
export function placeOf(file: SeedFile): string {
  return pathOf(file.scope, file.name)
}

/** The bytes of all its files, below a mount. */
export async function layAt(mount: string, of: Dataset): Promise<void> {
  for (const file of of.files) {
    const path = join(mount, placeOf(file))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytesOf(file, 0, file.bytes))
  }
}

/** The same datasets, with good replicas at one more RSE for those that are named. */
export function alsoAt(rse: string, all: readonly Dataset[], there: readonly Dataset[]): Seed {
  const names = new Set(there.map(each => each.name))
  const datasets = all.map(each =>
    names.has(each.name)
      ? {
          ...each,
          files: each.files.map(file => ({
            ...file,
            replicas: { ...file.replicas, [rse]: 'good' as const },
          })),
        }
      : each,
  )
  return { datasets, containers: [] }
}
