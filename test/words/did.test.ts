import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Did, defaultScope, makeDid, parseDid, printDid } from '../../src/words/did.ts'
import { Trouble } from '../../src/words/reason.ts'
import { hostileName } from '../help/hostile.ts'

const test = suite('did')

const takes: [string, Did][] = [
  ['mc16_13TeV:mc16.x', { scope: 'mc16_13TeV', name: 'mc16.x' }],
  ['mc16_13TeV.311309.Py8_p3795', { scope: 'mc16_13TeV', name: 'mc16_13TeV.311309.Py8_p3795' }],
  ['user.jdoe.x.v1', { scope: 'user.jdoe', name: 'user.jdoe.x.v1' }],
  ['group.phys-higgs.x/', { scope: 'group.phys-higgs', name: 'group.phys-higgs.x' }],
  ['cms:/store/mc/x#1', { scope: 'cms', name: '/store/mc/x#1' }],
  ['s:__proto__', { scope: 's', name: '__proto__' }],
  ['s:CON', { scope: 's', name: 'CON' }],
  [`s:${'n'.repeat(250)}`, { scope: 's', name: 'n'.repeat(250) }],
]
for (const [text, did] of takes)
  test(`${text.slice(0, 40)} is taken`, () => assert.equal(parseDid(text), did))

const refuses = [
  '',
  ':',
  's:',
  ':n',
  's:/',
  's://x',
  's:a//b',
  's:a//',
  's:..',
  's:../x',
  's:a/../b',
  's:a/.',
  '/',
  '..',
  '../../etc/passwd',
  '/etc/passwd.x',
  'a:b:c',
  's:a*',
  's:a?',
  's:a b',
  's:a\0b',
  's:a\n',
  's:é',
  's:e\u0301',
  's:\u202ex',
  's/t:n',
  's\\t:n',
  '..:n',
  'user:x:y',
  'user',
  'user..x',
  '.x',
  `${'s'.repeat(26)}:n`,
  `s:${'n'.repeat(251)}`,
  'x'.repeat(10240),
]
for (const text of refuses)
  test(`${JSON.stringify(text.slice(0, 40))} is refused, and the reason says so`, () => {
    const trouble = parseDid(text)
    assert.instance(trouble, Trouble)
    assert.is(trouble instanceof Trouble && trouble.reason, 'refused')
    assert.ok(trouble instanceof Trouble && trouble.detail.length < 300)
  })

test('a bare name has the scope that the official client gives it', () => {
  assert.is(defaultScope('user.jdoe.x'), 'user.jdoe')
  assert.is(defaultScope('username.x.y'), 'username.x')
  assert.is(defaultScope('groupware.x.y'), 'groupware.x')
  assert.is(defaultScope('data18.x'), 'data18')
  assert.is(defaultScope('data18'), 'data18')
  assert.is(defaultScope('user.'), undefined)
  assert.is(defaultScope(''), undefined)
})

test('scope and name that come apart pass the same gate', () => {
  assert.equal(makeDid('s', 'x/'), { scope: 's', name: 'x' })
  for (const [scope, name] of [
    ['s', 't:x'],
    ['s:t', 'x'],
    ['s', ''],
    ['', 'x'],
    ['s', 'x/../y'],
  ] as const)
    assert.instance(makeDid(scope, name), Trouble)
})

test('any text is a DID that prints to a text that parses to itself, or a Trouble', () => {
  let taken = 0
  fc.assert(
    fc.property(hostileName, text => {
      const did = parseDid(text)
      if (did instanceof Trouble) return
      taken++
      assert.equal(parseDid(printDid(did)), did)
      assert.equal(makeDid(did.scope, did.name), did)
    }),
    { numRuns: 10000 },
  )
  assert.ok(taken > 1000, `only ${taken} of the names were good ones`)
})

test.run()
