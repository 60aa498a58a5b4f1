// Where the files of a dataset lie below the mount: asked of Rucio for one RSE, laid down as places.jsonl. Never looks there.

import { layout } from '../disk/layout.ts'
import { jsonLines, readListing } from '../disk/lines.ts'
import { putPlaces } from '../disk/places.ts'
import { type ListingLine, readListingLine } from '../words/listing.ts'
import { readFullDid } from '../words/names.ts'
import { type Protocol, placeOf } from '../words/place.ts'
import { Trouble } from '../words/reason.ts'
import type { FileReplicas } from '../words/replica.ts'
import type { PlaceLine } from '../words/rule.ts'
import type { Daemon } from './daemon.ts'

// What the catalogue's own client of ours asks for in one call (catalogue/replicas.ts).
const sliceLength = 500

/** @throws Trouble `no_replica` when Rucio names no replica of a file at the RSE, `unsupported` when its address has none of the
 *  RSE's prefixes */
export async function actPlace(
  daemon: Daemon,
  name: string,
  { did, rse, mount }: { readonly did: string; readonly rse: string; readonly mount: string },
  signal: AbortSignal,
): Promise<void> {
  const { root, rucio } = daemon
  const head = await readListing(root, layout.listing(root, name))
  if (head === undefined || head.type === 'NONE') return
  const protocols = head.length === 0 ? [] : await rucio.rules.protocols(rse, signal)
  await putPlaces(
    root,
    name,
    { format: 1, did, rse, mount, fetched: head.fetched, length: head.length },
    places(daemon, name, { rse, protocols }, signal),
  )
}

async function* places(
  { root, rucio }: Daemon,
  name: string,
  at: { readonly rse: string; readonly protocols: readonly Protocol[] },
  signal: AbortSignal,
): AsyncGenerator<PlaceLine> {
  for await (const lines of slices(jsonLines(root, layout.listing(root, name)))) {
    signal.throwIfAborted()
    const dids = lines.flatMap(line => readFullDid(line.did) ?? [])
    const found = await rucio.replicasAt(at.rse, dids, signal)
    for (const line of lines) {
      const { path, bytes } = line
      yield { path, bytes, place: oneOf(line, found.get(line.did), at) }
    }
  }
}

function oneOf(
  { did }: ListingLine,
  replicas: FileReplicas | undefined,
  { rse, protocols }: { readonly rse: string; readonly protocols: readonly Protocol[] },
): string {
  let why: Trouble | undefined
  for (const each of replicas?.replicas ?? []) {
    if (each.rse !== rse) continue
    const place = placeOf(each.pfn, protocols)
    if (!(place instanceof Trouble)) return place
    why ??= place
  }
  throw why ?? new Trouble('no_replica', `Rucio names no place of ${did} at ${rse}, though its rule is OK`)
}

async function* slices(lines: AsyncIterable<unknown>): AsyncGenerator<ListingLine[]> {
  let slice: ListingLine[] = []
  for await (const json of lines) {
    // The head is none, and passed over.
    const line = readListingLine(json)
    if (line === undefined) continue
    slice.push(line)
    if (slice.length < sliceLength) continue
    yield slice
    slice = []
  }
  if (slice.length > 0) yield slice
}
