import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openReplicaBook } from '../../src/loop/replicaBook.ts'
import { printDid } from '../../src/words/did.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { FileReplicas } from '../../src/words/replica.ts'
import { rejects, world } from '../help/data.ts'

const test = suite('replicaBook')
const never = new AbortController().signal
const dids = Array.from({ length: 1000 }, (_, i) => `s:f${i}`)

/** A catalogue that answers when it is told to. */
function catalogue() {
  const asked: string[][] = []
  const waiting: { answer(): void; fail(error: unknown): void }[] = []
  let most = 0
  let now = 0
  const rucio = {
    onLoopback: true,
    token: async () => {
      throw new Error('nobody asks for it')
    },
    tokenRefused: () => {},
    contents: () => Promise.reject(new Error('not asked')),
    ping: () => Promise.resolve(),
    replicas(files: readonly { scope: string; name: string }[]): Promise<ReadonlyMap<string, FileReplicas>> {
      asked.push(files.map(printDid))
      most = Math.max(most, ++now)
      return new Promise((resolve, reject) => {
        waiting.push({
          answer() {
            now--
            resolve(
              new Map(
                files.map(each => [
                  printDid(each),
                  { did: printDid(each), bytes: 1, replicas: [], refused: 0 },
                ]),
              ),
            )
          },
          fail(error) {
            now--
            reject(error)
          },
        })
      })
    },
  }
  return { rucio, asked, waiting, most: () => most }
}

test('slices grow, nothing is asked twice, and two calls at once are enough for a server', async () => {
  const { rucio, asked, waiting, most } = catalogue()
  const book = openReplicaBook(rucio, world)
  const got: string[] = []
  const lanes = [0, 250, 500, 750].map(async from => {
    for (let i = from; i < from + 250; i++) {
      const next = () => [...dids.slice(i + 1, from + 250), ...dids]
      got.push((await book.of(dids[i] ?? '', next, never)).did)
    }
  })
  const all = Promise.all(lanes)
  let done = false
  void all.then(() => {
    done = true
  })
  while (!done) {
    waiting.shift()?.answer()
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.is(new Set(got).size, 1000)
  assert.ok(most() <= 2, `${most()} at once`)
  assert.is(asked[0]?.length, 16)
  assert.ok(asked.every(each => each.length <= 250))
  assert.ok(asked.length < 20, `${asked.length} calls`)
})

test('a call that fails is told to whoever waits for it, and the next one asks anew', async () => {
  const { rucio, asked, waiting } = catalogue()
  const book = openReplicaBook(rucio, world)
  const first = rejects(book.of('s:f0', () => ['s:f1'], never))
  waiting.shift()?.fail(new Trouble('host_down', 'no'))
  assert.instance(await first, Trouble)
  const second = book.of('s:f1', () => [], never)
  await new Promise(resolve => setImmediate(resolve))
  waiting.shift()?.answer()
  assert.is((await second).did, 's:f1')
  assert.equal(asked, [['s:f0', 's:f1'], ['s:f1']])
})

test('who is told to stop does not wait for the answer', async () => {
  const { rucio } = catalogue()
  const ending = new AbortController()
  const lane = rejects(openReplicaBook(rucio, world).of('s:f0', () => [], ending.signal))
  ending.abort(new Error('stop'))
  assert.match(String(await lane), /stop/)
})

test.run()
