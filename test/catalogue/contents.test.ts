import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { closeAll, dataset, filesOf, liar, line, never, open, reasonOf, split, troubleOf } from './open.ts'

const test = suite('contents')

function seedFile(name: string, more: Partial<SeedFile> = {}): SeedFile {
  return { scope: 's', name, bytes: 1000, checksums: ['adler32', 'md5'], replicas: { ONE: 'good' }, ...more }
}

const two = [seedFile('f.1', { events: 7 }), seedFile('f.2', { scope: 'other', bytes: 0, checksums: [] })]
const many = Array.from({ length: 300 }, (_, i) => seedFile(`many.${i}`))
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['ONE'],
    seed: {
      datasets: [
        { scope: 's', name: 'two', open: false, files: two },
        { scope: 's', name: 'open', open: true, files: two.slice(0, 1) },
        { scope: 's', name: 'empty', open: false, files: [] },
        { scope: 's', name: 'many', open: false, files: many },
        { scope: 's', name: '/a/b/c', open: false, files: two },
      ],
      containers: [
        { scope: 's', name: 'both', children: [split('s:two'), split('s:open')] },
        { scope: 's', name: 'nothing', children: [] },
        { scope: 's', name: 'twice', children: [split('s:both'), split('s:again'), split('s:nothing')] },
        { scope: 's', name: 'again', children: [split('s:two'), split('s:many')] },
      ],
    },
  })
})
test.after(async () => {
  closeAll()
  await grid.stop()
})

test('a dataset comes file by file with size, checksum and events', async () => {
  const [first = seedFile('')] = two
  const sum = printAdler32(adler32(1, bytesOf(first, 0, first.bytes)))
  const files = await filesOf(open(grid.url).rucio, 's:two')
  assert.equal(
    files.map(({ guid: _, ...rest }) => rest),
    [
      { did: 's:f.1', bytes: 1000, adler32: sum, events: 7 },
      { did: 'other:f.2', bytes: 0 },
    ],
  )
  assert.match(files[0]?.guid ?? '', /^[0-9A-F]{32}$/)
})

test('each file of a container has the dataset that it is in, by whatever way it is reached', async () => {
  const { rucio } = open(grid.url)
  const files = await filesOf(rucio, 's:twice')
  assert.is(files.length, 302)
  assert.equal(
    files.slice(0, 2).map(({ did, dataset }) => [did, dataset]),
    [
      ['s:f.1', 's:two'],
      ['other:f.2', 's:two'],
    ],
  )
  assert.ok(files.slice(2).every(({ dataset }) => dataset === 's:many'))
  const counted = await rucio.contents({ scope: 's', name: 'twice' }, () => {}, never)
  assert.is(counted.kind === 'listed' && counted.length, 2 + 1 + 2 + 300)
})

test('open datasets, empty ones and containers are listed as what they are', async () => {
  const { rucio } = open(grid.url)
  const kinds = ['two', 'open', 'empty', 'nothing', 'both'].map(async name => {
    const { kind: _, ...rest } = await rucio.contents({ scope: 's', name }, () => {}, never)
    return { name, ...rest }
  })
  assert.equal(await Promise.all(kinds), [
    { name: 'two', type: 'DATASET', open: false, length: 2, bytes: 1000 },
    { name: 'open', type: 'DATASET', open: true, length: 1, bytes: 1000 },
    { name: 'empty', type: 'DATASET', open: false, length: 0, bytes: 0 },
    { name: 'nothing', type: 'CONTAINER', open: true, length: 0, bytes: 0 },
    // s:f.1 lies in both datasets: counted twice, as the catalogue does, and given once.
    { name: 'both', type: 'CONTAINER', open: true, length: 3, bytes: 2000 },
  ])
  assert.equal(
    (await filesOf(rucio, 's:both')).map(each => each.did),
    ['s:f.1', 'other:f.2'],
  )
})

test('a single file is its own list, with the md5 that lists do not have', async () => {
  const [file] = await filesOf(open(grid.url).rucio, 's:f.1')
  assert.is(file?.did, 's:f.1')
  assert.match(file?.md5 ?? '', /^[0-9a-f]{32}$/)
  assert.is(file?.events, 7)
})

test('a DID that Rucio does not know is an answer, not an error', async () => {
  const { rucio } = open(grid.url)
  for (const did of ['s:no.such', 'nosuchscope:x', 's:no/such'])
    assert.equal(await rucio.contents(split(did), () => {}, never), { kind: 'none' })
})

test('a name with slashes is asked for in a body, where nothing on the way touches it', async () => {
  assert.is((await filesOf(open(grid.url).rucio, 's:/a/b/c')).length, 2)
  assert.ok(grid.calls().includes('POST /dids/bulkfiles'))
})

test('a list that is cut is never taken for whole, be its end rude or polite', async () => {
  const { rucio } = open(grid.url)
  await grid.setCatalogue({ cutLists: true })
  assert.ok(['stalled', 'bad_listing'].includes(await reasonOf(filesOf(rucio, 's:many'))))
  await grid.setCatalogue({ cutLists: 'clean' })
  assert.is(await reasonOf(filesOf(rucio, 's:many')), 'bad_listing')
  await grid.setCatalogue({ cutLists: false })
  assert.is((await filesOf(rucio, 's:many')).length, 300)
})

test('a list that ends between two lines is cut all the same', async () => {
  const url = await liar(dataset([[2, 20]], [line('a')]))
  assert.match(
    (await troubleOf(filesOf(open(url).rucio, 's:n'))).detail,
    'counts 2 files with 20 bytes in s:n and listed 1',
  )
})

test('a list whose last line has no newline is cut', async () => {
  const url = await liar(dataset([[1, 10]], [line('a').trimEnd()]))
  assert.is(await reasonOf(filesOf(open(url).rucio, 's:n')), 'bad_listing')
})

test('a dataset that grows while it is read is read again, and no file comes twice', async () => {
  const counts: [number, number][] = [
    [1, 10],
    [3, 30],
    [3, 30],
  ]
  const url = await liar(dataset(counts, [line('a') + line('b'), line('a') + line('b') + line('c')]))
  const { rucio } = open(url)
  assert.equal(
    (await filesOf(rucio, 's:n')).map(each => each.did),
    ['s:a', 's:b', 's:c'],
  )
})

test('a list that is what the catalogue counts afterwards is whole', async () => {
  const url = await liar(
    dataset(
      [
        [1, 10],
        [2, 20],
      ],
      [line('a') + line('b')],
    ),
  )
  assert.is((await filesOf(open(url).rucio, 's:n')).length, 2)
})

test('a dataset that never holds still is given up after three readings', async () => {
  let length = 0
  const url = await liar((request, response) => {
    if (request.url?.endsWith('/files') === true) response.end(line('a'))
    else
      response.end(
        JSON.stringify({
          scope: 's',
          name: 'n',
          type: 'DATASET',
          open: true,
          length: ++length + 1,
          bytes: 0,
        }),
      )
  })
  assert.is(await reasonOf(filesOf(open(url).rucio, 's:n')), 'bad_listing')
  assert.is(length, 6)
})

test('a file taken out between two readings makes the listing worth nothing', async () => {
  const url = await liar(
    dataset(
      [
        [1, 10],
        [2, 20],
        [1, 10],
      ],
      [line('a') + line('b') + line('c'), line('b')],
    ),
  )
  assert.match((await troubleOf(filesOf(open(url).rucio, 's:n'))).detail, 'was taken out')
})

test('what no sane catalogue says is a bad listing that names the file', async () => {
  const rows: [string, RegExp][] = [
    [line('../../etc/passwd'), /etc\/passwd.*component/],
    [line('a/'), /ends in a slash/],
    [line('a b'), /printable/],
    [line('a', { scope: 7 }), /without scope and name/],
    [line('a', { bytes: -1 }), /no size.*s:a/],
    [line('a', { bytes: 1.5 }), /no size/],
    [line('a', { bytes: 2 ** 45 }), /16 TiB/],
    [line('a', { bytes: '10' }), /no size/],
    [line('a', { adler32: 'xyz' }), /checksum.*s:a/],
    [line('a', { adler32: '123456789' }), /checksum/],
    ['[1]\n', /no object/],
    ['null\n', /no object/],
    ['{"scope": "s"\n', /not JSON/],
    ['<html>\n', /not JSON/],
    [`{"x": "${'y'.repeat(70_000)}"}\n`, /longer than 65536/],
    ['y'.repeat(70_000), /longer than 65536/],
  ]
  for (const [text, expected] of rows) {
    const url = await liar(dataset([[1, 10]], [text]))
    const trouble = await troubleOf(filesOf(open(url).rucio, 's:n'))
    assert.is(trouble.reason, 'bad_listing', text.slice(0, 80))
    assert.match(trouble.detail, expected)
  }
})

test('checksums come in lower case and full length, odd guids and events not at all', async () => {
  const text = line('a', { adler32: 'ABCDEF', guid: 'x y', events: -1 }) + line('b', { adler32: '' })
  const url = await liar(dataset([[2, 20]], [text]))
  assert.equal(await filesOf(open(url).rucio, 's:n'), [
    { did: 's:a', bytes: 10, adler32: '00abcdef' },
    { did: 's:b', bytes: 10 },
  ])
})

test('a head that is about another DID, of no type or without a count is a bad listing', async () => {
  const good = { scope: 's', name: 'n', type: 'DATASET', open: false, length: 0, bytes: 0 }
  for (const wrong of [{ name: 'N' }, { type: 'FOLDER' }, { length: null }, { bytes: '1' }]) {
    const url = await liar((_, response) => response.end(JSON.stringify({ ...good, ...wrong })))
    assert.is(await reasonOf(filesOf(open(url).rucio, 's:n')), 'bad_listing', JSON.stringify(wrong))
  }
})

test('raw slashes are tried where a proxy lets none pass that is written as %2F', async () => {
  const asked: string[] = []
  const head = { scope: 's', name: 'a/b', type: 'DATASET', open: false, length: 1, bytes: 10 }
  const url = await liar((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.url?.includes('%2F') === true) response.writeHead(404).end('<html>Not Found</html>')
    else if (request.url === '/dids/bulkfiles') response.writeHead(405).end()
    else if (request.url?.endsWith('/files') === true) response.end(line('x'))
    else response.end(JSON.stringify(head))
  })
  assert.is((await filesOf(open(url).rucio, 's:a/b')).length, 1)
  assert.equal(asked, [
    'GET /dids/s/a%2Fb?dynamic_depth=FILE',
    'GET /dids/s/a/b?dynamic_depth=FILE',
    'POST /dids/bulkfiles',
    'GET /dids/s/a/b/files',
  ])
})

test('a signal ends the reading of a list', async () => {
  const stop = new AbortController()
  const url = await liar((request, response) => {
    if (request.url?.endsWith('/files') === true) response.write(line('a'))
    else
      response.end(
        JSON.stringify({ scope: 's', name: 'n', type: 'DATASET', open: true, length: 2, bytes: 20 }),
      )
  })
  const reading = open(url).rucio.contents(split('s:n'), () => stop.abort(new Error('enough')), stop.signal)
  assert.match(String(await reading.catch(error => error)), 'enough')
})

test('an error of whoever takes the files ends the reading and is handed on', async () => {
  const full = new Error('the disk is full')
  const reading = open(grid.url).rucio.contents(
    split('s:many'),
    () => {
      throw full
    },
    never,
  )
  assert.is(await reading.catch(error => error), full)
})

test.run()
