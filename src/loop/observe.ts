// Disk -> Observation: all reading of a pass. Never changes the disk, save that requests/ and watch/ are made again when they have gone.

import { dueAt } from '../decide/backoff.ts'
import type { DatasetSeen, Observation, QuerySeen, RunningSeen, WishSeen } from '../decide/observation.ts'
import { layout, type Root } from '../disk/layout.ts'
import { readListing } from '../disk/lines.ts'
import { makeDir } from '../disk/put.ts'
import { names, readRecord, statRegular } from '../disk/read.ts'
import { freeBytes } from '../disk/root.ts'
import { inTrash } from '../disk/trash.ts'
import { walk } from '../disk/way.ts'
import { didHere } from '../disk/word.ts'
import type { Config } from '../words/config.ts'
import { type Did, printDid } from '../words/did.ts'
import { type ListingHead, type MissingHead, missingUntil } from '../words/listing.ts'
import { didOfName, readFullDid } from '../words/names.ts'
import { isOfOne, Trouble } from '../words/reason.ts'
import { asObject } from '../words/text.ts'
import { fromIso } from '../words/world.ts'
import { bringNext } from './at-hand.ts'
import type { Daemon } from './daemon.ts'
import { emptyRuleNotes, forgetRule, type RuleNotes, ruleSeen } from './observe-rule.ts'
import type { RequestBook, Wish } from './requests.ts'
import { listingSeen, readyFiles } from './work-seen.ts'

/** decide() is shown so many files of one dataset at most: 64 lanes could not take more at once. */
const readyMost = 1024

type Query = Omit<QuerySeen, 'nextTryAt'>

/** What was read in earlier passes and holds until a look is due. */
export type Notes = {
  /** NAME -> head of its listing, or of the answer that it does not exist; undefined = there is none */
  readonly heads: Map<string, ListingHead | MissingHead | undefined>
  /** NAME -> when a listed dataset that is not loaded has something to do */
  readonly idleUntil: Map<string, number>
  readonly rules: RuleNotes
  queries: Query[]
  trash: string[]
}

export function emptyNotes(): Notes {
  return { heads: new Map(), idleUntil: new Map(), rules: emptyRuleNotes(), queries: [], trash: [] }
}

/** The slower half: directories. Due at the start, after a hint and every 30 s.
 *  @param remade called when requests/ or watch/ had gone and was made anew
 *  @returns ms until something in requests/ may have settled */
export async function lookAround(
  daemon: Daemon,
  book: RequestBook,
  notes: Notes,
  remade: () => void,
): Promise<number | undefined> {
  if (await keepFolders(daemon.root)) remade()
  const settle = await book.scan()
  notes.trash = await inTrash(daemon.root)
  const queries: Query[] = []
  const answers = new Set(await names(layout.catalogue(daemon.root)))
  for (const file of answers) {
    if (!file.endsWith('.queued')) continue
    const name = file.slice(0, -'.queued'.length)
    const did = didOfName(name)
    // A cut name does not tell its DID: then the marker does, or the dataset's own records.
    const known =
      did instanceof Trouble
        ? ((await readRecord(daemon.root, layout.queued(daemon.root, name), didOf)) ??
          (await didHere(daemon.root, name)))
        : did
    if (known === undefined) continue
    queries.push({ name, did: printDid(known) })
  }
  notes.queries = queries
  const wanted = new Set(book.wishes().map(each => each.name))
  const folders = new Set(await names(daemon.root.dir))
  for (const [name, head] of notes.heads) {
    const here = { folder: folders.has(name), answer: answers.has(`${name}.jsonl`) }
    if (wanted.has(name) && !mayHaveChanged(head, here)) continue
    notes.heads.delete(name)
    forgetRule(notes.rules, name)
  }
  for (const name of [...notes.rules.records.keys()]) {
    if (wanted.has(name)) continue
    forgetRule(notes.rules, name)
    notes.rules.sights.delete(name)
  }
  for (const name of [...notes.idleUntil.keys()]) if (!wanted.has(name)) notes.idleUntil.delete(name)
  return settle
}

/** Two directories tell it of thousands: what has neither folder nor answer is unlisted still, and no file of it is looked for. */
function mayHaveChanged(
  head: ListingHead | MissingHead | undefined,
  here: { readonly folder: boolean; readonly answer: boolean },
): boolean {
  if (head === undefined) return here.folder || here.answer
  return head.type === 'NONE' ? !here.answer : !here.folder
}

/** A person may delete requests/ and watch/ with all that is in them; the next wish needs them again. */
async function keepFolders(root: Root): Promise<boolean> {
  let made = false
  for (const dir of [layout.requests(root), layout.watch(root)]) {
    if ((await walk(root, dir)) !== undefined) continue
    await makeDir(dir, root)
    made = true
  }
  return made
}

function didOf(json: unknown): Did | undefined {
  return readFullDid(asObject(json)?.['did'])
}

export async function observe(
  daemon: Daemon,
  book: RequestBook,
  notes: Notes,
  { running, holds }: { readonly running: readonly RunningSeen[]; readonly holds: ReadonlySet<string> },
  data: Observation['data'],
  config: Config,
): Promise<Observation> {
  const wishes: WishSeen[] = []
  if (data === 'ready')
    for (const wish of book.wishes()) {
      const seen = await wishSeen(daemon, notes, wish, config)
      wishes.push(seen)
    }
  notes.rules.elsewhere = new Set(wishes.flatMap(each => (each.kind === 'elsewhere' ? [each.name] : [])))
  return {
    data,
    wishes,
    oddities: book.oddities(),
    queries: notes.queries.map(each => ({ ...each, nextTryAt: listDueAt(daemon, each.name) })),
    trash: notes.trash,
    running,
    holds,
    freeBytes: data === 'ready' && wishes.length > 0 ? await freeBytes(daemon.root) : 0,
    catalogue: daemon.catalogue.seen(),
  }
}

async function wishSeen(daemon: Daemon, notes: Notes, wish: Wish, config: Config): Promise<WishSeen> {
  const { name, request } = wish
  const common = { name, did: printDid(wish.did), priority: request.priority, createdAt: wish.createdAt }
  // Nothing is removed on the word of a text that no longer says so.
  if (wish.broken && (request.paused || request.remove))
    return { ...common, kind: 'broken', dataset: { kind: 'unlisted', nextTryAt: 0 } }
  try {
    const fetched = async () => (await headOf(daemon, notes, name))?.fetched
    const { kind, rule } = await ruleSeen(daemon, notes.rules, wish, config, fetched)
    const dataset: DatasetSeen =
      kind === 'paused' || kind === 'remove' || kind === 'broken'
        ? { kind: 'unlisted', nextTryAt: 0 }
        : await datasetOrWhy(daemon, notes, wish, kind === 'elsewhere')
    return { ...common, kind, dataset, ...(rule === undefined ? {} : { rule }) }
  } catch (error) {
    if (!(error instanceof Trouble) || !isOfOne(error)) throw error
    // A link or a file where its records should be: whatever is tried there is refused, and says so.
    const { reason, detail } = error
    return {
      ...common,
      kind: request.remove ? 'remove' : 'want',
      dataset: { kind: 'unseen', reason, detail },
    }
  }
}

/** A dataset that cannot be looked at is a trouble of its own, and holds up no other. */
async function datasetOrWhy(
  daemon: Daemon,
  notes: Notes,
  wish: Wish,
  isElsewhere: boolean,
): Promise<DatasetSeen> {
  try {
    return await datasetSeen(daemon, notes, wish, isElsewhere)
  } catch (error) {
    if (!(error instanceof Trouble) || error.reason === 'bug') throw error
    return { kind: 'unseen', reason: error.reason, detail: error.detail }
  }
}

async function datasetSeen(
  daemon: Daemon,
  notes: Notes,
  wish: Wish,
  isElsewhere: boolean,
): Promise<DatasetSeen> {
  const { name } = wish
  const { world } = daemon
  const work = daemon.works.get(name)
  // What Rucio brings to a site is not loaded, or is about to be unloaded.
  if (work !== undefined && !isElsewhere) {
    // A folder that a person deleted takes its listing with it: the fetching begins anew. What a person has written into a listing is
    // read anew.
    if (!(await isListed(daemon, name)) || !(await bringNext(work))) {
      await daemon.works.unload(name)
      notes.heads.delete(name)
    } else {
      const { ready, count, nextTryAt } = readyFiles(work, world.now(), readyMost)
      return {
        kind: 'loaded',
        listing: listingSeen(work),
        toAdopt: work.toAdopt.count,
        ready,
        readyCount: count,
        nextTryAt,
        left: work.left.count,
      }
    }
  }
  const failedUntil = listDueAt(daemon, name)
  const head = await headOf(daemon, notes, name)
  if (head === undefined) return { kind: 'unlisted', nextTryAt: failedUntil }
  if (head.type === 'NONE')
    return { kind: 'none', until: Math.max(missingUntil(head, world.now()), failedUntil) }
  return {
    kind: 'listed',
    listing: {
      open: head.open,
      type: head.type,
      fetchedAt: fromIso(head.fetched) ?? 0,
      hopeless: false,
      refreshAfter: 0,
    },
    nextTryAt: dueAt(notes.idleUntil.get(name) ?? 0, world.now()),
  }
}

/** When a listing that failed is asked for again; 0 = it has not failed. */
function listDueAt(daemon: Daemon, name: string): number {
  return dueAt(daemon.listFailures.get(name)?.nextTryAt ?? 0, daemon.world.now())
}

async function isListed(daemon: Daemon, name: string): Promise<boolean> {
  try {
    return (await statRegular(daemon.root, layout.listing(daemon.root, name))) !== undefined
  } catch (error) {
    // A disk that does not answer has not lost it.
    if (error instanceof Trouble && error.reason === 'refused') return false
    throw error
  }
}

/** The head of a listing that is not in work is read once; what act() writes drops it from the notes. */
async function headOf(
  daemon: Daemon,
  notes: Notes,
  name: string,
): Promise<ListingHead | MissingHead | undefined> {
  if (notes.heads.has(name)) return notes.heads.get(name)
  const head =
    (await readListing(daemon.root, layout.listing(daemon.root, name))) ?? (await missingHead(daemon, name))
  notes.heads.set(name, head)
  return head
}

async function missingHead(daemon: Daemon, name: string): Promise<MissingHead | undefined> {
  const answer = await readListing(daemon.root, layout.answer(daemon.root, name))
  return answer?.type === 'NONE' ? answer : undefined
}
