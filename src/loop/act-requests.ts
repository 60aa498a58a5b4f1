// What the loop does to requests/: a dataset is complete or removed, a name is made canonical, a .problem is laid or taken away.

import { dropParts } from '../disk/finish.ts'
import { layout } from '../disk/layout.ts'
import { prove } from '../disk/proof.ts'
import { makeDir, move, put, putText, remove } from '../disk/put.ts'
import { readUserText, statRegular } from '../disk/read.ts'
import { throwAway } from '../disk/trash.ts'
import { Trouble } from '../words/reason.ts'
import { parseRequest } from '../words/request.ts'
import type { Complete } from '../words/verified.ts'
import { toIso } from '../words/world.ts'
import type { Daemon } from './daemon.ts'
import { incompleteText } from './incomplete.ts'
import type { RequestBook, Wish } from './requests.ts'

/** Every file is verified: lines synced, the proof looked at once more, `complete`, the request moved, INCOMPLETE.txt away
 *  (DESIGN.md rule 4). Where the proof does not hold, the dataset is looked at anew instead.
 *  @returns false when its request has just been changed */
export async function actComplete(daemon: Daemon, book: RequestBook, wish: Wish): Promise<boolean> {
  const { root, world } = daemon
  const { name } = wish
  await daemon.works.get(name)?.log.sync()
  await daemon.works.unload(name)
  const proof = await prove(root, name)
  if (proof.kind !== 'whole') return true
  const marker: Complete = {
    format: 1,
    files: proof.head.length,
    bytes: proof.head.bytes,
    at: toIso(world.now()),
  }
  await dropParts(root, name)
  await put(root, layout.complete(root, name), marker)
  const moved = await daemon.accept.exclusive(async () => {
    const from = layout.request(root, name)
    const to = layout.keptRequest(root, name)
    if (!(await isStill(daemon, from, wish.text))) return false
    await move(root, from, to)
    if (await isStill(daemon, to, wish.text)) return true
    // It was written anew within that instant: it is another wish, and goes back.
    await move(root, to, from)
    return false
  })
  if (!moved) return false
  book.drop(`${name}.json`)
  await remove(root, layout.incomplete(root, name))
  daemon.log('rucio_downloader', `${name}: whole, ${marker.files} files, ${marker.bytes} bytes`)
  return true
}

async function isStill(daemon: Daemon, path: string, text: string): Promise<boolean> {
  const found = await readUserText(daemon.root, path)
  return found !== undefined && !(found instanceof Trouble) && found.text === text
}

/** @returns false when its request has just been changed */
export async function actRemove(daemon: Daemon, book: RequestBook, wish: Wish): Promise<boolean> {
  const { root } = daemon
  const { name } = wish
  await daemon.works.unload(name)
  daemon.listFailures.delete(name)
  await throwAway(root, name)
  daemon.log('rucio_downloader', `${name}: removed`)
  return await daemon.accept.exclusive(async () => {
    // A POST may have cancelled the removal meanwhile; then the file is a new wish and stays.
    const found = await readUserText(root, layout.request(root, name))
    if (found instanceof Trouble) return false
    if (found !== undefined) {
      const request = parseRequest(found.text)
      if (request instanceof Trouble || !request.remove) return false
      await remove(root, layout.request(root, name))
    }
    book.drop(`${name}.json`)
    return true
  })
}

/** @returns false when its request has just been changed */
export async function actWithdraw(daemon: Daemon, book: RequestBook, wish: Wish): Promise<boolean> {
  return await daemon.accept.exclusive(async () => {
    if (!(await isStill(daemon, layout.request(daemon.root, wish.name), wish.text))) return false
    await remove(daemon.root, layout.request(daemon.root, wish.name))
    book.drop(`${wish.name}.json`)
    daemon.log('rucio_downloader', `${wish.name}: its folder has gone, the repair is withdrawn`)
    return true
  })
}

export async function actRename(
  daemon: Daemon,
  book: RequestBook,
  { file, name }: { readonly file: string; readonly name: string },
): Promise<void> {
  const { root } = daemon
  const target = layout.request(root, name)
  await daemon.accept.exclusive(async () => {
    // A wish for it may have come meanwhile: the next look says that the name is taken.
    if ((await statRegular(root, target)) !== undefined) return
    await move(root, `${layout.requests(root)}/${file}`, target)
    book.drop(file)
    daemon.log('rucio_downloader', `request ${file} is ${name}.json`)
  })
}

export async function actProblem(
  daemon: Daemon,
  book: RequestBook,
  file: string,
  message: string,
): Promise<void> {
  await putText(daemon.root, layout.problem(daemon.root, file), `${message}\n`)
  book.noted(file, message)
}

export async function actMended(daemon: Daemon, book: RequestBook, file: string): Promise<void> {
  await remove(daemon.root, layout.problem(daemon.root, file))
  book.noted(file, undefined)
}

/** Harm that was seen twice: the request goes back first, then `complete` goes (DESIGN.md rule 4). */
export async function askForRepair(daemon: Daemon, name: string, done: number, all: number): Promise<void> {
  const { root } = daemon
  await daemon.accept.exclusive(async () => {
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
  daemon.log('rucio_downloader', `${name}: harmed, asked for again`)
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A kept request that a person broke: the repair needs none of its keys.
    return {}
  }
}
