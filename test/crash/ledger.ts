// Which bytes a kill must not cost: what sidecars count and what has its final name is never fetched again. Reads the disk and the
// storages' own count of what they sent.

import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { names } from '../../src/disk/read.ts'
import type { Sent } from '../../src/practice/grid.ts'
import { readSidecar } from '../../src/words/part.ts'
import type { Model } from './model.ts'
import type { Known, KnownFile } from './universe.ts'

type Span = { readonly from: number; readonly to: number }

export type Ledger = {
  /** To be called right after a kill: compares what was sent since the last call, then writes down what lies there now.
   *  @returns what was fetched though it lay there */
  close(sent: readonly Sent[]): Promise<readonly string[]>
  /** bytes that sidecars counted at the last call and that no file had yet */
  checkpointed(): number
  /** of all calls: bytes that storages sent, and those of them that they had sent before in the same life of the daemon */
  totals(): { readonly sent: number; readonly again: number }
}

export function openLedger(data: string, model: Model): Ledger {
  /** DID of a file -> NAME, and what lies there */
  let kept = new Map<string, { readonly name: string; readonly spans: readonly Span[] }>()
  let checkpointed = 0
  const totals = { sent: 0, again: 0 }
  const disturbing = new Map(
    model.all.flatMap(known => [...known.files.values()].map(file => [file.did, { known, file }] as const)),
  )

  async function spansOf(known: Known, file: KnownFile, parts: ReadonlySet<string>): Promise<Span[]> {
    const final = await lstat(join(data, known.name, file.path)).catch(() => undefined)
    if (final?.size === file.bytes) return [{ from: 0, to: file.bytes }]
    if (!parts.has(`${file.path}.json`) || !parts.has(`${file.path}.part`)) return []
    const folder = join(data, known.name, '.rucio', 'parts')
    const sidecar = readSidecar(JSON.parse(await readFile(join(folder, `${file.path}.json`), 'utf8')))
    const size = (await lstat(join(folder, `${file.path}.part`))).size
    const ranges = sidecar?.ranges ?? []
    for (const { to } of ranges)
      if (to > size) throw new Error(`${known.name}/${file.path}: a range ends at ${to}, the part at ${size}`)
    checkpointed += ranges.reduce((sum, { from, to }) => sum + to - from, 0)
    return ranges.map(({ from, to }) => ({ from, to }))
  }

  return {
    async close(sent) {
      const faults: string[] = []
      const came = new Map<string, Span[]>()
      for (const { rse, did, from, to } of sent) {
        const before = came.get(did) ?? []
        came.set(did, [...before, { from, to }])
        totals.sent += to - from
        totals.again += overlap(before, { from, to })
        const owner = disturbing.get(did)
        const known = kept.get(did)
        // A wrong replica costs the bytes that it gave.
        if (known === undefined || owner?.file.hasCorrupt === true || model.disturbed.has(known.name))
          continue
        const again = overlap(known.spans, { from, to })
        if (again > 0)
          faults.push(
            `${known.name} ${did}: ${again} bytes of ${from}-${to} came again from ${rse}, though they lay there`,
          )
      }
      kept = new Map()
      checkpointed = 0
      model.disturbed.clear()
      for (const known of model.all) {
        if (model.ends(known.name).has('gone')) continue
        const parts = new Set(await names(join(data, known.name, '.rucio', 'parts')))
        for (const file of known.files.values()) {
          const spans = await spansOf(known, file, parts)
          if (spans.length > 0) kept.set(file.did, { name: known.name, spans })
        }
      }
      return faults
    },
    checkpointed: () => checkpointed,
    totals: () => totals,
  }
}

function overlap(spans: readonly Span[], { from, to }: Span): number {
  return spans.reduce((sum, each) => sum + Math.max(0, Math.min(to, each.to) - Math.max(from, each.from)), 0)
}
