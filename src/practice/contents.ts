// The seed of the practice grid by name and by path: what a DID is, what it holds, what lies at an RSE. Never speaks HTTP.

import { pathOf, type Seed, type SeedFile } from './seed.ts'
import type { Held } from './surroundings.ts'

export type Entry =
  | { readonly type: 'FILE'; readonly scope: string; readonly name: string; readonly file: SeedFile }
  | {
      readonly type: 'DATASET'
      readonly scope: string
      readonly name: string
      readonly open: boolean
      readonly files: readonly SeedFile[]
    }
  | {
      readonly type: 'CONTAINER'
      readonly scope: string
      readonly name: string
      readonly children: readonly Entry[]
    }

export type Contents = {
  readonly did: (scope: string, name: string) => Entry | undefined
  /** in the order of the seed: collections first, then files */
  readonly all: () => Iterable<Entry>
  /** in the order of their first use */
  readonly scopes: () => readonly string[]
  readonly find: (rse: string, path: string) => Held | undefined
  /** names directly in a directory */
  readonly entries: (rse: string, path: string) => readonly string[]
}

/** Throws an Error for a seed that names one DID twice with different bytes, or a child that is not there. */
export function contentsOf(seed: Seed): Contents {
  const byDid = new Map<string, Entry>()
  const byPath = new Map<string, SeedFile>()
  const add = (entry: Entry): void => {
    byDid.set(`${entry.scope}:${entry.name}`, entry)
  }
  for (const { scope, name, open, files } of seed.datasets) {
    // /files lists by name within a dataset (facts/rucio.md 3).
    const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
    add({ type: 'DATASET', scope, name, open, files: sorted })
  }
  for (const { scope, name } of seed.containers) add({ type: 'CONTAINER', scope, name, children: [] })
  for (const { scope, name, children } of seed.containers)
    add({
      type: 'CONTAINER',
      scope,
      name,
      // Looked up when it is asked for: a container may hold one that the seed names later.
      get children() {
        return children.map(child => {
          const found = byDid.get(`${child.scope}:${child.name}`)
          if (found === undefined) throw new Error(`the seed has no ${child.scope}:${child.name}`)
          return found
        })
      },
    })
  for (const { files } of seed.datasets)
    for (const file of files) {
      const { scope, name } = file
      const known = byDid.get(`${scope}:${name}`)
      if (known !== undefined && (known.type !== 'FILE' || known.file.bytes !== file.bytes))
        throw new Error(`the seed has two different ${scope}:${name}`)
      add({ type: 'FILE', scope, name, file })
      byPath.set(joinSlashes(`/rucio/${pathOf(scope, name)}`), file)
    }
  return {
    did: (scope, name) => byDid.get(`${scope}:${name}`),
    all: () => byDid.values(),
    scopes: () => [...new Set([...byDid.values()].map(entry => entry.scope))],
    find(rse, path) {
      const file = byPath.get(path)
      const kind = file?.replicas[rse]
      return file === undefined || kind === undefined || kind === 'absent' ? undefined : { file, kind }
    },
    entries(rse, path) {
      const prefix = `${path}/`
      const names = new Set<string>()
      for (const [where, { replicas }] of byPath)
        if (where.startsWith(prefix) && (replicas[rse] ?? 'absent') !== 'absent')
          names.add(where.slice(prefix.length).split('/', 1)[0] ?? '')
      return [...names]
    },
  }
}

/** The files of a DID, containers walked; a file in two datasets comes twice. */
export function filesOf(entry: Entry): readonly SeedFile[] {
  switch (entry.type) {
    case 'FILE':
      return [entry.file]
    case 'DATASET':
      return entry.files
    case 'CONTAINER':
      return entry.children.flatMap(filesOf)
  }
}

export function bytesIn(files: readonly SeedFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}

function joinSlashes(path: string): string {
  return path.replace(/\/+/g, '/')
}
