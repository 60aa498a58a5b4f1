// Which NAMEs are here, what DID each is, and whether one differs from another by letter case alone. Never judges how a
// dataset stands (word.ts does), and never writes.

import { lstat } from 'node:fs/promises'
import { type Did, parseDid } from '../words/did.ts'
import { didOfName, fold, isComponent, nameOf, readFullDid } from '../words/names.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { parseRequest } from '../words/request.ts'
import { layout, type Root } from './layout.ts'
import { readListing } from './lines.ts'
import { names, readUserText } from './read.ts'
import { toDisk } from './way.ts'

const atOnce = 32

/** NAMEs that are here, under requests/, as a dataset folder (with .rucio) or in the trash. */
export async function knownNames(root: Root): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  for (const file of await names(layout.requests(root))) {
    const name = requestName(file)
    if (name !== undefined) known.add(name)
  }
  const folders = (await names(root.dir)).filter(isComponent)
  for (let from = 0; from < folders.length; from += atOnce) {
    const batch = folders.slice(from, from + atOnce)
    const found = await Promise.all(batch.map(name => isFolder(layout.records(root, name))))
    for (const [index, name] of batch.entries()) if (found[index] === true) known.add(name)
  }
  for (const name of await names(layout.trash(root))) if (isComponent(name)) known.add(name)
  return known
}

/** What a NAME's own records say that its DID is: request, listing, catalogue answer; undefined when none does. */
export async function didHere(root: Root, name: string): Promise<Did | undefined> {
  const ours = (did: Did | Trouble | undefined): did is Did =>
    did !== undefined && !(did instanceof Trouble) && nameOf(did) === name
  const inRequest = await didOfRequest(root, layout.request(root, name), name)
  if (ours(inRequest)) return inRequest
  const listed = readFullDid((await readListing(root, layout.listing(root, name)))?.did)
  if (ours(listed)) return listed
  const inKept = await didOfRequest(root, layout.keptRequest(root, name), name)
  if (ours(inKept)) return inKept
  const answered = readFullDid((await readListing(root, layout.answer(root, name)))?.did)
  return ours(answered) ? answered : undefined
}

/** NAMEs that are asked about and may be written the next moment, by root.dir; a re-read of the directories is spared for them. */
type Seen = {
  /** fold -> NAMEs */
  readonly byFold: Map<string, Set<string>>
  readonly asked: Set<string>
  readonly stamps: string
  readonly readAtMs: number
  readonly tookMs: number
  /** no directory had changed within the 2 s before it was read, so an equal stamp means an equal directory */
  readonly isSettled: boolean
}
const seenByDir = new Map<string, Seen>()

// Directories that change all the time are read again for a twentieth of the time at the most: 5,000 wishes in a row
// make requests/ longer with each, and reading it for each took longer than writing them.
const pauseFactor = 20
const mostAsked = 20_000

/** A NAME that is here and differs from `name` only by letter case.
 *  One that this process asked about before is found at once; one that another program has just written, at the latest after
 *  20 times as long as reading the directories takes. No look can rule out a name that comes in the next instant. */
export async function caseTwin(root: Root, name: string): Promise<string | undefined> {
  const seen = await namesByFold(root)
  const twins = seen.byFold.get(fold(name)) ?? new Set()
  for (const twin of twins) if (twin !== name && (await isHere(root, twin))) return twin
  twins.add(name)
  seen.byFold.set(fold(name), twins)
  seen.asked.add(name)
  return undefined
}

async function namesByFold(root: Root): Promise<Seen> {
  const now = performance.now()
  const stamps = await stampsOf(root)
  const before = seenByDir.get(root.dir)
  if (before !== undefined && before.asked.size < mostAsked) {
    if (before.isSettled && before.stamps === stamps.text) return before
    if (now - before.readAtMs < pauseFactor * before.tookMs) return before
  }
  const byFold = new Map<string, Set<string>>()
  const add = (name: string): void => {
    const same = byFold.get(fold(name))
    if (same === undefined) byFold.set(fold(name), new Set([name]))
    else same.add(name)
  }
  for (const file of await names(layout.requests(root))) {
    const name = requestName(file)
    if (name !== undefined) add(name)
  }
  for (const name of [...(await names(root.dir)), ...(await names(layout.trash(root)))])
    if (isComponent(name)) add(name)
  // One that was asked about since the last reading may be on its way to the disk.
  const asked = new Set<string>()
  for (const name of before?.asked ?? []) {
    if ((before?.asked.size ?? 0) >= mostAsked) break
    asked.add(name)
    add(name)
  }
  const readAtMs = performance.now()
  const seen = {
    byFold,
    asked,
    stamps: stamps.text,
    readAtMs,
    tookMs: readAtMs - now,
    isSettled: stamps.isSettled,
  }
  seenByDir.set(root.dir, seen)
  return seen
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
  return { text, isSettled: Date.now() - newest > 2000 }
}

/** Is it here under just this spelling? A disk that does not tell letter case answers for both, so the directory's own is looked at. */
async function isHere(root: Root, name: string): Promise<boolean> {
  return (
    (await isSomething(layout.request(root, name))) ||
    (await isFolder(layout.records(root, name))) ||
    (await isFolder(layout.trashed(root, name)))
  )
}

/** NAME that a file of requests/ asks for; undefined for what is no request. */
function requestName(file: string): string | undefined {
  if (!file.endsWith('.json') || file.startsWith('.')) return undefined
  const text = file.slice(0, -'.json'.length)
  const did = didOfName(text)
  if (!(did instanceof Trouble)) return nameOf(did)
  return isComponent(text) ? text : undefined
}

async function didOfRequest(root: Root, path: string, name: string): Promise<Did | undefined> {
  const found = await readUserText(root, path)
  if (found === undefined || found instanceof Trouble) return undefined
  const request = parseRequest(found.text)
  const did =
    request instanceof Trouble || request.did === undefined ? didOfName(name) : parseDid(request.did)
  return did instanceof Trouble ? undefined : did
}

async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder'
}

async function isSomething(path: string): Promise<boolean> {
  return (await kindOf(path)) !== 'nothing'
}

async function kindOf(path: string): Promise<'folder' | 'other' | 'nothing'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other'
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing'
    throw toDisk(error)
  }
}
