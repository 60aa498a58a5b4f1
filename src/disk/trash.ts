// A dataset goes: its records are renamed away first, then what is Rucio's is unlinked by their word. Never touches what
// is not Rucio's, never follows a link, never touches requests/.

import { rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readListingLine } from '../words/listing.ts'
import { isComponent } from '../words/names.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { readVerifiedHead, readVerifiedLine } from '../words/verified.ts'
import { layout, type Root } from './layout.ts'
import { jsonLines } from './lines.ts'
import { fence, makeDir, move, syncDir } from './put.ts'
import { names } from './read.ts'
import { freePath, toDisk, walk } from './way.ts'

/** Makes what is Rucio's of NAME go (DESIGN.md, the row of `"remove": true`): NAME/.rucio is renamed to trash/NAME first, aside/ goes
 *  back to NAME/, each file of its listing is unlinked, INCOMPLETE.txt too, NAME/ when it is empty then. May be killed anywhere and
 *  called again. Does not touch requests/.
 *  @throws Trouble `refused` when NAME or NAME/.rucio is a link or no folder: nothing goes then; as put() */
export async function throwAway(root: Root, name: string): Promise<void> {
  if (!isComponent(name)) throw new Trouble('refused', `${JSON.stringify(name)} is no name of a dataset`)
  // An earlier removal ends first: a folder of records put there since (a copy from elsewhere) has another listing.
  if (await isFolder(root, layout.trashed(root, name))) await empty(root, name)
  if (!(await isFolder(root, layout.dataset(root, name)))) return
  if (!(await isFolder(root, layout.records(root, name))))
    return removeFolderIfEmpty(root, layout.dataset(root, name))
  await makeDir(layout.trash(root))
  await move(root, layout.records(root, name), layout.trashed(root, name))
  await empty(root, name)
}

/** NAMEs whose removal has begun and not ended: nothing may be fetched for them before throwAway() has ended. */
export async function inTrash(root: Root): Promise<string[]> {
  return (await names(layout.trash(root))).filter(isComponent)
}

/** Each step may have been done already. The records go last, since they say what is left to do. */
async function empty(root: Root, name: string): Promise<void> {
  const trashed = layout.trashed(root, name)
  if (await isFolder(root, layout.dataset(root, name))) await unlinkListed(root, name)
  await giveBack(root, name)
  await removeFolderIfEmpty(root, layout.dataset(root, name))
  await fence(root)
  // What these records name has gone for good by now, so their order among themselves is of no account.
  await removeAll(trashed)
  await syncDir(layout.trash(root))
}

async function unlinkListed(root: Root, name: string): Promise<void> {
  let sinceLook = 0
  for await (const path of paths(root, name)) {
    // owner.json is read again for each handful: a million looks would take as long as the removal.
    if (sinceLook++ % 64 === 0) await fence(root)
    await unlinkRegular(root, layout.file(root, name, path))
  }
  await fence(root)
  await unlinkRegular(root, layout.incomplete(root, name))
  await syncDir(layout.dataset(root, name))
}

/** What Rucio's records say is theirs: the listing, also one that is not whole, and what this daemon verified by an earlier
 *  listing. One safe component each (readListingLine, readVerifiedLine). */
async function* paths(root: Root, name: string): AsyncGenerator<string> {
  const trashed = layout.trashed(root, name)
  for await (const json of jsonLines(root, join(trashed, 'listing.jsonl'))) {
    const line = readListingLine(json)
    if (line !== undefined) yield line.path
  }
  let ours = false
  for await (const json of jsonLines(root, join(trashed, 'verified.jsonl'))) {
    ours ||= readVerifiedHead(json)?.id === root.id
    // The lines of a folder that came from elsewhere do not count, here as everywhere.
    if (!ours) return
    const line = readVerifiedLine(json)
    if (line !== undefined) yield line.path
  }
}

/** A regular file goes. A link or folder under the name of a file is nothing that came from Rucio: it stays. */
async function unlinkRegular(root: Root, path: string): Promise<void> {
  const found = await walk(root, path)
  if (found?.isFile() !== true) return
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw toDisk(error)
  }
}

/** What a person had put under a name that a verified file needed is theirs: NAME/aside, or aside-2, … where that is taken. */
async function giveBack(root: Root, name: string): Promise<void> {
  const aside = join(layout.trashed(root, name), 'aside')
  const found = await walk(root, aside)
  if (found?.isDirectory() !== true || (await names(aside)).length === 0) return
  await makeDir(layout.dataset(root, name), root)
  await move(root, aside, await freePath(root, join(layout.dataset(root, name), 'aside')))
}

async function removeFolderIfEmpty(root: Root, dir: string): Promise<void> {
  await fence(root)
  try {
    await rmdir(dir)
  } catch (error) {
    // Some systems say EEXIST for a folder that is not empty.
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) return
    throw toDisk(error)
  }
  await syncDir(dirname(dir))
}

async function removeAll(path: string): Promise<void> {
  // rm() looks with lstat: of a link it takes the link.
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    throw toDisk(error)
  }
}

/** @throws Trouble `refused` for what is there and no folder */
async function isFolder(root: Root, path: string): Promise<boolean> {
  const found = await walk(root, path)
  if (found !== undefined && !found.isDirectory())
    throw new Trouble('refused', 'a link or file lies where a folder of a dataset should')
  return found !== undefined
}
