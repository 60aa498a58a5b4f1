// The interface that must not change: /ds, /dsfiles and /logs, to the letter of DESIGN.md. GET /ds never asks Rucio.

import { layout, type Root } from '../disk/layout.ts'
import { jsonLines, readListing } from '../disk/lines.ts'
import { readLog } from '../disk/logs.ts'
import { isRequestKept } from '../disk/word.ts'
import { freshListing, type Listed, wholeListing } from '../wishes/listed.ts'
import type { Said } from '../wishes/words.ts'
import { type Destination, parseDestination } from '../words/destination.ts'
import { type Did, parseDid } from '../words/did.ts'
import { type ListingLine, readListingLine } from '../words/listing.ts'
import { nameOf } from '../words/names.ts'
import { clean, codeOf, Trouble } from '../words/reason.ts'
import { logNames } from '../words/status.ts'
import { type Answer, json, listed } from './answer.ts'
import type { Call } from './calls.ts'
import { type Desk, queueFull } from './desk.ts'
import { Problem } from './problem.ts'
import { readWait } from './wait.ts'

export async function getDs(call: Call, desk: Desk): Promise<Answer> {
  const name = nameOf(didOf(call))
  return await withRuleLeft(name, desk, await waitForWord(call, desk, name))
}

export async function postDs(call: Call, desk: Desk): Promise<Answer> {
  const did = didOf(call)
  const name = nameOf(did)
  const ms = readWait(call.params.get('wait'))
  // A whole dataset needs no turn in the queue of wishes; this is what clients ask for most. What may have grown since it was listed
  // needs one: the wish asks for its listing again. So does one without a request: it is whole, and nothing says that it is wanted.
  const to = destinationOf(call)
  const first = await desk.word(name)
  const done =
    to === undefined &&
    first.word === 'local' &&
    (await isFreshHere(desk, did)) &&
    (await isWanted(desk, name))
  const said = done ? first : await desk.wish('want', did, to)
  return dsAnswer(name, desk, ms > 0 ? await waitForWord(call, desk, name) : said)
}

async function isFreshHere({ site, options, within }: Desk, did: Did): Promise<boolean> {
  return (await within(freshListing(site.root, did, options.world.now()))) !== undefined
}

async function isWanted({ site, within }: Desk, name: string): Promise<boolean> {
  return await within(isRequestKept(site.root, name))
}

export async function deleteDs(call: Call, desk: Desk): Promise<Answer> {
  const did = didOf(call)
  return await withRuleLeft(nameOf(did), desk, await desk.wish('remove', did))
}

function waitForWord(call: Call, desk: Desk, name: string): Promise<Said> {
  return desk.waiters.wait({
    look: () => lookAgain(desk, () => desk.word(name)),
    isPending: said => said.word === 'downloading',
    key: said => said.word,
    ms: readWait(call.params.get('wait')),
    signal: call.signal,
  })
}

/** A data directory that goes away while somebody waits ends the waiting with its own error. */
async function lookAgain<T>(desk: Desk, look: () => Promise<T>): Promise<T> {
  const value = await look()
  await desk.check('data')
  return value
}

/** What is not here any more, and stays at a site all the same, is told of beside the answer. */
async function withRuleLeft(name: string, desk: Desk, said: Said): Promise<Answer> {
  if (said.word !== 'not_on_server') return dsAnswer(name, desk, said)
  const left = (await desk.within(desk.rulesLeft())).filter(({ did }) => {
    const parsed = parseDid(did)
    return !(parsed instanceof Trouble) && nameOf(parsed) === name
  })
  return left.length === 0
    ? dsAnswer(name, desk, said)
    : json({ status: said.word, filelist: [], rules_left: left })
}

/** The paths are relative to the data directory, and CACHE_PREFIX is joined to each by exactly one slash; what lies elsewhere has
 *  absolute ones, which no prefix leads to. */
function dsAnswer(name: string, desk: Desk, said: Said): Answer {
  const { cachePrefix } = desk.options
  const prefix = cachePrefix === undefined || cachePrefix === '' ? '' : `${cachePrefix.replace(/\/+$/, '')}/`
  if (said.word !== 'local') return json({ status: said.word, filelist: [] })
  const before = said.isElsewhere === true ? '' : `${prefix}${name}/`
  const files =
    said.paths === 'listed' ? listedPaths(desk.site.root, name, before) : pathsAfter(said.paths, before)
  return { status: 200, body: { pieces: listed('{"status":"local","filelist":[', files, ']}') } }
}

function* pathsAfter(paths: readonly string[], before: string): Generator<string> {
  for (const path of paths) yield before + path
}

async function* listedPaths(root: Root, name: string, before: string): AsyncGenerator<string> {
  const path = layout.listing(root, name)
  const head = await readListing(root, path)
  for await (const line of linesOf(root, path, head === undefined || head.type === 'NONE' ? -1 : head.length))
    yield before + line.path
}

type Files = { readonly kind: 'queued' } | { readonly kind: 'answer'; readonly listing: Listed }

export async function getDsfiles(call: Call, desk: Desk): Promise<Answer> {
  const did = didOf(call)
  const files = await desk.waiters.wait<Files>({
    look: () => lookAgain(desk, () => desk.within(filesNow(did, desk))),
    isPending: found => found.kind === 'queued',
    key: found => found.kind,
    ms: readWait(call.params.get('wait')),
    signal: call.signal,
  })
  if (files.kind === 'queued') return json({ status: 'query queued' })
  const { head, path } = files.listing
  if (head.type === 'NONE') return json({ status: 'dataset does not exist' })
  const lines = filesOf(linesOf(desk.site.root, path, head.length))
  return { status: 200, body: { pieces: listed('{"status":"OK","files":[', lines, ']}') } }
}

/** The listing that lies here, or a place in the queue for one. All lines are added up before the first is sent. */
async function filesNow(did: Did, desk: Desk): Promise<Files> {
  const { root, accept } = desk.site
  const listing = await wholeListing(root, did, desk.options.world.now())
  if (listing !== undefined) return { kind: 'answer', listing }
  if ((await accept.list(did)) === 'queue_full') throw queueFull('listings')
  return { kind: 'queued' }
}

async function* filesOf(lines: AsyncIterable<ListingLine>): AsyncGenerator<readonly unknown[]> {
  for await (const line of lines) yield [line.did, line.bytes, line.events ?? null]
}

/** @param length as its head says */
async function* linesOf(root: Root, path: string, length: number): AsyncGenerator<ListingLine> {
  let count = 0
  for await (const json of jsonLines(root, path)) {
    const line = readListingLine(json)
    if (line === undefined) continue
    count++
    yield line
  }
  // It was replaced or removed while it was sent: a cut connection says so, an answer that ends well would not.
  if (count !== length) throw new Trouble('disk_error', 'a listing changed while it was sent')
}

export async function getLogs(call: Call, desk: Desk): Promise<Answer> {
  const wanted = call.params.get('name')
  if (wanted === undefined) return json(logNames)
  const name = logNames.find(each => each === wanted)
  if (name === undefined) return json([])
  try {
    return json(await desk.within(readLog(desk.site.root, name)))
  } catch (error) {
    // Without the data directory there are no lines to show; the call still answers.
    if (codeOf(error) === 'ENOENT') return json([])
    throw error
  }
}

/** @returns undefined where it is not said, null for this disk */
function destinationOf(call: Call): Destination | null | undefined {
  const text = call.params.get('destination')
  if (text === undefined) return undefined
  const to = parseDestination(text)
  if (to instanceof Trouble) throw new Problem(400, 'bad_request', `${clean(to.detail)}.`)
  return to
}

function didOf(call: Call): Did {
  const text = call.params.get('ds_name')
  if (text === undefined)
    throw new Problem(
      400,
      'bad_request',
      'ds_name is missing: give the name of a dataset, such as ?ds_name=scope:name.',
    )
  const did = parseDid(text)
  if (did instanceof Trouble)
    throw new Problem(400, 'bad_name', `${clean(did.detail)}. Give it as Rucio has it: name or scope:name.`)
  return did
}
