// The datasets in work, and how one is taken into work: its listing, proof and sidecars, read once. Never holds a listing's lines.

import { layout, type Root } from '../disk/layout.ts'
import { VerifiedLog } from '../disk/lines.ts'
import { ListingFile } from '../disk/listing-file.ts'
import { compare, type Harm } from '../disk/proof.ts'
import { eachName, names, readRecord } from '../disk/read.ts'
import { emptyBits } from '../words/bits.ts'
import type { Did } from '../words/did.ts'
import type { ListingLine } from '../words/listing.ts'
import { readSidecar, type Sidecar } from '../words/part.ts'
import type { Failure } from '../words/reason.ts'
import { fromIso } from '../words/world.ts'
import type { FileWork, Work } from './at-hand.ts'

export type Works = ReadonlyMap<string, Work> & {
  /** undefined when there is no listing, or it was replaced while it was read */
  load(name: string, did: Did): Promise<Work | undefined>
  unload(name: string): Promise<void>
  unloadAll(): Promise<void>
}

export function openWorks(root: Root): Works {
  const works = new Map<string, Work>()
  return Object.assign(works, {
    async load(name: string, did: Did): Promise<Work | undefined> {
      await unload(works, name)
      const work = await loadWork(root, name, did)
      if (work !== undefined) works.set(name, work)
      return work
    },
    unload: (name: string) => unload(works, name),
    async unloadAll(): Promise<void> {
      for (const name of [...works.keys()]) await unload(works, name)
    },
  })
}

async function unload(works: Map<string, Work>, name: string): Promise<void> {
  const work = works.get(name)
  if (work === undefined) return
  works.delete(name)
  clearTimeout(work.syncTimer)
  await work.listing.close()
  await work.log.close()
}

async function loadWork(root: Root, name: string, did: Did): Promise<Work | undefined> {
  const listing = await ListingFile.open(root, name)
  if (listing === undefined) return undefined
  try {
    const work = await readWork(root, name, did, listing)
    if (work === undefined) await listing.close()
    return work
  } catch (error) {
    await listing.close()
    throw error
  }
}

async function readWork(root: Root, name: string, did: Did, listing: ListingFile): Promise<Work | undefined> {
  const begun = await readBegun(root, name)
  const left = emptyBits()
  const toAdopt = emptyBits()
  const absent = emptyBits()
  const files = new Map<string, FileWork>()
  /** of files in doubt for which the catalogue has no checksum: what was verified before tells a change */
  const unchecked = new Set<string>()
  let number = 0
  let there = 0
  const head = await compare(root, name, (line, kind) => {
    const mine = number++
    if (kind !== 'absent') there++
    if (kind === undefined) return
    left.set(mine)
    if (kind === 'absent') absent.set(mine)
    if (isDoubt(kind)) {
      toAdopt.set(mine)
      if (line.adler32 === undefined && line.md5 === undefined) unchecked.add(line.path)
    }
    const before = begun.get(line.path)
    if (before !== undefined) files.set(line.path, fileWork(mine, line, before))
  })
  // Its numbers are those of the listing that was proved, or of none.
  if (head === undefined || !(await listing.isStill())) return undefined
  // Something may lie under another name, too.
  if (absent.count > 0 && (await mayLieElsewhere(root, name, did, there)))
    for (let mine = 0; mine < number; mine++) if (absent.has(mine)) toAdopt.set(mine)
  const atHand = [...files.values()]
  return {
    name,
    did,
    head,
    listing,
    left,
    toAdopt,
    files,
    fresh: new Set(atHand.filter(each => each.nextTryAt === 0)),
    later: new Set(atHand.filter(each => each.nextTryAt > 0)),
    rest: { lines: listing.lines(), number: 0, isOver: false },
    refreshAfter: 0,
    noted: -1,
    notedAt: 0,
    syncTimer: undefined,
    // At last, so that whatever fails before it leaves no open file behind.
    log: await VerifiedLog.open(root, name, unchecked),
  }
}

/** Right size and another mtime, or no line: it is read, not fetched. */
function isDoubt(kind: Harm['kind']): boolean {
  return kind === 'mtime' || kind === 'unproved'
}

/** What counts of a sidecar. */
type Begun = {
  readonly did: string
  readonly bytes: number
  readonly here: number
  readonly nextTryAt: number
  readonly failure: Failure | undefined
}

function fileWork(number: number, line: ListingLine, begun: Begun): FileWork {
  const ours = begun.did === line.did && begun.bytes === line.bytes
  return {
    number,
    line,
    bytes: line.bytes - (ours ? begun.here : 0),
    nextTryAt: ours ? begun.nextTryAt : 0,
    busy: false,
    failure: ours ? begun.failure : undefined,
  }
}

async function readBegun(root: Root, name: string): Promise<ReadonlyMap<string, Begun>> {
  const found = new Map<string, Begun>()
  // Thousands may have failed for one reason: its sentence lies in memory once.
  const sentences = new Map<string, string>()
  const once = (text: string): string => {
    const known = sentences.get(text)
    if (known === undefined) sentences.set(text, text)
    return known ?? text
  }
  for (const file of await names(layout.parts(root, name))) {
    if (!file.endsWith('.json')) continue
    const path = file.slice(0, -'.json'.length)
    const sidecar = await readRecord(root, layout.sidecar(root, name, path), readSidecar)
    if (sidecar !== undefined) found.set(path, begunOf(sidecar, once))
  }
  return found
}

function begunOf({ did, bytes, ranges, next_try, error }: Sidecar, once: (text: string) => string): Begun {
  return {
    did,
    bytes,
    here: ranges.reduce((sum, each) => sum + each.to - each.from, 0),
    nextTryAt: next_try === null ? 0 : (fromIso(next_try) ?? 0),
    failure: error === null ? undefined : { ...error, message: once(error.message) },
  }
}

/** Is there a folder of the bare name, or a file in NAME/ that the listing does not name? Only then is every absent file looked for.
 *  @param there so many names in NAME/ are of the listing */
async function mayLieElsewhere(root: Root, name: string, did: Did, there: number): Promise<boolean> {
  let strangers = -there
  await eachName(layout.dataset(root, name), each => {
    if (each !== '.rucio' && each !== 'INCOMPLETE.txt') strangers++
    return strangers <= 0
  })
  if (strangers > 0) return true
  const [bare = ''] = did.name.replace(/^\//, '').split('/')
  // `rucio download` lays a file that was asked for by itself into a folder of its scope.
  for (const folder of [bare, did.scope])
    if (folder !== name && (await names(layout.dataset(root, folder))).length > 0) return true
  return false
}
