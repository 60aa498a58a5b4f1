import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDestination, readDestination } from '../../src/words/destination.ts'
import { Trouble } from '../../src/words/reason.ts'

const test = suite('destination')

test('destination= is an RSE, an RSE with its mount, or this disk', () => {
  assert.equal(parseDestination('MY-SITE_DISK'), { rse: 'MY-SITE_DISK' })
  assert.equal(parseDestination('MY-SITE_DISK:/storage/rucio'), {
    rse: 'MY-SITE_DISK',
    mount: '/storage/rucio',
  })
  assert.equal(parseDestination('A:/odd:mount'), { rse: 'A', mount: '/odd:mount' })
  assert.is(parseDestination('here'), null)
})

for (const text of [
  '',
  ':',
  'A:',
  'A:mnt',
  'A:/x/../y',
  'A:/x\0',
  '*',
  'A|B',
  'tier=3',
  '-A',
  'A B',
  'A\n:/x',
])
  test(`${JSON.stringify(text)} is none: an expression would let Rucio choose any storage`, () => {
    assert.instance(parseDestination(text), Trouble)
  })

test('what a record says is taken key by key, and no other', () => {
  assert.equal(readDestination({ rse: 'A', mine: 1 }), { rse: 'A' })
  const all = { rse: 'A', mount: '/a b', lifetime_days: 1 }
  assert.equal(readDestination(all), all)
  for (const odd of [null, [], 'A', {}, { rse: 7 }, { ...all, mount: 'a' }, { ...all, lifetime_days: 0.5 }])
    assert.instance(readDestination(odd), Trouble, JSON.stringify(odd))
})

test.run()
