// The datasets of a container, and its files by dataset: the list of a container's files does not name them (facts/rucio.md 3). Never
// judges whether they are all.

import { type Did, printDid } from '../words/did.ts'
import { mostLineBytes } from '../words/listing.ts'
import { Trouble } from '../words/reason.ts'
import { asObject } from '../words/text.ts'
import { didOf } from './fields.ts'
import { jsonLines } from './lines.ts'
import { Refusal } from './refusal.ts'
import type { Send } from './server.ts'

export type MemberLine = {
  readonly json: unknown
  /** `scope:name` of the dataset that it is in */
  readonly dataset: string
  /** how often the catalogue counts this dataset: a container may hold it by several ways */
  readonly times: number
}

/** So many datasets go into one question: the answer is streamed, and one for each would be 2,000 calls. */
const slice = 50
const mostDatasets = 100_000
const deepest = 32

/** @param pathOf where the catalogue has a DID
 *  @returns undefined for a server before 35, which does not know the call that names the dataset
 *  @throws Trouble */
export async function readMembers(
  send: Send,
  did: Did,
  pathOf: (did: Did) => string,
  signal: AbortSignal,
): Promise<AsyncGenerator<MemberLine> | undefined> {
  const members = new Map<string, { readonly did: Did; times: number }>()
  await walk({ send, members, pathOf, signal }, did, 1)
  const all = [...members.values()].map(each => each.did)
  const ask = (from: number) => {
    const dids = all.slice(from, from + slice).map(({ scope, name }) => ({ scope, name }))
    const body = JSON.stringify({ dids })
    return send({
      method: 'POST',
      path: '/dids/bulkfiles',
      body,
      accept: 'application/x-json-stream',
      signal,
    })
  }
  let first: Awaited<ReturnType<Send>> | undefined
  try {
    if (all.length > 0) first = await ask(0)
  } catch (error) {
    if (error instanceof Refusal && (error.status === 404 || error.status === 405)) return undefined
    throw error
  }
  return lines()

  async function* lines(): AsyncGenerator<MemberLine> {
    for (let from = 0; from < all.length; from += slice) {
      const answer = from === 0 && first !== undefined ? first : await ask(from)
      let last = ''
      for await (const json of jsonLines(answer, mostLineBytes)) {
        const { parent_scope, parent_name } = asObject(json) ?? {}
        const parent = printDid(didOf({ scope: parent_scope, name: parent_name }))
        // One string for all files of a dataset.
        if (parent !== last) last = parent
        const member = members.get(last)
        if (member === undefined)
          throw new Trouble('bad_listing', `the catalogue gave files of ${last}, for which it was not asked`)
        yield { json, dataset: last, times: member.times }
      }
    }
  }
}

async function walk(
  by: {
    readonly send: Send
    readonly members: Map<string, { readonly did: Did; times: number }>
    readonly pathOf: (did: Did) => string
    readonly signal: AbortSignal
  },
  container: Did,
  depth: number,
): Promise<void> {
  if (depth > deepest) throw new Trouble('too_big', `its containers lie more than ${deepest} deep`)
  const { send, members, pathOf, signal } = by
  const path = `${pathOf(container)}/dids`
  const inner: Did[] = []
  const answer = await send({ method: 'GET', path, accept: 'application/x-json-stream', signal })
  for await (const json of jsonLines(answer, mostLineBytes)) {
    const object = asObject(json) ?? {}
    const did = didOf(object)
    if (object['type'] === 'CONTAINER') inner.push(did)
    else {
      const key = printDid(did)
      const known = members.get(key)
      if (known === undefined) members.set(key, { did, times: 1 })
      else known.times += 1
      if (members.size > mostDatasets) throw new Trouble('too_big', `it holds over ${mostDatasets} datasets`)
    }
  }
  for (const each of inner) await walk(by, each, depth + 1)
}
