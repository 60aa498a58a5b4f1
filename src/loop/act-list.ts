// One listing: asked of the catalogue, proved whole, laid down. Never fetches a file of it.

import type { Action } from '../decide/action.ts'
import { nextTryAt } from '../decide/backoff.ts'
import { layout } from '../disk/layout.ts'
import { ListingWriter, putMissing, readListing } from '../disk/lines.ts'
import { prove } from '../disk/proof.ts'
import { makeDir, putText, remove } from '../disk/put.ts'
import { statRegular } from '../disk/read.ts'
import { openTexts } from '../disk/texts.ts'
import type { MissingHead } from '../words/listing.ts'
import { Paths, readFullDid } from '../words/names.ts'
import { sentence, Trouble, toTrouble } from '../words/reason.ts'
import { toIso } from '../words/world.ts'
import { askForRepair } from './act-requests.ts'
import type { Daemon } from './daemon.ts'
import { incompleteText } from './incomplete.ts'

type List = Extract<Action, { kind: 'list' }>

const hourMs = 3_600_000

export async function actList(daemon: Daemon, action: List, signal: AbortSignal): Promise<void> {
  const { name } = action
  try {
    await list(daemon, action, signal)
    daemon.listFailures.delete(name)
    daemon.catalogue.worked()
    await remove(daemon.root, layout.queued(daemon.root, name))
  } catch (error) {
    if (signal.aborted) return
    const trouble = toTrouble(error)
    if (trouble.reason === 'bug' && !(error instanceof Trouble)) throw error
    const failed = daemon.catalogue.failed(trouble, action.did)
    // A catalogue at rest costs this listing no try: it goes on when the catalogue does. But where the fault may be its own it
    // waits for itself as well, behind the others: one DID that the server cannot list must not hold them all up.
    const own = !failed || trouble.reason !== 'offline'
    // Nor does a login that was refused, whose mending the user must find out soon.
    const tries = (daemon.listFailures.get(name)?.tries ?? 0) + (own && trouble.reason !== 'auth' ? 1 : 0)
    daemon.listFailures.set(name, {
      tries,
      nextTryAt: own ? nextTryAt(daemon.world.now(), Math.max(1, tries), daemon.world.chance()) : 0,
      reason: trouble.reason,
      message: sentence(trouble.reason, trouble.detail),
    })
    const work = daemon.works.get(name)
    if (work !== undefined) work.refreshAfter = daemon.world.now() + hourMs
    daemon.log('rucio_downloader', `listing ${action.did}: ${trouble.message}`)
  }
}

async function list(daemon: Daemon, action: List, signal: AbortSignal): Promise<void> {
  const { root, world, rucio } = daemon
  const { name } = action
  const did = readFullDid(action.did)
  if (did === undefined) throw new Trouble('bug', `no DID: ${action.did}`)
  const answerPath = layout.answer(root, name)
  const writer = await ListingWriter.open(root)
  try {
    const contents = await rucio.contents(did, file => writer.add(file), signal)
    const fetched = toIso(world.now())
    if (contents.kind === 'none') {
      await writer.abort()
      await putMissing(root, answerPath, await missing(daemon, action, fetched))
      daemon.log('rucio_downloader', `${action.did} does not exist`)
      return
    }
    const { type, open } = contents
    signal.throwIfAborted()
    const kept = new Paths(openTexts)
    const before = await readListing(root, layout.listing(root, name), line => kept.keep(line.did, line.path))
    const head = { did: action.did, type, open, fetched }
    if (action.purpose === 'query') {
      const inWork = (await statRegular(root, layout.request(root, name))) !== undefined
      if (before === undefined || inWork) await writer.commit(answerPath, head)
      // The new one takes the old one's place, and whole means the new one (DESIGN.md, The records).
      else await replaceListing(daemon, name, writer, head, kept)
      return
    }
    await makeDir(layout.dataset(root, name), root)
    await makeDir(layout.records(root, name))
    await makeDir(layout.parts(root, name))
    // INCOMPLETE.txt is there before anything else of this dataset is, and its listing before the first part (DESIGN.md rule 4).
    await putText(root, layout.incomplete(root, name), incompleteText(0, contents.length))
    await daemon.works.unload(name)
    const done = await writer.commit(layout.listing(root, name), head, kept)
    // A `does not exist` of before no longer counts.
    await remove(root, answerPath)
    daemon.log('rucio_downloader', `${action.did}: ${done.length} files, ${done.bytes} bytes`)
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** A whole dataset is listed anew. When it has grown, its request goes back to requests/: it is not whole any more. */
async function replaceListing(
  daemon: Daemon,
  name: string,
  writer: ListingWriter,
  head: Parameters<ListingWriter['commit']>[1],
  kept: Paths,
): Promise<void> {
  const { root } = daemon
  await writer.commit(layout.listing(root, name), head, kept)
  const proof = await prove(root, name)
  if (proof.kind !== 'harmed') return
  if ((await statRegular(root, layout.complete(root, name))) === undefined) return
  await askForRepair(daemon, name, proof.head.length - proof.harmed, proof.head.length)
}

/** Asked for again after an hour, doubling to a day (DESIGN.md, The loop). */
async function missing(daemon: Daemon, action: List, fetched: string): Promise<MissingHead> {
  const before = await readListing(daemon.root, layout.answer(daemon.root, action.name))
  const tries = before?.type === 'NONE' ? before.tries + 1 : 1
  const until = toIso(daemon.world.now() + hourMs * Math.min(24, 2 ** (tries - 1)))
  return { format: 1, did: action.did, type: 'NONE', fetched, until, tries }
}
