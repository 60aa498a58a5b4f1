// Which bytes a death must not cost: what sidecars count and what has its final name is never fetched again. Reads the disk and the
// storages' own count of what they sent.

import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { names } from '../../src/disk/read.ts'
import type { Sent } from '../../src/practice/grid.ts'
import { readSidecar } from '../../src/words/part.ts'
import type { Model } from './model.ts'
import type { Known, KnownFile } from './universe.ts'

type Span = { readonly from: number; readonly to: number }

/** DID of a file -> NAME, and what of it lies there */
type Spans = ReadonlyMap<string, Lying>
type Lying = { readonly name: string; readonly spans: readonly Span[]; readonly isNamed: boolean }

/** What sockets of a storage without a limit may hold of one file, on several connections, when its daemon ends gently. end.crash.ts
 *  looks closer. */
const onTheWay = 24 * 2 ** 20

export type Ledger = {
  /** What lies there now. */
  read(): Promise<Spans>
  /** To be called after each death: compares what was sent in that life with what lay there before it, and writes down what lies there now.
   *  @param before what lay there when the daemon was asked to end: all of it must lie there still, and when it had the time to keep
   *  it, what had come as well
   *  @param early what was sent to programs of a life before, until this one ended them: it could not keep that
   *  @returns what was fetched though it lay there, and what is there no more */
  close(
    sent: readonly Sent[],
    before?: { readonly there: Spans; readonly hadTime: boolean },
    early?: readonly Sent[],
  ): Promise<readonly string[]>
  /** bytes found to lie there, over all deaths; that storages sent: all, and those that they sent twice in one life; the most of one
   *  file that a gentle end did not keep */
  totals(): {
    readonly checkpointed: number
    readonly sent: number
    readonly again: number
    readonly most: number
  }
}

/** @param resumes false: the engine knows no part of a file, and what has its final name alone must not come again */
export function openLedger(
  data: string,
  model: Pick<Model, 'all' | 'ends' | 'harm' | 'disturbed'>,
  resumes: boolean,
): Ledger {
  let kept: Spans = new Map()
  const totals = { checkpointed: 0, sent: 0, again: 0, most: 0 }
  const home = new Map(
    model.all.flatMap(({ name, files }) => [...files.values()].map(({ did }) => [did, name])),
  )
  const withCorrupt = new Set(
    model.all.flatMap(({ files }) =>
      [...files.values()].filter(each => each.hasCorrupt).map(each => each.did),
    ),
  )

  async function read(): Promise<Spans> {
    const found = new Map<string, Lying>()
    for (const known of model.all) {
      if (model.ends(known.name).has('gone')) continue
      const parts = new Set(await names(join(data, known.name, '.rucio', 'parts')))
      for (const file of known.files.values()) {
        // What a person changed has the right size at the most.
        if (model.harm.has(`${known.name}/${file.path}`)) continue
        const lying = await lyingOf(data, known, file, parts)
        if (lying.spans.length > 0) found.set(file.did, { name: known.name, ...lying })
      }
    }
    return found
  }

  /** A wrong replica costs the bytes that it gave; what a person took away must come again. */
  const isExempt = (did: string, name: string): boolean => withCorrupt.has(did) || model.disturbed.has(name)

  return {
    read,
    async close(sent, before, early = []) {
      const faults: string[] = []
      const came = new Map<string, Span[]>()
      for (const [index, { rse, did, from, to }] of [...early, ...sent].entries()) {
        const earlier = came.get(did) ?? []
        totals.sent += to - from
        totals.again += overlap(earlier, { from, to })
        if (index >= early.length) came.set(did, [...earlier, { from, to }])
        const there = kept.get(did)
        if (there === undefined || isExempt(did, there.name) || !(resumes || there.isNamed)) continue
        const again = overlap(there.spans, { from, to })
        if (again > 0)
          faults.push(`${there.name} ${did}: ${again} bytes of ${from}-${to} came again from ${rse}`)
      }
      const now = await read()
      for (const [did, { name, spans }] of before?.there ?? []) {
        if (isExempt(did, name)) continue
        const lost =
          bytesIn(spans) - spans.reduce((sum, each) => sum + overlap(now.get(did)?.spans ?? [], each), 0)
        if (lost > 0)
          faults.push(`${name} ${did}: ${lost} bytes that a sidecar counted are lost by a gentle end`)
      }
      for (const [did, spans] of before?.hadTime === true && resumes ? came : []) {
        const name = home.get(did)
        if (name === undefined || isExempt(did, name) || model.ends(name).has('gone')) continue
        const there = now.get(did)?.spans ?? []
        const lost = bytesIn(spans) - spans.reduce((sum, each) => sum + overlap(there, each), 0)
        totals.most = Math.max(totals.most, lost)
        if (lost > onTheWay)
          faults.push(`${name} ${did}: ${lost} bytes that came were not kept by a gentle end`)
      }
      for (const { spans } of now.values()) totals.checkpointed += bytesIn(spans)
      kept = now
      model.disturbed.clear()
      return faults
    },
    totals: () => totals,
  }
}

const nothing = { spans: [], isNamed: false }

async function lyingOf(
  data: string,
  known: Known,
  file: KnownFile,
  parts: ReadonlySet<string>,
): Promise<Omit<Lying, 'name'>> {
  const final = await lstat(join(data, known.name, file.path)).catch(() => undefined)
  if (final?.size === file.bytes) return { spans: [{ from: 0, to: file.bytes }], isNamed: true }
  if (!parts.has(`${file.path}.json`) || !parts.has(`${file.path}.part`)) return nothing
  const folder = join(data, known.name, '.rucio', 'parts')
  try {
    const sidecar = readSidecar(JSON.parse(await readFile(join(folder, `${file.path}.json`), 'utf8')))
    const { size } = await lstat(join(folder, `${file.path}.part`))
    const ranges = sidecar?.ranges ?? []
    if (ranges.some(({ to }) => to > size))
      throw new Error(`${known.name}/${file.path}: a sidecar counts more than its part holds`)
    return { spans: ranges.map(({ from, to }) => ({ from, to })), isNamed: false }
  } catch (error) {
    // It got its name between two looks, of a daemon that lives.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothing
    throw error
  }
}

function bytesIn(spans: readonly Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0)
}

function overlap(spans: readonly Span[], { from, to }: Span): number {
  return spans.reduce((sum, each) => sum + Math.max(0, Math.min(to, each.to) - Math.max(from, each.from)), 0)
}
