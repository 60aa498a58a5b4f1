// Bytes of a listed file that lie here already, from `rucio download` or another disk, are verified and taken. Never follows a
// link, never takes from another dataset of ours, and never removes a folder that holds anything.

import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ListingLine } from '../words/listing.ts'
import { fold, isComponent, readFullDid } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import type { VerifiedLine } from '../words/verified.ts'
import type { World } from '../words/world.ts'
import { isRight, putAside, verifiedLine } from './finish.ts'
import { layout, type Root } from './layout.ts'
import { readVerified } from './lines.ts'
import { place } from './put.ts'
import { type Stat, statRegular } from './read.ts'
import { readSums, type Sums } from './sums.ts'
import { walk } from './way.ts'

export { readSums } from './sums.ts'

/** Looks for the bytes of one listed file that may lie there already: under its path, else under its raw name, in the folder NAME or in
 *  the folder of the DID's bare name (what `rucio download` makes: names with slashes are folders, a leading slash leaves the last part).
 *  Size first, then read and compared. Right = moved to NAME/PATH where it lies elsewhere, synced, and the line to append returned.
 *  Wrong bytes under its own path = left there (finish.ts puts them aside when the right ones come).
 *  INCOMPLETE.txt is there already, as for finish(); the caller appends the line and syncs the log, and with it the names.
 *  @throws Trouble when the disk does not answer, and what `signal` gives as its reason */
export async function adopt(options: {
  readonly root: Root
  readonly name: string
  /** bare name of the dataset's DID */
  readonly bareName: string
  readonly line: ListingLine
  /** the line that this file had here, if any: where the catalogue has no checksum it alone tells a change by hand */
  readonly before?: VerifiedLine | undefined
  readonly world: World
  readonly signal: AbortSignal
}): Promise<VerifiedLine | undefined> {
  const { root, name, line, before, world, signal } = options
  const isUnchecked = line.adler32 === undefined && line.md5 === undefined
  const own = layout.file(root, name, line.path)
  const right = async (path: string): Promise<Sums | undefined> => {
    if ((await sizeOf(root, path)) !== line.bytes) return undefined
    if (path !== own && (await isAnothers({ root, name, path }))) return undefined
    const sums = await orNothing(readSums(root, path, signal))
    if (sums?.bytes !== line.bytes || !isRight(line, sums)) return undefined
    if (isUnchecked && before?.bytes === line.bytes && before.adler32 !== sums.adler32) return undefined
    return sums
  }
  for (const path of [own, ...elsewhere(options)]) {
    const sums = await right(path)
    if (sums === undefined) continue
    if (path !== own) {
      await putAside(root, name, line.path, world.now())
      const isThere = async (): Promise<boolean> => (await sizeOf(root, own)) === line.bytes
      if (!(await canPlace(root, path, own, isThere))) continue
      await removeEmpty(root, name, path)
    }
    const stat = await orNothing(statRegular(root, own))
    // A change since it was read is somebody's work: the file has no line, and is looked at again.
    if (!isSame(stat, sums)) return undefined
    return verifiedLine({ line, adler32: sums.adler32, md5: sums.md5, stat, now: world.now() })
  }
  return undefined
}

/** Paths below DATA where `rucio download` or a person may have put the file. */
function elsewhere({
  root,
  name,
  bareName,
  line,
}: {
  readonly root: Root
  readonly name: string
  readonly bareName: string
  readonly line: ListingLine
}): string[] {
  const did = readFullDid(line.did)
  if (did === undefined) return []
  // The official client: `…/a/b.root` of a/b.root, but the last part alone of /a/b.root (facts/rucio.md 8).
  const raw = did.name.startsWith('/') ? did.name.split('/').slice(-1) : did.name.split('/')
  const folder = bareName.replace(/^\//, '').split('/')
  const ways = [
    [name, ...raw],
    [...folder, line.path],
    [...folder, ...raw],
  ]
  // A file that was asked for by itself lies in a folder of its scope.
  if (did.name === bareName) ways.push([did.scope, ...folder])
  const paths = ways.filter(isForeign).map(way => join(root.dir, ...way))
  const own = layout.file(root, name, line.path)
  return [...new Set(paths)].filter(path => path !== own)
}

/** Nothing of the daemon's own, however its letters are written, and nothing that climbs. */
function isForeign(way: readonly string[]): boolean {
  const [first = '', second = ''] = way.map(fold)
  if (way.some(part => part === '' || part === '.' || part === '..' || fold(part) === '.rucio')) return false
  if (first.startsWith('.') || ['requests', 'watch', 'config.json'].includes(first)) return false
  return second !== 'incomplete.txt'
}

/** A file in another dataset's folder, or one of this dataset that has its line under that very name (its twin's bytes may be the
 *  same) is not taken away. */
async function isAnothers({
  root,
  name,
  path,
}: {
  readonly root: Root
  readonly name: string
  readonly path: string
}): Promise<boolean> {
  const home = layout.dataset(root, name)
  if (dirname(path) === home) {
    const raw = path.slice(home.length + 1)
    if (!isComponent(raw)) return false
    for (const taken of (await readVerified(root, name)).keys()) if (fold(taken) === fold(raw)) return true
    return false
  }
  for (let dir = dirname(path); dir !== root.dir && dir !== home; dir = dirname(dir))
    if ((await orNothing(walk(root, join(dir, '.rucio')))) !== undefined) return true
  return false
}

/** @returns false when the file lies on another file system: it is fetched then, as if it were not there */
async function canPlace(
  root: Root,
  from: string,
  to: string,
  isThere: () => Promise<boolean>,
): Promise<boolean> {
  try {
    await place(root, { from, to, isThere })
    return true
  } catch (error) {
    const cause = error instanceof Trouble ? error.cause : undefined
    if (cause instanceof Error && 'code' in cause && cause.code === 'EXDEV') return false
    throw error
  }
}

/** The folders that the file lay in, as far as they are empty now; never DATA, never NAME. */
async function removeEmpty(root: Root, name: string, path: string): Promise<void> {
  const home = layout.dataset(root, name)
  for (let dir = dirname(path); dir !== root.dir && dir !== home; dir = dirname(dir)) {
    try {
      await rmdir(dir)
    } catch {
      // It holds other things, or may not be removed: a folder that stays harms nobody.
      return
    }
  }
}

async function sizeOf(root: Root, path: string): Promise<number | undefined> {
  return (await orNothing(statRegular(root, path)))?.size
}

/** Links, folders and files that may not be read are not there for us. */
async function orNothing<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking
  } catch (error) {
    if (error instanceof Trouble && (error.reason === 'refused' || error.reason === 'read_only'))
      return undefined
    throw error
  }
}

function isSame(stat: Stat | undefined, sums: Sums): stat is Stat {
  return stat !== undefined && stat.size === sums.bytes && stat.mtimeMs === sums.mtimeMs
}
