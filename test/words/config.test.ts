import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultConfig, parseConfig } from '../../src/words/config.ts'
import { Trouble } from '../../src/words/reason.ts'

const test = suite('config')

test('an empty file is all defaults, a key alone changes that key alone', () => {
  for (const text of ['', '\n', '{}', '{"format":1,"mine":[]}'])
    assert.equal(parseConfig(text), defaultConfig)
  assert.equal(parseConfig('{"files_at_once":1}'), { ...defaultConfig, files_at_once: 1 })
  assert.equal(parseConfig('{"reserve_bytes":0,"plain_data":false}'), {
    ...defaultConfig,
    reserve_bytes: 0,
    plain_data: false,
  })
  assert.equal(parseConfig('{"engine":"rucio"}'), { ...defaultConfig, engine: 'rucio' })
})

test('a destination for all is read, and null is none', () => {
  const destination = { rse: 'SITE', mount: '/storage/rucio' }
  assert.equal(parseConfig(JSON.stringify({ destination })), { ...defaultConfig, destination })
  assert.equal(parseConfig('{"destination":null}'), defaultConfig)
})

for (const text of [
  '{',
  '[]',
  '4',
  '{"format":2}',
  '{"files_at_once":0}',
  '{"files_at_once":65}',
  '{"files_at_once":"4"}',
  '{"files_at_once":1.5}',
  '{"datasets_at_once":null}',
  '{"reserve_bytes":-1}',
  '{"connections_per_file":1e999}',
  '{"plain_data":"yes"}',
  '{"engine":"xrdcp"}',
  '{"destination":"SITE"}',
  '{"destination":{"mount":"/x"}}',
])
  test(`${text} is told to its user`, () => {
    const trouble = parseConfig(text)
    assert.is(trouble instanceof Trouble && trouble.reason, 'refused')
    const key = /"(\w+)":/.exec(text)?.[1]
    if (key !== undefined && trouble instanceof Trouble) assert.ok(trouble.detail.includes(key))
  })

test.run()
