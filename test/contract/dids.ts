// The contract of names and listings: what a DID is, what it holds, how it is found.

import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { didOf, fileOf, filesOf, keysOf, type Line, list, object, rucioError, sumOf } from './expect.ts'
import * as names from './names.ts'
import { call, type Subject } from './subject.ts'

const didKeys = ['account', 'bytes', 'expired_at', 'length', 'monotonic', 'name', 'open', 'scope', 'type']
const fileKeys = ['adler32', 'bytes', 'events', 'guid', 'name', 'scope']

export function didContract(test: Test, subject: () => Subject): void {
  const get = (path: string) => call(subject(), path)

  test('the scopes are one JSON array', async () => {
    const scopes = object(await get('/scopes/')) as unknown as string[]
    for (const scope of ['mc16_13TeV', 'user.jdoe']) assert.is(scopes.includes(scope), true)
  })

  test('only a closed dataset tells its length and bytes by itself', async () => {
    const files = filesOf(subject().facts, names.key(names.small))
    const closed = object(await get(names.path(names.small)))
    assert.equal(keysOf(closed), didKeys)
    assert.is(closed['type'], 'DATASET')
    assert.is(closed['open'], false)
    assert.is(closed['length'], files.length)
    assert.is(closed['bytes'], sumOf(files))
    for (const [did, type] of [
      [names.large, 'DATASET'],
      [names.empty, 'DATASET'],
      [names.box, 'CONTAINER'],
      [names.nested, 'CONTAINER'],
    ] as const) {
      const found = object(await get(names.path(did)))
      assert.equal(keysOf(found), didKeys)
      assert.is(found['type'], type)
      assert.is(found['open'], true)
      assert.is(found['length'], null)
      assert.is(found['bytes'], null)
    }
  })

  test('dynamic_depth=FILE counts files and bytes through containers, an empty one too', async () => {
    for (const did of [
      names.small,
      names.large,
      names.box,
      names.nested,
      names.empty,
      names.emptyBox,
      names.odd,
    ]) {
      const files = filesOf(subject().facts, names.key(did))
      const counted = object(await get(`${names.path(did)}?dynamic_depth=FILE`))
      assert.equal(keysOf(counted), didKeys)
      assert.is(counted['length'], files.length, did.name)
      assert.is(counted['bytes'], sumOf(files), did.name)
    }
  })

  test('a file tells its size and its checksums', async () => {
    const found = object(await get(names.path(names.firstFile)))
    const file = fileOf(subject().facts, names.firstFile)
    assert.equal(keysOf(found), ['account', 'adler32', 'bytes', 'length', 'md5', 'name', 'scope', 'type'])
    assert.is(found['type'], 'FILE')
    assert.is(found['length'], 1)
    assert.is(found['bytes'], file.bytes)
    assert.is(found['adler32'], file.adler32)
    assert.is(found['md5'], file.md5)
  })

  test('an unknown name and an unknown scope are the same 404 in each call', async () => {
    for (const did of [names.nobody, { scope: 'no_such_scope', name: 'no.such.dataset' }])
      for (const tail of ['', '?dynamic_depth=FILE', '/files', '/dids'])
        rucioError(
          await get(names.path(did) + tail),
          404,
          'DataIdentifierNotFound',
          `Data identifier '${names.key(did)}' not found`,
        )
  })

  test('the files of a dataset come in the order of their names, with what the catalogue knows of each', async () => {
    for (const did of [names.small, names.odd, names.lost]) {
      const lines = list(await get(`${names.path(did)}/files`))
      assert.equal(lines.map(didOf), [...lines.map(didOf)].sort())
      isListing(subject(), names.key(did), lines, fileKeys)
    }
  })

  test('the long form of a listing adds the number of the lumi block', async () => {
    const lines = list(await get(`${names.path(names.odd)}/files?long`))
    isListing(subject(), names.key(names.odd), lines, [...fileKeys, 'lumiblocknr'].sort())
  })

  test('the files of a container are those of its datasets, of a file itself', async () => {
    isListing(
      subject(),
      names.key(names.nested),
      list(await get(`${names.path(names.nested)}/files`)),
      fileKeys,
    )
    const [only, ...others] = list(await get(`${names.path(names.firstFile)}/files`))
    assert.is(others.length, 0)
    assert.is(didOf(only ?? {}), names.key(names.firstFile))
  })

  test('an empty dataset, an empty container and an empty question give empty lists', async () => {
    assert.equal(list(await get(`${names.path(names.empty)}/files`)), [])
    assert.equal(list(await get(`${names.path(names.emptyBox)}/dids`)), [])
    assert.equal(list(await call(subject(), '/dids/bulkfiles', { body: { dids: [] } })), [])
  })

  test('the children of a container are named without sizes, those of a dataset with them', async () => {
    const keys = ['adler32', 'bytes', 'md5', 'name', 'scope', 'type']
    const datasets = list(await get(`${names.path(names.box)}/dids`))
    assert.equal(datasets.map(didOf).sort(), [names.key(names.small), names.key(names.large)].sort())
    for (const line of datasets) {
      assert.equal(keysOf(line), keys)
      assert.is(line['type'], 'DATASET')
      assert.is(line['bytes'], null)
    }
    const files = list(await get(`${names.path(names.small)}/dids`))
    assert.is(files.length, filesOf(subject().facts, names.key(names.small)).length)
    for (const line of files) {
      assert.equal(keysOf(line), keys)
      assert.is(line['type'], 'FILE')
      assert.is(line['bytes'], fileOf(subject().facts, line).bytes)
      assert.is(line['md5'], fileOf(subject().facts, line).md5)
    }
  })

  test('bulkfiles names the DID that was asked for, and leaves unknown ones out', async () => {
    const bulk = async (...dids: readonly object[]): Promise<Line[]> =>
      list(await call(subject(), '/dids/bulkfiles', { body: { dids } }))
    const withParent = [...fileKeys, 'parent_name', 'parent_scope'].sort()
    const odd = await bulk(names.odd, names.nobody)
    isListing(subject(), names.key(names.odd), odd, withParent)
    for (const line of odd) assert.is(`${line['parent_scope']}:${line['parent_name']}`, names.key(names.odd))
    const nested = await bulk(names.nested)
    isListing(subject(), names.key(names.nested), nested, withParent)
    for (const line of nested) assert.is(line['parent_name'], names.nested.name)
    isListing(subject(), names.key(names.slashes), await bulk(names.slashes), withParent)
    assert.equal((await bulk(names.firstFile)).map(didOf), [names.key(names.firstFile)])
  })

  test('a body that is no JSON is a ValueError', async () => {
    const answer = await call(subject(), '/dids/bulkfiles', { body: '{"dids":[' })
    rucioError(answer, 400, 'ValueError', 'cannot decode json parameter dictionary')
  })

  test('a name with slashes is found encoded and raw, a leading slash too', async () => {
    for (const did of [names.slashes, names.slashFile])
      for (const path of [names.path(did), `/dids/${did.scope}/${did.name}`])
        assert.is(didOf(object(await get(path))), names.key(did))
    const lines = list(await get(`${names.path(names.slashes)}/files`))
    isListing(subject(), names.key(names.slashes), lines, fileKeys)
  })

  test('a search takes a star, gives names or objects, and knows no failure but a bad type', async () => {
    const search = (query: string) => get(`/dids/mc16_13TeV/dids/search?${query}`)
    const zmumu = [names.small, names.large, names.box, names.nested].map(did => did.name).sort()
    assert.equal(list<string>(await search('type=collection&name=*Zmumu*')).sort(), zmumu)
    assert.equal(list<string>(await search('name=*Zmumu*')).sort(), zmumu)
    const long = list(await search('type=all&long=True&name=mc16_13TeV.361107*'))
    assert.equal(long.map(line => String(line['name'])).sort(), zmumu)
    for (const line of long) assert.equal(keysOf(line), ['bytes', 'did_type', 'length', 'name', 'scope'])
    assert.equal(list(await search('type=container&name=*Zmumu*_tid01')), [])
    assert.equal(list(await search('type=all&name=nothing*')), [])
    assert.equal(list(await get('/dids/no_such_scope/dids/search?type=all&name=*')), [])
    rucioError(await search('type=nonsense&name=*'), 409, 'UnsupportedOperation')
  })
}

/** Lines of a listing against the seed: the same files, as often, and each with the seed's size, checksum and events. */
function isListing(subject: Subject, did: string, lines: readonly Line[], keys: readonly string[]): void {
  const expected = filesOf(subject.facts, did)
  assert.equal(lines.map(didOf).sort(), expected.map(didOf).sort())
  for (const line of lines) {
    const file = fileOf(subject.facts, line)
    assert.equal(keysOf(line), keys)
    assert.is(line['bytes'], file.bytes, file.name)
    assert.is(line['adler32'], file.adler32, file.name)
    assert.is(line['events'], file.events, file.name)
    if (line['guid'] !== null) assert.match(String(line['guid']), /^[0-9A-F]{32}$/)
  }
}
