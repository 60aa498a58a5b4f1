// The word of /ds, from the disk alone. Never keeps an answer, and never writes.

import { parseDid } from '../words/did.ts'
import { missingUntil } from '../words/listing.ts'
import { nameOf, readFullDid } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import { parseRequest, type Request } from '../words/request.ts'
import { proveAfar } from './elsewhere.ts'
import { layout, type Root } from './layout.ts'
import { readListing } from './lines.ts'
import { lacksFiles, prove } from './proof.ts'
import { readUserText } from './read.ts'
import { walk } from './way.ts'

export { askedNames, didHere, knownNames } from './known.ts'
export { caseTwin } from './twin.ts'

export type Word = 'not_on_server' | 'downloading' | 'local' | 'does_not_exist'

/** `paths` only with local, in the listing's order: of NAME/, or absolute where they lie elsewhere. `listed`: those of the listing in
 *  NAME/, which are more than are kept. */
export type Said = {
  readonly word: Word
  readonly paths: readonly string[] | 'listed'
  readonly isElsewhere?: true
}

/** The word of /ds (DESIGN.md, "The word of /ds") from the disks alone. What is whole in NAME/ is told from there.
 *  The caller keeps proofs for a while (web/, wishes/watch.ts); this always looks.
 *  @throws Trouble when the disk does not answer: that is never `not_on_server` */
export async function wordOf(root: Root, name: string, now: number): Promise<Said> {
  const { wish, request } = await wishOf(root, name)
  if (wish === 'remove') return { word: 'not_on_server', paths: [] }
  // A wish that came over a pending removal cancels it, though trash/ may still be emptied.
  if (wish === 'none' && (await walk(root, layout.trashed(root, name))) !== undefined)
    return { word: 'not_on_server', paths: [] }
  if (!(await lacksFiles(root, name))) {
    const proof = await prove(root, name)
    if (proof.kind === 'whole') return { word: 'local', paths: proof.paths ?? 'listed' }
  }
  const afar = await proveAfar(root, name, request, now)
  if (afar.kind === 'whole') return { word: 'local', paths: afar.paths, isElsewhere: true }
  if (await isMissing(root, name, now)) return { word: 'does_not_exist', paths: [] }
  if (wish === 'fetch' || (await isRequestKept(root, name))) return { word: 'downloading', paths: [] }
  return { word: 'not_on_server', paths: [] }
}

/** Does the request of this dataset lie in its folder? It does not when a person took it out of requests/ as the last file came, or put
 *  the folder there without one: then nothing says that it is wanted until it is asked for again. Nor does one count that came along
 *  with the folder of another dataset, which a person has renamed: nobody has asked for what it is called now.
 *  @throws Trouble when the disk does not answer */
export async function isRequestKept(root: Root, name: string): Promise<boolean> {
  if (!(await isThere(root, layout.keptRequest(root, name)))) return false
  const listed = readFullDid((await readListing(root, layout.listing(root, name)))?.did)
  return listed === undefined || nameOf(listed) === name
}

/** A request that cannot be read waits, as a paused one does; it never removes anything. */
async function wishOf(
  root: Root,
  name: string,
): Promise<{ readonly wish: 'none' | 'fetch' | 'remove'; readonly request?: Request }> {
  const text = await readUserText(root, layout.request(root, name))
  if (text === undefined) return { wish: 'none' }
  if (text instanceof Trouble) return { wish: 'fetch' }
  const request = parseRequest(text.text)
  if (request instanceof Trouble) return { wish: 'fetch' }
  // On a disk that does not tell letter case this may be another's.
  if (request.did !== undefined && !isNameOf(request.did, name)) return { wish: 'none' }
  return { wish: request.remove ? 'remove' : 'fetch', request }
}

function isNameOf(text: string, name: string): boolean {
  const did = parseDid(text)
  // A request whose `did` is none is broken and waits; the loop says so.
  return did instanceof Trouble || nameOf(did) === name
}

async function isMissing(root: Root, name: string, now: number): Promise<boolean> {
  const head = await readListing(root, layout.answer(root, name))
  if (head?.type !== 'NONE') return false
  const did = readFullDid(head.did)
  return did !== undefined && nameOf(did) === name && missingUntil(head, now) > 0
}

async function isThere(root: Root, path: string): Promise<boolean> {
  return (await walk(root, path)) !== undefined
}
