// What the loop does to requests/: a dataset is complete or removed, a name is made canonical, a .problem is laid or taken away.

import { layout } from '../disk/layout.ts'
import { prove } from '../disk/proof.ts'
import { makeDir, move, put, putText, remove } from '../disk/put.ts'
import { readUserText, statRegular } from '../disk/read.ts'
import { throwAway } from '../disk/trash.ts'
import { Trouble } from '../words/reason.ts'
import { parseRequest } from '../words/request.ts'
import type { Complete } from '../words/verified.ts'
import { toIso } from '../words/world.ts'
import type { House } from './house.ts'
import { incompleteText } from './incomplete.ts'
import type { RequestBook, Wish } from './requests.ts'

/** Every file is verified: lines synced, the proof looked at once more, `complete`, the request moved, INCOMPLETE.txt away
 *  (DESIGN.md rule 4). Where the proof does not hold, the dataset is looked at anew instead.
 *  @returns false when its request has just been changed */
export async function actComplete(house: House, book: RequestBook, wish: Wish): Promise<boolean> {
  const { root, world } = house
  const { name } = wish
  await house.works.get(name)?.log.sync()
  await house.works.unload(name)
  const proof = await prove(root, name)
  if (proof.kind !== 'whole') return true
  const marker: Complete = {
    format: 1,
    files: proof.head.length,
    bytes: proof.head.bytes,
    at: toIso(world.now()),
  }
  await put(root, layout.complete(root, name), marker)
  const moved = await house.accept.exclusive(async () => {
    const from = layout.request(root, name)
    const to = layout.keptRequest(root, name)
    if (!(await isStill(house, from, wish.text))) return false
    await move(root, from, to)
    if (await isStill(house, to, wish.text)) return true
    // It was written anew within that instant: it is another wish, and goes back.
    await move(root, to, from)
    return false
  })
  if (!moved) return false
  book.drop(name)
  await remove(root, layout.incomplete(root, name))
  house.log('rucio_downloader', `${name}: whole, ${marker.files} files, ${marker.bytes} bytes`)
  return true
}

async function isStill(house: House, path: string, text: string): Promise<boolean> {
  const found = await readUserText(house.root, path)
  return found !== undefined && !(found instanceof Trouble) && found.text === text
}

/** @returns false when its request has just been changed */
export async function actRemove(house: House, book: RequestBook, wish: Wish): Promise<boolean> {
  const { root } = house
  const { name } = wish
  await house.works.unload(name)
  house.listFailures.delete(name)
  await throwAway(root, name)
  house.log('rucio_downloader', `${name}: removed`)
  return await house.accept.exclusive(async () => {
    // A POST may have cancelled the removal meanwhile; then the file is a new wish and stays.
    const found = await readUserText(root, layout.request(root, name))
    if (found instanceof Trouble) return false
    if (found !== undefined) {
      const request = parseRequest(found.text)
      if (request instanceof Trouble || !request.remove) return false
      await remove(root, layout.request(root, name))
    }
    book.drop(name)
    return true
  })
}

/** @returns false when its request has just been changed */
export async function actWithdraw(house: House, book: RequestBook, wish: Wish): Promise<boolean> {
  return await house.accept.exclusive(async () => {
    if (!(await isStill(house, layout.request(house.root, wish.name), wish.text))) return false
    await remove(house.root, layout.request(house.root, wish.name))
    book.drop(wish.name)
    house.log('rucio_downloader', `${wish.name}: its folder has gone, the repair is withdrawn`)
    return true
  })
}

export async function actRename(house: House, file: string, name: string): Promise<void> {
  const { root } = house
  const target = layout.request(root, name)
  await house.accept.exclusive(async () => {
    if ((await statRegular(root, target)) !== undefined) return
    await move(root, `${layout.requests(root)}/${file}`, target)
  })
  house.log('rucio_downloader', `request ${file} is ${name}.json`)
}

export async function actProblem(
  house: House,
  book: RequestBook,
  file: string,
  message: string,
): Promise<void> {
  await putText(house.root, layout.problem(house.root, file), `${message}\n`)
  book.noted(file, message)
}

export async function actMended(house: House, book: RequestBook, file: string): Promise<void> {
  await remove(house.root, layout.problem(house.root, file))
  book.noted(file, undefined)
}

/** Harm that was seen twice: the request goes back first, then `complete` goes (DESIGN.md rule 4). */
export async function askForRepair(house: House, name: string, done: number, all: number): Promise<void> {
  const { root } = house
  await house.accept.exclusive(async () => {
    const target = layout.request(root, name)
    if ((await statRegular(root, target)) !== undefined) return
    const kept = await readUserText(root, layout.keptRequest(root, name))
    const text = kept === undefined || kept instanceof Trouble ? '' : kept.text
    const known: unknown = text.trim() === '' ? {} : safeJson(text)
    const record = typeof known === 'object' && known !== null ? known : {}
    await makeDir(layout.requests(root), root)
    await put(root, target, { ...record, format: 1, repair: true })
    await remove(root, layout.keptRequest(root, name))
  })
  await putText(root, layout.incomplete(root, name), incompleteText(done, all))
  await remove(root, layout.complete(root, name))
  house.log('rucio_downloader', `${name}: harmed, asked for again`)
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A kept request that a person broke: the repair needs none of its keys.
    return {}
  }
}
