import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Did, parseDid, printDid } from '../../src/words/did.ts'
import {
  didOfName,
  fileComponent,
  fold,
  isComponent,
  nameOf,
  Paths,
  readFullDid,
} from '../../src/words/names.ts'
import { Trouble } from '../../src/words/reason.ts'
import { hostileName } from '../help/hostile.ts'

const test = suite('names')

function did(text: string): Did {
  const parsed = parseDid(text)
  if (parsed instanceof Trouble) throw parsed
  return parsed
}

const canonical: [string, string][] = [
  ['mc16_13TeV:mc16_13TeV.311309.x_p3795', 'mc16_13TeV.311309.x_p3795'],
  ['user.jdoe:user.jdoe.x', 'user.jdoe.x'],
  ['other:user.jdoe.x', 'other=3Auser.jdoe.x'],
  ['cms:/store/x#1', 'cms=3A=2Fstore=2Fx=231'],
  ['CON:CON.x', '=43ON.x'],
  ['com1:com1', '=63om1'],
  ['requests:requests', '=72equests'],
  ['Config:Config.json', '=43onfig.json'],
  ['-x:-x.y', '=2Dx.y'],
  ['a:a.', 'a=2E'],
  ['a:a...', 'a..=2E'],
  ['a~b:a~b', 'a=7Eb'],
  ['a=3:a=3.x', 'a=3D3.x'],
]
for (const [text, name] of canonical)
  test(`${text} lies under ${name}`, () => {
    assert.is(nameOf(did(text)), name)
    assert.equal(didOfName(name), did(text))
  })

test('what a person types as a file name is read: lower-case hex, needless escapes, scope:name', () => {
  assert.equal(didOfName('s=3ax'), { scope: 's', name: 'x' })
  assert.equal(didOfName('=61bc.x'), { scope: 'abc', name: 'abc.x' })
  assert.equal(didOfName('s:x'), { scope: 's', name: 'x' })
  assert.equal(didOfName('s:x=41'), { scope: 's', name: 'x=41' })
  assert.equal(didOfName('s:x~y'), { scope: 's', name: 'x~y' })
})

test('what escapes to something bad is refused', () => {
  for (const text of [
    's=3A=2E=2E',
    '=2E=2E=2Fx',
    's=3Aa=00',
    's=3Aa=FFb',
    's=3Aa=3Ab',
    'x~0123456789abcdef',
    '',
    '..',
  ])
    assert.instance(didOfName(text), Trouble, text)
})

test('a long name is cut, keeps its own hash, and does not end in half an escape', () => {
  const long = nameOf(did(`s:${'#'.repeat(250)}`))
  assert.match(long, /^s=3A(=23)+~[0-9a-f]{16}$/)
  assert.ok(long.length <= 177)
  const others = ['a', 'b'].map(end => nameOf(did(`s:${'n'.repeat(249)}${end}`)))
  assert.is(new Set(others).size, 2)
})

test('files that differ only by letter case, or by scope, get a hash, all of them', () => {
  const files = ['s:A.root', 's:a.root', 't:b.root', 'u:b.root', 's:c.root'].map(did)
  const paths = new Paths()
  for (const file of files) paths.add(file)
  const given = files.map(file => paths.pathOf(file))
  assert.match(given[0] ?? '', /^A\.root~[0-9a-f]{16}$/)
  assert.match(given[1] ?? '', /^a\.root~[0-9a-f]{16}$/)
  assert.is(given[4], 'c.root')
  assert.is(new Set(given.map(fold)).size, 5)
})

test('a path once given is kept when its twin comes, and the twin gets the hash', () => {
  const paths = new Paths()
  paths.keep('s:A.root', 'A.root')
  for (const file of ['s:a.root', 's:A.root']) paths.add(did(file))
  assert.is(paths.pathOf(did('s:A.root')), 'A.root')
  assert.match(paths.pathOf(did('s:a.root')), /^a\.root~/)
})

test('kept paths that climb or that two files share are not kept', () => {
  const paths = new Paths()
  paths.keep('s:a', '../a')
  paths.keep('s:b', 'x')
  paths.keep('s:c', 'X')
  for (const file of ['s:a', 's:b', 's:c']) paths.add(did(file))
  assert.equal(
    ['s:a', 's:b', 's:c'].map(file => paths.pathOf(did(file))),
    ['a', 'x', 'c'],
  )
})

test('a record names its DID in full and in one way only', () => {
  assert.equal(readFullDid('s:x'), { scope: 's', name: 'x' })
  for (const bad of ['x', 's:x/', 's:../x', ' s:x', 's:', 7, null, undefined, {}, ['s:x']])
    assert.is(readFullDid(bad), undefined)
})

test('a path that climbs, hides, or has a meaning of its own is no component', () => {
  for (const bad of [
    '',
    '.',
    '..',
    '.rucio',
    '-x',
    'a/b',
    'a\\b',
    'a\0',
    'é',
    'CON',
    'nul.x',
    'Requests',
    'a.',
    'x'.repeat(218),
    7,
  ])
    assert.not(isComponent(bad), String(bad))
})

test('any name is refused or becomes a component that every disk takes, and says its DID again', () => {
  fc.assert(
    fc.property(hostileName, text => {
      const parsed = parseDid(text)
      if (parsed instanceof Trouble) return
      for (const name of [nameOf(parsed), fileComponent(parsed)]) {
        assert.ok(isComponent(name), name)
        assert.ok(Buffer.byteLength(`${name}.json.problem`) <= 255)
        assert.not(/[. ]$|^[.-]|[^A-Za-z0-9._=~-]/.test(name), name)
        assert.not(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name), name)
      }
      const back = didOfName(nameOf(parsed))
      if (back instanceof Trouble) assert.match(nameOf(parsed), /~[0-9a-f]{16}$/)
      else assert.equal(back, parsed)
    }),
    { numRuns: 10000 },
  )
})

test('within a dataset every file has a path of its own, letter case not told apart, whatever is kept', () => {
  const twin = fc.constantFrom<string[]>(
    's:a',
    's:A',
    't:a',
    't:A',
    's:b',
    's:con',
    's:CON',
    `s:${'x'.repeat(240)}`,
    `s:${'X'.repeat(240)}`,
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(twin, hostileName), { maxLength: 30 }),
      fc.array(twin),
      (texts, keptTexts) => {
        const files = new Map<string, Did>()
        for (const text of texts) {
          const parsed = parseDid(text)
          if (!(parsed instanceof Trouble)) files.set(printDid(parsed), parsed)
        }
        const earlier = new Paths()
        for (const text of keptTexts) earlier.add(did(text))
        const kept = new Map(keptTexts.map(text => [text, earlier.pathOf(did(text))]))
        const paths = new Paths()
        for (const [key, path] of kept) paths.keep(key, path)
        for (const file of files.values()) paths.add(file)
        const given = [...files.values()].map(file => paths.pathOf(file))
        assert.ok(given.every(isComponent))
        assert.is(new Set(given.map(fold)).size, files.size)
        for (const [key, file] of files) if (kept.has(key)) assert.is(paths.pathOf(file), kept.get(key))
      },
    ),
    { numRuns: 500 },
  )
})

test.run()
