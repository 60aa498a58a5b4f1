import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  answerName,
  answers,
  readWatchName,
  readWatchText,
  stemOf,
  withoutRefusals,
  withRefusals,
  worst,
} from '../../src/wishes/watchfile.ts'
import { printDid } from '../../src/words/did.ts'
import { hostileName } from '../help/hostile.ts'

const test = suite('watchfile')

test('temporary and hidden files are left alone, suffixes are answers, the rest are wishes', () => {
  for (const file of [
    '.x',
    'a~',
    'a.tmp',
    'a.part',
    'a.swp',
    'Thumbs.db',
    'desktop.ini',
    'a.refused.problem',
  ])
    assert.is(readWatchName(file).kind, 'ignored', file)
  assert.equal(readWatchName('mc16.x'), { kind: 'wish', base: 'mc16.x' })
  assert.equal(readWatchName('mc16.x.txt'), { kind: 'wish', base: 'mc16.x' })
  assert.equal(readWatchName('list.TXT'), { kind: 'wish', base: 'list' })
  assert.equal(readWatchName('mc16.x.local'), { kind: 'answer', base: 'mc16.x', answer: 'local' })
  assert.is(readWatchName('local').kind, 'wish')
})

test('lines are DIDs, comments and doubles do not count, and a # within a name is no comment', () => {
  const text = readWatchText('base', '# all of it\nmc16.x # mine\n\n  other:y\t#z\nmc16:mc16.x\nmc16.a#b\n')
  assert.equal(text.dids.map(printDid), ['mc16:mc16.x', 'other:y', 'mc16:mc16.a#b'])
  assert.equal(text.bad, [])
  assert.not(text.byName)
})

test('a file of comments only asks by its name, as NAME or as scope:name', () => {
  for (const base of ['other=3Amc16.x', 'other:mc16.x'])
    assert.equal(readWatchText(base, '# nothing\n').dids.map(printDid), ['other:mc16.x'])
  const bad = readWatchText('no scope', '')
  assert.is(bad.dids.length, 0)
  assert.is(bad.bad[0]?.what, 'no scope')
})

test('refusals come and go as comments, and what their user wrote stays', () => {
  fc.assert(
    fc.property(fc.array(hostileName, { maxLength: 4 }), fc.boolean(), (lines, ends) => {
      const text = lines.map(line => `x${line.replace(/\n/g, '')}`).join('\n') + (ends ? '\n' : '')
      const marked = withRefusals(text, [{ what: 'a\nb', message: 'it is\nbad' }])
      assert.is(withoutRefusals(marked).trimEnd(), text.trimEnd())
      assert.is(marked.split('\n').filter(line => line.startsWith('# refused: ')).length, 1)
    }),
  )
})

test('whatever the name, the name of its answer fits on a disk, is an answer, and keeps its stem', () => {
  fc.assert(
    fc.property(fc.oneof(hostileName, fc.string({ unit: 'grapheme', maxLength: 255 })), name => {
      const stem = stemOf(`n${name}`)
      for (const answer of answers)
        for (const nth of [1, 2, 99]) {
          const file = answerName(stem, nth, answer)
          assert.ok(Buffer.byteLength(file) <= 255)
          const kind = readWatchName(file)
          assert.ok(kind.kind === 'answer' && kind.answer === answer && stemOf(kind.base) === stemOf(stem))
        }
    }),
    { numRuns: 300 },
  )
})

test('the worst of several answers counts', () => {
  assert.is(worst(['local', 'downloading']), 'downloading')
  assert.is(worst(['local', 'does_not_exist', 'downloading']), 'does_not_exist')
  assert.is(worst(['local']), 'local')
})

test.run()
