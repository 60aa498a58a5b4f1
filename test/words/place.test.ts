import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePfn } from '../../src/words/pfn.ts'
import { placeOf } from '../../src/words/place.ts'
import { Trouble } from '../../src/words/reason.ts'
import { isPlace } from '../../src/words/rule.ts'

const test = suite('place of a file under a mount')

const protocols = [
  { scheme: 'davs', prefix: '/rucio/' },
  { scheme: 'root', prefix: '//rucio/' },
  { scheme: 'file', prefix: '/storage/disk/rucio/' },
  { scheme: 'file', prefix: '/storage/' },
]

function of(url: string, ways = protocols): string | Trouble {
  const pfn = parsePfn(url)
  return pfn instanceof Trouble ? pfn : placeOf(pfn, ways)
}

const rows: [string, string][] = [
  ['davs://se.example.org:443/rucio/mc16/b0/bf/x.root', 'mc16/b0/bf/x.root'],
  ['root://se.example.org:1094//rucio/mc16/b0/bf/x.root', 'mc16/b0/bf/x.root'],
  // The longest prefix is the protocol's own.
  ['file://localhost:0/storage/disk/rucio/mc16/x.root', 'mc16/x.root'],
  ['file://localhost:0/storage/other/x.root', 'other/x.root'],
  // A name that begins with a slash.
  ['davs://se.example.org/rucio/user/jdoe/76/7d//user.jdoe/two.root', 'user/jdoe/76/7d/user.jdoe/two.root'],
]
for (const [url, place] of rows) test(`${url} is ${place}`, () => assert.is(of(url), place))

for (const url of [
  'davs://se.example.org/elsewhere/x.root',
  'davs://se.example.org/ruciox/x.root',
  'davs://se.example.org/rucio/',
  'https://se.example.org/rucio/x.root',
  'davs://se.example.org/rucio/../etc/passwd',
  'davs://se.example.org/rucio/%2e%2e/etc/passwd',
])
  test(`${url} is nowhere under the mount`, () => assert.instance(of(url), Trouble))

test('whatever a catalogue sends, a place stays below the mount', () => {
  const part = fc.oneof(
    fc.constantFrom('.', '..', '', 'a', '%2e%2e', 'rucio', '\\'),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), parts => {
      const place = of(`davs://h/rucio/${parts.join('/')}`)
      assert.ok(place instanceof Trouble || isPlace(place))
    }),
    { numRuns: 1000 },
  )
})

test.run()
