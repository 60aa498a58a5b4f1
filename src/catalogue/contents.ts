// The files of a DID, streamed, and the proof that they are all. Never hands on a file twice.

import { bodyText } from '../outside/request.ts'
import { type Bits, emptyBits } from '../words/bits.ts'
import { type Did, printDid } from '../words/did.ts'
import { type CatalogueFile, type DidType, mostFiles, mostLineBytes } from '../words/listing.ts'
import { Trouble } from '../words/reason.ts'
import { asObject, isBytes, parseJson } from '../words/text.ts'
import { emptyTexts, type Texts } from '../words/texts.ts'
import { checksumOf, didOf, isCount } from './fields.ts'
import { jsonLines } from './lines.ts'
import { readMembers } from './members.ts'
import { Refusal } from './refusal.ts'
import type { Contents } from './rucio.ts'
import type { Send } from './server.ts'

type Each = (file: CatalogueFile) => Promise<void> | void
type Head = {
  readonly type: DidType
  readonly open: boolean
  readonly length: number
  readonly bytes: number
  readonly md5: string | undefined
}
type Count = { length: number; bytes: number }

const maxTries = 3

/** Proof of wholeness (facts/rucio.md 3): the last byte is a newline, lines and bytes are what the catalogue counts, before or
 *  after the list was read, doubles counted as often as it lists them. A DID that is written to meanwhile is read again.
 *  @param seed of chance: see emptyTexts() */
export async function readContents(
  send: Send,
  did: Did,
  each: Each,
  seed: number,
  signal: AbortSignal,
): Promise<Contents> {
  // What was handed on once is not handed on again by the next try.
  const seen = emptyTexts(seed)
  let slashes: Slashes = 'encoded'
  for (let round = 1; ; round++) {
    const asked = await readHead(send, did, slashes, signal)
    if (asked === undefined) {
      if (round === 1) return { kind: 'none' }
      throw new Trouble('bad_listing', `${printDid(did)} was deleted while its files were read`)
    }
    slashes = asked.slashes
    const { head } = asked
    /** numbers of `seen` that this try lists */
    const inRound = emptyBits()
    const counted = await readFiles(send, did, { seen, inRound, head, slashes, each }, signal)
    const lacks = inRound.count < seen.size
    if (isSame(head, counted)) return listed(did, head, counted, lacks)
    const after = (await readHead(send, did, slashes, signal))?.head
    if (after !== undefined && isSame(after, counted)) return listed(did, after, counted, lacks)
    // Whoever counts the same twice and sends something else does not send all; whoever is written to may be asked again.
    if ((after !== undefined && isSame(after, head)) || round === maxTries)
      throw new Trouble(
        'bad_listing',
        `the catalogue counts ${head.length} files with ${head.bytes} bytes in ${printDid(did)} and listed ${counted.length} with ${counted.bytes}`,
      )
  }
}

function listed(did: Did, head: Head, counted: Count, lacks: boolean): Contents {
  if (lacks)
    throw new Trouble('bad_listing', `a file was taken out of ${printDid(did)} while its files were read`)
  return { kind: 'listed', type: head.type, open: head.open, length: counted.length, bytes: counted.bytes }
}

function isSame(one: Count, other: Count): boolean {
  return one.length === other.length && one.bytes === other.bytes
}

/** How a name with `/` stands in a path: as %2F, or raw where what is in front of Rucio does not let that pass (rucio#7691). */
type Slashes = 'encoded' | 'raw'

async function readHead(
  send: Send,
  did: Did,
  slashes: Slashes,
  signal: AbortSignal,
): Promise<{ readonly head: Head; readonly slashes: Slashes } | undefined> {
  try {
    return { head: await readHeadAt(send, did, slashes, signal), slashes }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (error.reason === 'no_such_did') return undefined
    const cutOff = error.status === 404 && error.exceptionClass === ''
    if (!cutOff || slashes === 'raw' || !did.name.includes('/')) throw error
    return readHead(send, did, 'raw', signal)
  }
}

async function readHeadAt(send: Send, did: Did, slashes: Slashes, signal: AbortSignal): Promise<Head> {
  const path = `${pathOf(did, slashes)}?dynamic_depth=FILE`
  const answer = await send({ method: 'GET', path, accept: 'application/json', signal })
  const parsed = parseJson(await bodyText(answer, mostLineBytes))
  const object = parsed instanceof Trouble ? undefined : asObject(parsed.json)
  if (object === undefined)
    throw new Trouble('bad_listing', `what the catalogue says of ${printDid(did)} is not JSON`)
  const { scope, name, type, open, length, bytes } = object
  // A slash that was lost or merged on the way asks for another DID.
  if (scope !== did.scope || name !== did.name)
    throw new Trouble('bad_listing', `the catalogue was asked for ${printDid(did)} and answered for another`)
  if (type !== 'DATASET' && type !== 'CONTAINER' && type !== 'FILE')
    throw new Trouble('bad_listing', `the catalogue gives ${printDid(did)} a type that nobody knows`)
  if (!isCount(length) || !isCount(bytes))
    throw new Trouble('bad_listing', `the catalogue does not count the files of ${printDid(did)}`)
  return { type, open: open === true, length, bytes, md5: checksumOf(object['md5'], 32, did) }
}

async function readFiles(
  send: Send,
  did: Did,
  pass: {
    readonly seen: Texts
    readonly inRound: Bits
    readonly head: Head
    readonly slashes: Slashes
    readonly each: Each
  },
  signal: AbortSignal,
): Promise<Count> {
  const { seen, inRound, head, slashes, each } = pass
  const counted: Count = { length: 0, bytes: 0 }
  for await (const { json, dataset, times } of linesOf(send, did, head, slashes, signal)) {
    const file = fileOf(json, head, dataset)
    counted.length += times
    counted.bytes += times * file.bytes
    if (counted.length > mostFiles)
      throw new Trouble('too_big', `${printDid(did)} holds more than ${mostFiles} files`)
    const before = seen.size
    const number = seen.add(file.did)
    inRound.set(number)
    if (number === before) await each(file)
  }
  return counted
}

type Line = { readonly json: unknown; readonly dataset: string | undefined; readonly times: number }

async function* linesOf(
  send: Send,
  did: Did,
  head: Head,
  slashes: Slashes,
  signal: AbortSignal,
): AsyncGenerator<Line> {
  if (head.type === 'CONTAINER') {
    const members = await readMembers(send, did, each => pathOf(each, slashes), signal)
    if (members !== undefined) {
      yield* members
      return
    }
  }
  const answer = await askFiles(send, did, slashes, signal)
  for await (const json of jsonLines(answer, mostLineBytes)) yield { json, dataset: undefined, times: 1 }
}

/** A name with slashes stands in a body, where nothing touches it; servers before 35 know no such call. */
async function askFiles(send: Send, did: Did, slashes: Slashes, signal: AbortSignal) {
  const accept = 'application/x-json-stream'
  if (did.name.includes('/'))
    try {
      const body = JSON.stringify({ dids: [{ scope: did.scope, name: did.name }] })
      return await send({ method: 'POST', path: '/dids/bulkfiles', body, accept, signal })
    } catch (error) {
      if (!(error instanceof Refusal) || (error.status !== 404 && error.status !== 405)) throw error
    }
  return send({ method: 'GET', path: `${pathOf(did, slashes)}/files`, accept, signal })
}

function pathOf(did: Did, slashes: Slashes): string {
  const name = encodeURIComponent(did.name)
  return `/dids/${encodeURIComponent(did.scope)}/${slashes === 'raw' ? name.replaceAll('%2F', '/') : name}`
}

function fileOf(json: unknown, head: Head, dataset: string | undefined): CatalogueFile {
  const object = asObject(json)
  if (object === undefined) throw new Trouble('bad_listing', 'a line in the list of files is no object')
  const did = didOf(object)
  const { bytes, guid, events } = object
  if (!isBytes(bytes))
    throw new Trouble('bad_listing', `the catalogue has no size, or one beyond 16 TiB, for ${printDid(did)}`)
  const adler32 = checksumOf(object['adler32'], 8, did)
  // Only the head of a single file has its md5: the list of files has none.
  const md5 = head.type === 'FILE' ? head.md5 : undefined
  return {
    did: printDid(did),
    bytes,
    ...(adler32 === undefined ? {} : { adler32 }),
    ...(md5 === undefined ? {} : { md5 }),
    ...(typeof guid === 'string' && /^[0-9A-Za-z-]{1,64}$/.test(guid) ? { guid } : {}),
    ...(isCount(events) ? { events } : {}),
    ...(dataset === undefined ? {} : { dataset }),
  }
}
