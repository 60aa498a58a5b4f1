// Whether a NAME differs from one that is here by letter case alone. Never asks the disk more than it must: it is called
// for each of thousands of wishes.

import { lstat } from 'node:fs/promises'
import { fold, isComponent } from '../words/names.ts'
import { codeOf } from '../words/reason.ts'
import { isFolder, isSomething, requestName } from './known.ts'
import { layout, type Root } from './layout.ts'
import { names } from './read.ts'
import { toDisk } from './way.ts'

/** fold -> NAMEs, spelled as they are */
type Spellings = Map<string, Set<string>>

/** What the directories held when they were read last. */
type Seen = {
  /** under requests/ and trash/ */
  readonly certain: Spellings
  /** components in DATA: datasets if they have a .rucio */
  readonly folders: Spellings
  /** names that this process asked about since, and may be writing now; at most `mostAsked` */
  readonly asked: Spellings
  askedCount: number
  readonly stamps: string
  /** no directory had changed within the 2 s before it was read, so an equal stamp means an equal directory */
  readonly isSettled: boolean
  /** of performance.now() */
  readonly readAtMs: number
  readonly tookMs: number
}
const seenByRoot = new WeakMap<Root, Seen>()

// Directories that change all the time are read for a twentieth of the time at the most: 5,000 wishes in a row make
// requests/ longer with each.
const pauseFactor = 20
const mostAsked = 20_000

/** A NAME that is here and differs from `name` only by letter case.
 *  One that this process asked about before is found at once; one that another program has just written, at the latest after
 *  20 times as long as reading the directories takes. No look can rule out a name that comes in the next instant. */
export async function caseTwin(root: Root, name: string): Promise<string | undefined> {
  const seen = await lately(root)
  const key = fold(name)
  const others = (spellings: Spellings): string[] =>
    [...(spellings.get(key) ?? [])].filter(each => each !== name)
  let isDoubtful = others(seen.certain).length > 0
  for (const other of [...others(seen.folders), ...others(seen.asked)])
    isDoubtful ||= await isHere(root, other)
  if (!isDoubtful) {
    if (note(seen.asked, name)) seen.askedCount++
    return undefined
  }
  // What was seen may have gone, and a disk that does not tell letter case answers to every spelling: the directory has the right one.
  const fresh = await lookAnew(root, seen)
  const [certain] = others(fresh.certain)
  if (certain !== undefined) return certain
  for (const folder of others(fresh.folders)) if (await isFolder(layout.records(root, folder))) return folder
  if (note(fresh.asked, name)) fresh.askedCount++
  return undefined
}

async function lately(root: Root): Promise<Seen> {
  const before = seenByRoot.get(root)
  if (before === undefined || before.askedCount >= mostAsked) return lookAnew(root)
  if (performance.now() - before.readAtMs < pauseFactor * before.tookMs) return before
  if (before.isSettled && before.stamps === (await stampsOf(root)).text) return before
  return lookAnew(root, before)
}

/** @param before what it had asked about may not have reached the directories yet, and stays */
async function lookAnew(root: Root, before?: Seen): Promise<Seen> {
  const from = performance.now()
  const stamps = await stampsOf(root)
  const certain: Spellings = new Map()
  const folders: Spellings = new Map()
  for (const file of await names(layout.requests(root))) {
    const name = requestName(file)
    if (name !== undefined) note(certain, name)
  }
  for (const name of await names(layout.trash(root))) if (isComponent(name)) note(certain, name)
  for (const name of await names(root.dir)) if (isComponent(name)) note(folders, name)
  const readAtMs = performance.now()
  const seen = {
    certain,
    folders,
    asked: before?.asked ?? new Map(),
    askedCount: before?.askedCount ?? 0,
    stamps: stamps.text,
    isSettled: stamps.isSettled,
    readAtMs,
    tookMs: readAtMs - from,
  }
  seenByRoot.set(root, seen)
  return seen
}

/** @returns false when it stood there already */
function note(spellings: Spellings, name: string): boolean {
  const same = spellings.get(fold(name))
  if (same === undefined) spellings.set(fold(name), new Set([name]))
  else if (same.has(name)) return false
  else same.add(name)
  return true
}

/** mtimes and inodes of the directories that hold names; taken before they are read. */
async function stampsOf(root: Root): Promise<{ readonly text: string; readonly isSettled: boolean }> {
  let text = ''
  let newest = 0
  for (const dir of [layout.requests(root), root.dir, layout.trash(root)]) {
    try {
      const { mtimeMs, ino } = await lstat(dir)
      text += `${ino}:${mtimeMs} `
      newest = Math.max(newest, mtimeMs)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw toDisk(error)
      text += '- '
    }
  }
  // The machine's own clock, since it is compared with times that the disk gave.
  return { text, isSettled: Date.now() - newest > 2000 }
}

/** Is it here, in any spelling that the disk takes for the same? */
async function isHere(root: Root, name: string): Promise<boolean> {
  return (
    (await isSomething(layout.request(root, name))) ||
    (await isFolder(layout.records(root, name))) ||
    (await isFolder(layout.trashed(root, name)))
  )
}
