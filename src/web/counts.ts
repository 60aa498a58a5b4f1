// How far a dataset is: files and bytes, the first unfinished ones, and each dataset of a container. Reads the disk, a file's line at a
// time; never keeps them all.

import { layout, type Root } from '../disk/layout.ts'
import { compare } from '../disk/proof.ts'
import { names, readRecord } from '../disk/read.ts'
import type { ListingLine } from '../words/listing.ts'
import { readSidecar, type Sidecar } from '../words/part.ts'

export type Unfinished = { readonly line: ListingLine; readonly sidecar: Sidecar | undefined }

/** A dataset of a container. */
export type Member = {
  /** `scope:name` */
  readonly did: string
  readonly files: { readonly total: number; readonly done: number }
  /** `done`: of finished files */
  readonly bytes: { readonly total: number; readonly done: number }
}

export type Counts = {
  readonly files: { readonly total: number | null; readonly done: number }
  /** `synced`: of finished files, and what sidecars count */
  readonly bytes: { readonly total: number | null; readonly synced: number }
  /** the first ones; those that have been begun or tried before the others */
  readonly unfinished: readonly Unfinished[]
  /** in the listing's order; none where it does not name them */
  readonly members: readonly Member[]
}

/** So many unfinished files, and members, are kept and shown. */
export const mostUnfinished = 1000
export const mostMembers = 10_000

export const nothingCounted: Counts = {
  files: { total: null, done: 0 },
  bytes: { total: null, synced: 0 },
  unfinished: [],
  members: [],
}

/** @throws Trouble when the disk does not answer */
export async function countFiles(root: Root, name: string): Promise<Counts> {
  // Most files have no sidecar: one readdir tells which have.
  const there = new Set(await names(layout.parts(root, name)))
  const begun: ListingLine[] = []
  const others: ListingLine[] = []
  const members = openMembers()
  let harmed = 0
  let missing = 0
  const head = await compare(root, name, (line, kind) => {
    members.add(line, kind === undefined)
    if (kind === undefined) return
    harmed += 1
    missing += line.bytes
    if (there.has(`${line.path}.json`)) begun.push(line)
    else if (others.length < mostUnfinished) others.push(line)
  })
  if (head === undefined) return nothingCounted
  const unfinished: Unfinished[] = []
  let inParts = 0
  for (const line of begun) {
    const sidecar = await readRecord(root, layout.sidecar(root, name, line.path), readSidecar)
    inParts += syncedBytes(sidecar)
    if (unfinished.length < mostUnfinished) unfinished.push({ line, sidecar })
  }
  for (const line of others.slice(0, mostUnfinished - unfinished.length))
    unfinished.push({ line, sidecar: undefined })
  return {
    files: { total: head.length, done: head.length - harmed },
    bytes: { total: head.bytes, synced: head.bytes - missing + inParts },
    unfinished,
    members: members.all(),
  }
}

/** Sums by dataset, as lines come. */
export function openMembers(): {
  add(line: ListingLine, isDone: boolean): void
  all(): readonly Member[]
} {
  const sums = new Map<string, { total: number; done: number; totalBytes: number; doneBytes: number }>()
  return {
    add({ dataset, bytes }, isDone) {
      if (dataset === undefined) return
      let sum = sums.get(dataset)
      if (sum === undefined) {
        if (sums.size >= mostMembers) return
        sum = { total: 0, done: 0, totalBytes: 0, doneBytes: 0 }
        sums.set(dataset, sum)
      }
      sum.total += 1
      sum.totalBytes += bytes
      if (!isDone) return
      sum.done += 1
      sum.doneBytes += bytes
    },
    all: () =>
      [...sums].map(([did, { total, done, totalBytes, doneBytes }]) => ({
        did,
        files: { total, done },
        bytes: { total: totalBytes, done: doneBytes },
      })),
  }
}

/** Bytes of a part that a power cut leaves. */
export function syncedBytes(sidecar: Sidecar | undefined): number {
  return (sidecar?.ranges ?? []).reduce((sum, { from, to }) => sum + to - from, 0)
}
