import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Trouble } from '../../src/words/reason.ts'
import { lacking, parseVoms, printWish } from '../../src/words/voms.ts'

const test = suite('GRID_VOMS')

test('a VO, with group and role, and several of them', () => {
  const wishes = parseVoms(' atlas, cms:/cms/Role=pilot\nb.eu:all ')
  assert.equal(wishes instanceof Trouble ? wishes : wishes.map(printWish), [
    'atlas',
    'cms:/cms/Role=pilot',
    'b.eu:all',
  ])
  assert.equal(parseVoms(''), [])
})

test('what could pass for an option or for a path is refused', () => {
  for (const text of ['-debug', 'atlas:-x', '../x', 'a/b', 'atlas:', 'at$las', 'x:y;z', 'x'.repeat(300)])
    assert.instance(parseVoms(text), Trouble, text)
})

const held = {
  vos: ['testvo'],
  fqans: ['/testvo/Role=production/Capability=NULL', '/testvo/de/Role=NULL/Capability=NULL'],
}

test('what a proxy lacks of it is found by VO, group and role', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['testvo', undefined],
    ['testvo:/testvo/Role=production', undefined],
    ['testvo:/Role=production', undefined],
    ['testvo:/testvo/de', undefined],
    ['testvo:all', undefined],
    ['testvo:/testvo/Role=VO-Admin', 'testvo:/testvo/Role=VO-Admin'],
    ['testvo other', 'other'],
  ]
  for (const [text, lacks] of cases) {
    const wishes = parseVoms(text)
    if (wishes instanceof Trouble) throw wishes
    const found = lacking(wishes, held)
    assert.is(found === undefined ? undefined : printWish(found), lacks, text)
  }
  assert.is(lacking([], undefined), undefined)
  assert.is(lacking([{ vo: 'testvo', command: undefined }], undefined)?.vo, 'testvo')
})

test.run()
