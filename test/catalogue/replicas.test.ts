import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { closeAll, liar, never, open, reasonOf, split } from './open.ts'

const test = suite('replicas')
let grid: PracticeGrid

test.before(async () => {
  const file = { scope: 's', bytes: 10, checksums: ['adler32', 'md5'] } as const
  grid = await startPracticeGrid({
    rses: ['ONE', 'POSIX', 'TAPE', 'DOWN'],
    schemes: { ONE: ['davs', 'root'], POSIX: ['file'] },
    seed: {
      datasets: [
        {
          scope: 's',
          name: 'all',
          open: false,
          files: [
            { ...file, name: 'both', replicas: { ONE: 'good', TAPE: 'good' } },
            { ...file, name: 'tape', replicas: { TAPE: 'good' } },
            { ...file, name: 'posix', replicas: { POSIX: 'good' } },
            { ...file, name: 'lost', replicas: {} },
            { ...file, name: '/with/slash', replicas: { DOWN: 'good' } },
          ],
        },
      ],
      containers: [],
    },
  })
})
test.after(async () => {
  closeAll()
  await grid.stop()
})

test('each file has an entry, with all its replicas in the order of the catalogue', async () => {
  const dids = ['both', 'tape', 'posix', 'lost', '/with/slash', 'unknown'].map(name => split(`s:${name}`))
  const found = await open(grid.url).rucio.replicas(dids, never)
  const shown = [...found].map(([did, each]) => [
    did,
    each.replicas.map(({ rse, type, pfn }) => `${rse} ${type} ${pfn.scheme}`).sort(),
  ])
  assert.equal(
    new Map(shown as [string, string[]][]),
    new Map([
      ['s:both', ['ONE DISK davs', 'ONE DISK root', 'TAPE TAPE davs']],
      ['s:tape', ['TAPE TAPE davs']],
      // A scheme that no engine takes is seen as such, not as a file without a replica.
      ['s:posix', ['POSIX DISK file']],
      ['s:/with/slash', ['DOWN DISK davs']],
      ['s:lost', []],
      ['s:unknown', []],
    ]),
  )
  const both = found.get('s:both')
  assert.is(both?.bytes, 10)
  assert.match(both?.adler32 ?? '', /^[0-9a-f]{8}$/)
  assert.match(both?.md5 ?? '', /^[0-9a-f]{32}$/)
  assert.equal(
    both?.replicas.map(each => each.priority),
    [1, 2, 3],
  )
})

test('more than 500 files are asked for in slices', async () => {
  const { rucio } = open(grid.url)
  const before = grid.calls().filter(each => each === 'POST /replicas/list').length
  const dids = Array.from({ length: 501 }, (_, i) => split(`s:${i === 500 ? 'both' : `none.${i}`}`))
  const found = await rucio.replicas(dids, never)
  assert.is(found.size, 501)
  assert.is(found.get('s:both')?.replicas.length, 3)
  // Two slices; what is missing after the first round is asked for once more.
  assert.is(grid.calls().filter(each => each === 'POST /replicas/list').length - before, 3)
})

test('a list that was cut politely between two lines does not turn files into lost ones', async () => {
  const asked: number[] = []
  const url = await liar((request, response) => {
    const { dids } = JSON.parse(request.body) as { dids: { scope: string; name: string }[] }
    asked.push(dids.length)
    const pfns = {
      'https://se.example.org/x': { rse: 'ONE', type: 'DISK', priority: 1, client_extract: false },
    }
    for (const { scope, name } of asked.length === 1 ? dids.slice(0, 1) : dids)
      response.write(`${JSON.stringify({ scope, name, bytes: 1, adler32: null, md5: null, pfns })}\n`)
    response.end()
  })
  const found = await open(url).rucio.replicas(['s:a', 's:b', 's:c'].map(split), never)
  assert.equal(
    [...found.values()].map(each => each.replicas.length),
    [1, 1, 1],
  )
  assert.equal(asked, [3, 2])
})

function answering(more: Record<string, unknown>): Promise<string> {
  return liar((_, response) => {
    response.end(
      `${JSON.stringify({ scope: 's', name: 'a', bytes: 1, adler32: null, md5: null, ...more })}\n`,
    )
  })
}

test('an address that climbs, hides a user or is none is left out and counted', async () => {
  const facts = { rse: 'ONE', type: 'DISK', priority: 1, client_extract: true }
  const pfns = {
    'https://se.example.org/a/../b': facts,
    'https://user:word@se.example.org/a': facts,
    'not an address': facts,
    'https://se.example.org/nothing-said-of-it': 'x',
    __proto__: facts,
    'https://se.example.org//good?a=b': facts,
  }
  const found = await open(await answering({ pfns })).rucio.replicas([split('s:a')], never)
  const file = found.get('s:a')
  assert.is(file?.replicas.length, 1)
  assert.is(file?.replicas[0]?.pfn.path, '//good')
  assert.is(file?.replicas[0]?.clientExtract, true)
  assert.is(file?.refused, 4)
})

test('a file that was not asked for is not taken, more lines than files are a lie', async () => {
  const found = await open(await answering({ name: 'b', pfns: {} })).rucio.replicas([split('s:a')], never)
  assert.equal([...found.keys()], ['s:a'])
  const url = await liar((_, response) => response.end('{"scope":"s","name":"a","bytes":1}\n'.repeat(2)))
  assert.is(await reasonOf(open(url).rucio.replicas([split('s:a')], never)), 'bad_listing')
})

test('nothing asked for is nothing sent', async () => {
  const before = grid.calls().length
  assert.is((await open(grid.url).rucio.replicas([], never)).size, 0)
  assert.is(grid.calls().length, before)
})

test.run()
