// Which NAMEs are here, and what DID each is. Never judges how a dataset stands (word.ts does), and never writes.

import { lstat } from 'node:fs/promises'
import { type Did, parseDid } from '../words/did.ts'
import { didOfName, isComponent, nameOf, readFullDid } from '../words/names.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { parseRequest } from '../words/request.ts'
import { layout, type Root } from './layout.ts'
import { readListing } from './lines.ts'
import { names, readUserText } from './read.ts'
import { toDisk } from './way.ts'

const atOnce = 32

/** NAMEs that a file of requests/ asks for, whatever it says. */
export async function askedNames(root: Root): Promise<Set<string>> {
  const asked = new Set<string>()
  for (const file of await names(layout.requests(root))) {
    const name = requestName(file)
    if (name !== undefined) asked.add(name)
  }
  return asked
}

/** NAMEs that are here, under requests/, as a dataset folder (with .rucio) or in the trash. */
export async function knownNames(root: Root): Promise<ReadonlySet<string>> {
  const known = await askedNames(root)
  const folders = (await names(root.dir)).filter(isComponent)
  for (let from = 0; from < folders.length; from += atOnce) {
    const batch = folders.slice(from, from + atOnce)
    const found = await Promise.all(batch.map(name => isDataset(root, name)))
    for (const [index, name] of batch.entries()) if (found[index] === true) known.add(name)
  }
  for (const name of await names(layout.trash(root))) if (isComponent(name)) known.add(name)
  return known
}

/** A folder that may not be looked into, of another user of this disk say, is no dataset of ours as far as can be told. */
async function isDataset(root: Root, name: string): Promise<boolean> {
  try {
    return await isFolder(layout.records(root, name))
  } catch (error) {
    if (error instanceof Trouble && error.reason === 'read_only') return false
    throw error
  }
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

/** NAME that a file of requests/ asks for; undefined for what is no request. */
export function requestName(file: string): string | undefined {
  if (!file.endsWith('.json') || file.startsWith('.')) return undefined
  const text = file.slice(0, -'.json'.length)
  const did = didOfName(text)
  if (!(did instanceof Trouble)) return nameOf(did)
  // A shortened name, whose DID stands inside.
  return text.includes('~') && isComponent(text) ? text : undefined
}

async function didOfRequest(root: Root, path: string, name: string): Promise<Did | undefined> {
  const found = await readUserText(root, path)
  if (found === undefined || found instanceof Trouble) return undefined
  const request = parseRequest(found.text)
  const did =
    request instanceof Trouble || request.did === undefined ? didOfName(name) : parseDid(request.did)
  return did instanceof Trouble ? undefined : did
}

export async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder'
}

export async function isSomething(path: string): Promise<boolean> {
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
