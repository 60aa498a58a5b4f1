// Containers whose members have no end: those that hold themselves, and those that share theirs in more ways than can be asked for.

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readMembers } from '../../src/catalogue/members.ts'
import type { Call, Send } from '../../src/catalogue/server.ts'
import { type Did, printDid } from '../../src/words/did.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'
import { didOf } from '../help/dataset.ts'

const test = suite('members')
const never = new AbortController().signal

/** A catalogue of containers alone, save what begins with `d.`: a dataset of one file. */
function catalogue(children: (name: string) => readonly string[]) {
  let asked = 0
  const send: Send = async call => {
    if (call.method === 'GET') asked++
    return answer(linesFor(call, children))
  }
  return { send, asked: () => asked }
}

function linesFor({ path, body }: Call, children: (name: string) => readonly string[]): object[] {
  if (path !== '/dids/bulkfiles') {
    const name = path.split('/')[2] ?? ''
    return children(name).map(each => ({
      scope: 's',
      name: each,
      type: each.startsWith('d.') ? 'DATASET' : 'CONTAINER',
    }))
  }
  const { dids } = JSON.parse(String(body)) as { dids: Did[] }
  return dids.map(({ name }) => ({ scope: 's', name: `f.${name}`, parent_scope: 's', parent_name: name }))
}

function answer(lines: readonly object[]): IncomingMessage {
  const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
  const stream = Readable.from(text === '' ? [] : [Buffer.from(text)])
  return Object.assign(stream, { headers: {} }) as unknown as IncomingMessage
}

const pathOf = (did: Did): string => `/dids/${did.name}`

async function refused(send: Send, name: string): Promise<Trouble> {
  const error = await rejects(readMembers(send, didOf(`s:${name}`), pathOf, never))
  assert.instance(error, Trouble)
  return error as Trouble
}

test('a container that holds itself, by one way or over others, ends as one that is too deep', async () => {
  for (const ring of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    const next = (name: string): string => ring[(ring.indexOf(name) + 1) % ring.length] ?? ''
    const { send, asked } = catalogue(name => ['d.one', next(name)])
    const { reason, detail } = await refused(send, 'a')
    assert.is(reason, 'too_big')
    assert.match(detail, 'more than 32 deep')
    assert.is(asked(), 32)
  }
})

test('one that holds itself twice at each step ends, too', async () => {
  const { send, asked } = catalogue(() => ['a', 'b'])
  assert.is((await refused(send, 'a')).reason, 'too_big')
  assert.is(asked(), 32)
})

/** Each level has two containers, which both hold both of the next: twice as many ways at each. */
function ladder(levels: number): (name: string) => readonly string[] {
  return name => {
    const level = Number(/^[lr](\d+)$/.exec(name)?.[1] ?? 0) + 1
    return level > levels ? ['d.end'] : [`l${level}`, `r${level}`]
  }
}

test('containers that share their members in over 10,000 ways are asked for 10,000 times, and no more', async () => {
  const { send, asked } = catalogue(ladder(20))
  const { reason, detail } = await refused(send, 'top')
  assert.is(reason, 'too_big')
  assert.match(detail, 'more than 10000 ways')
  assert.is(asked(), 10_000)
})

test('in fewer ways each way counts, as the catalogue counts them, and a file comes once', async () => {
  const { send, asked } = catalogue(ladder(12))
  const found: unknown[] = []
  for await (const { dataset, times } of (await readMembers(send, didOf('s:top'), pathOf, never)) ?? [])
    found.push([dataset, times])
  assert.equal(found, [[printDid(didOf('s:d.end')), 2 ** 12]])
  assert.is(asked(), 2 ** 13 - 1)
})

test.run()
