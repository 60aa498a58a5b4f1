import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { emptyBits } from '../../src/words/bits.ts'
import { emptyTexts } from '../../src/words/texts.ts'

const test = suite('texts and bits')

test('texts are what a Map of texts to numbers is, in the order in which they came', () => {
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 4 })
  fc.assert(
    fc.property(fc.integer(), fc.array(text), fc.array(text), (seed, added, others) => {
      const texts = emptyTexts(seed)
      const model = new Map<string, number>()
      for (const each of added) {
        const number = model.get(each) ?? model.size
        model.set(each, number)
        assert.is(texts.add(each), number)
      }
      assert.is(texts.size, model.size)
      for (const each of [...added, ...others]) assert.is(texts.find(each), model.get(each) ?? -1)
      for (const [each, number] of model) assert.is(texts.at(number), each)
    }),
  )
})

test('10,000 long names that differ in their last letters are told apart', () => {
  const texts = emptyTexts(7)
  const name = (i: number): string => `mc20_13TeV:${'DAOD_PHYS.34000000.'.repeat(8)}_${i}.pool.root.1`
  for (let i = 0; i < 10_000; i++) assert.is(texts.add(name(i)), i)
  for (let i = 0; i < 10_000; i += 7) assert.is(texts.find(name(i)), i)
  assert.is(texts.find(name(10_000)), -1)
  assert.is(texts.at(9_999), name(9_999))
})

test('a text of other letters is refused, and nothing of it stays', () => {
  const texts = emptyTexts(0)
  texts.add('a')
  assert.throws(() => texts.add('aä'), /not ASCII/)
  assert.is(texts.size, 1)
  assert.is(texts.find('aä'), -1)
  assert.is(texts.add('ab'), 1)
  assert.is(texts.at(1), 'ab')
})

test('bits are what a Set of numbers is', () => {
  const step = fc.record({ number: fc.nat({ max: 5000 }), isSet: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), steps => {
      const bits = emptyBits()
      const model = new Set<number>()
      for (const { number, isSet } of steps) {
        if (isSet) bits.set(number)
        else bits.clear(number)
        if (isSet) model.add(number)
        else model.delete(number)
        assert.is(bits.has(number), isSet)
        assert.is(bits.count, model.size)
      }
      for (let i = 0; i < 5100; i += 13) assert.is(bits.has(i), model.has(i))
    }),
  )
})

test.run()
