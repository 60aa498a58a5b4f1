import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readListingHead, readListingLine } from '../../src/words/listing.ts'

const test = suite('listing')

const head = {
  format: 1,
  did: 's:ds',
  type: 'DATASET',
  open: false,
  length: 3,
  bytes: 2 ** 50,
  fetched: '2026-01-01T00:00:00Z',
}
const none = { format: 1, did: 's:ds', type: 'NONE', fetched: 'x', until: 'y', tries: 2 }
const line = { did: 's:a/b', path: 'a=2Fb', bytes: 5 }

test('heads are read, of listings and of what does not exist, without keys that are not known', () => {
  assert.equal(readListingHead({ ...head, more: 1 }), head)
  assert.equal(
    readListingHead({ ...head, type: 'CONTAINER', open: true, length: 0, bytes: 0 })?.type,
    'CONTAINER',
  )
  assert.equal(readListingHead({ ...none, length: 1 }), none)
})

test('a head that makes no sense is none', () => {
  for (const bad of [
    { format: 2 },
    { format: undefined },
    { did: 'ds' },
    { did: 's:../x' },
    { type: 'TREE' },
    { open: 0 },
    { length: -1 },
    { length: 1.5 },
    { bytes: -1 },
    { bytes: 2 ** 53 },
    { bytes: '1' },
    { fetched: 1 },
  ])
    assert.is(readListingHead({ ...head, ...bad }), undefined, JSON.stringify(bad))
  for (const bad of [{ until: 1 }, { tries: -1 }]) assert.is(readListingHead({ ...none, ...bad }), undefined)
  for (const bad of [null, [], 'x', undefined]) assert.is(readListingHead(bad), undefined)
})

test('a line is read; what is no checksum, guid or count of events is as if it were not there', () => {
  const sums = { adler32: '00000001', md5: 'd41d8cd98f00b204e9800998ecf8427e', guid: 'G', events: 0 }
  assert.equal(readListingLine({ ...line, ...sums, more: 1 }), { ...line, ...sums })
  assert.equal(readListingLine({ ...line, adler32: '1', md5: 'x', guid: 7, events: null }), line)
  assert.equal(readListingLine({ ...line, events: Number.POSITIVE_INFINITY }), line)
})

test('a line whose name, path or size makes no sense is none', () => {
  for (const bad of [
    { did: 'x' },
    { did: 's:a*' },
    { path: '../x' },
    { path: '.rucio' },
    { path: 'INCOMPLETE.txt' },
    { path: 'a/b' },
    { path: '' },
    { bytes: -1 },
    { bytes: 2 ** 44 + 1 },
    { bytes: Number.POSITIVE_INFINITY },
    { bytes: '5' },
  ])
    assert.is(readListingLine({ ...line, ...bad }), undefined, JSON.stringify(bad))
})

test('any JSON is a sane value or none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), json => {
      readListingHead(json)
      readListingLine(json)
    }),
    { numRuns: 500 },
  )
})

test.run()
