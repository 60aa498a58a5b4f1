import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Trouble } from '../../src/words/reason.ts'
import { parseRequest, plainRequest } from '../../src/words/request.ts'

const test = suite('request')

test('an empty file will do, and keys that are not known do no harm', () => {
  for (const text of ['', ' \n', '{}', '{"note":"mine","format":1}', '{"__proto__":{"remove":true}}'])
    assert.equal(parseRequest(text), plainRequest, text)
})

test('what its user says is read', () => {
  const destination = { rse: 'SITE_DISK', mount: '/mnt/site' }
  const all = {
    did: 's:x',
    priority: -2.5,
    paused: true,
    remove: true,
    repair: true,
    destination,
    created: 'x',
  }
  assert.equal(parseRequest(JSON.stringify(all)), all)
  // On this disk, whatever config.json says: another thing than saying nothing.
  assert.equal(parseRequest('{"destination":null}'), { ...plainRequest, destination: null })
  const long = { rse: 'SITE', lifetime_days: 7 }
  assert.equal(parseRequest(JSON.stringify({ destination: long })), { ...plainRequest, destination: long })
})

const wrong = [
  'x',
  '{"priority":1',
  '[]',
  'null',
  '{"format":2}',
  '{"did":7}',
  '{"did":null}',
  '{"priority":"1"}',
  '{"priority":1e999}',
  '{"paused":"no"}',
  '{"remove":1}',
  '{"repair":null}',
  '{"destination":"SITE"}',
  '{"destination":{"mount":"/mnt"}}',
  '{"destination":{"rse":"*","mount":"/mnt"}}',
  '{"destination":{"rse":"A|B","mount":"/mnt"}}',
  '{"destination":{"rse":"SITE","mount":null}}',
  '{"destination":{"rse":"SITE","lifetime_days":0}}',
  '{"destination":{"rse":"SITE","lifetime_days":"30"}}',
  '{"destination":{"rse":"","mount":"/mnt"}}',
  '{"destination":{"rse":"A\\nB","mount":"/mnt"}}',
  '{"destination":{"rse":"SITE","mount":"mnt"}}',
  '{"destination":{"rse":"SITE","mount":"/mnt/../etc"}}',
  '{"destination":{"rse":"SITE","mount":"/mnt\\u0000"}}',
]
for (const text of wrong)
  test(`${text} is told to its user, never taken for a wish or a removal`, () => {
    const trouble = parseRequest(text)
    assert.is(trouble instanceof Trouble && trouble.reason, 'refused')
  })

test('any JSON is a request or a Trouble, and removes only where it says so', () => {
  fc.assert(
    fc.property(fc.json(), text => {
      const request = parseRequest(text)
      if (!(request instanceof Trouble)) assert.ok(!request.remove || text.includes('"remove"'))
    }),
    { numRuns: 1000 },
  )
})

test.run()
