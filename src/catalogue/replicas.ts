// Where files lie: POST /replicas/list. Never orders, tries or leaves out a replica that has an address.

import { type Did, printDid } from '../words/did.ts'
import { parsePfn } from '../words/pfn.ts'
import { clean, Trouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import { asObject, isBytes } from '../words/text.ts'
import { checksumOf, didOf, isCount } from './fields.ts'
import { jsonLines } from './lines.ts'
import type { Send } from './server.ts'
import type { How, Storages } from './storages.ts'

// The server takes 1000; big central ones are said to time out on that (facts/rucio.md 5).
const sliceLength = 500
const maxLineBytes = 2 ** 20
const maxReplicas = 1000
export type Question = {
  readonly send: Send
  readonly storages: Storages
  /** each way to each replica, not only the best of each storage */
  readonly everything: boolean
  /** this one alone; left out: all */
  readonly rse?: string
  readonly now: () => number
  readonly signal: AbortSignal
}

/** @returns an entry for each file that was asked for, key `scope:name`. Where the catalogue has no replica the list is empty and
 *  `bytes` is 0: then it says nothing of the file. */
export async function readReplicas(
  files: readonly Did[],
  question: Question,
): Promise<ReadonlyMap<string, FileReplicas>> {
  const { storages, now } = question
  const found = new Map<string, FileReplicas>()
  const wanted = new Map(files.map(each => [printDid(each), each]))
  const how = storages.ask(question.everything, now())
  await readAll(wanted, found, question, how)
  // A file without a replica is left out without a word; so is the end of a list that was cut between two lines; and a storage that was not
  // met before may speak otherwise than those that were. What is missing is asked for once more, in full.
  const missing = new Map([...wanted].filter(([key]) => !found.has(key)))
  if (missing.size > 0 && (wanted.size > 1 || !storages.isAll(how)))
    await readAll(missing, found, question, storages.ask(true, now()))
  for (const did of wanted.keys())
    if (!found.has(did)) found.set(did, { did, bytes: 0, replicas: [], refused: 0 })
  return found
}

async function readAll(
  wanted: ReadonlyMap<string, Did>,
  found: Map<string, FileReplicas>,
  { send, storages, rse, now, signal }: Question,
  how: How,
): Promise<void> {
  const all = [...wanted.values()]
  for (let from = 0; from < all.length; from += sliceLength) {
    const dids = all.slice(from, from + sliceLength).map(({ scope, name }) => ({ scope, name }))
    const answer = await send({
      method: 'POST',
      path: '/replicas/list',
      body: JSON.stringify({ dids, ...how, ...(rse === undefined ? {} : { rse_expression: rse }) }),
      accept: 'application/x-json-stream',
      signal,
    })
    let lines = 0
    for await (const json of jsonLines(answer, maxLineBytes)) {
      if (++lines > dids.length)
        throw new Trouble('bad_listing', 'the catalogue names more files than were asked for')
      const file = fileOf(json)
      if (!wanted.has(file.did)) continue
      const states = Object.keys(asObject(asObject(json)?.['states']) ?? {})
      const rses = [...new Set([...states, ...file.replicas.map(each => each.rse)])]
      if (storages.isAll(how)) {
        storages.learn(rses, file.replicas, now())
        found.set(file.did, file)
        continue
      }
      const replicas = storages.arrange(rses, file.replicas)
      if (replicas !== undefined) found.set(file.did, { ...file, replicas })
    }
  }
}

function fileOf(json: unknown): FileReplicas {
  const object = asObject(json)
  if (object === undefined) throw new Trouble('bad_listing', 'a line in the list of replicas is no object')
  const did = didOf(object)
  const { bytes } = object
  if (!isBytes(bytes)) throw new Trouble('bad_listing', `the catalogue has no size for ${printDid(did)}`)
  const adler32 = checksumOf(object['adler32'], 8, did)
  const md5 = checksumOf(object['md5'], 32, did)
  const replicas: Replica[] = []
  let refused = 0
  for (const [text, facts] of Object.entries(asObject(object['pfns']) ?? {})) {
    const replica = replicas.length < maxReplicas ? replicaOf(text, facts) : undefined
    if (replica === undefined) refused++
    else replicas.push(replica)
  }
  // Equal priorities keep the order in which they came.
  replicas.sort((one, other) => one.priority - other.priority)
  return {
    did: printDid(did),
    bytes,
    ...(adler32 === undefined ? {} : { adler32 }),
    ...(md5 === undefined ? {} : { md5 }),
    replicas,
    refused,
  }
}

function replicaOf(text: string, facts: unknown): Replica | undefined {
  const pfn = parsePfn(text)
  const object = asObject(facts)
  if (pfn instanceof Trouble || object === undefined) return undefined
  const { rse, type, priority } = object
  return {
    pfn,
    rse: typeof rse === 'string' ? clean(rse) : '',
    type: type === 'TAPE' ? 'TAPE' : 'DISK',
    priority: isCount(priority) ? priority : maxReplicas,
    clientExtract: object['client_extract'] === true,
  }
}
