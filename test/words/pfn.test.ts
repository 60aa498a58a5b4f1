import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hostPort, type Pfn, parsePfn, showPfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'

const test = suite('pfn')

test('a PFN is taken apart without changing its path', () => {
  assert.equal(parsePfn('davs://SE.Example.org//rucio/s/76/7d//user%5Fx.root?authz=t'), {
    scheme: 'davs',
    host: 'se.example.org',
    port: 443,
    path: '//rucio/s/76/7d//user%5Fx.root',
    query: '?authz=t',
  })
  assert.equal(parsePfn('root://localhost:10940//rucio/x'), {
    scheme: 'root',
    host: 'localhost',
    port: 10940,
    path: '//rucio/x',
    query: '',
  })
})

test('a path that climbs is refused, in every spelling that a server may decode', () => {
  for (const path of [
    '/a/../b',
    '/..',
    '/a/./b',
    '/a/%2e%2E/b',
    '/a%2f..%2Fb',
    '/a/..%5cb',
    '/a\\..\\b',
    '/a/.%2e',
  ])
    assert.instance(parsePfn(`https://h.example${path}`), Trouble, path)
})

test('a user name in the address behind a cache is refused too, and an @ elsewhere is a letter', () => {
  for (const path of ['//root://u:canary@b//f', '/roots://u@b:1094//f', '//root://b//xroot://u@c//f'])
    assert.instance(parsePfn(`root://a${path}`), Trouble, path)
  for (const path of ['//root://b//f@x', '//store/a@b//c:d@e'])
    assert.not.instance(parsePfn(`root://a${path}`), Trouble, path)
})

test('user names, broken ports, missing hosts, fragments and control characters are refused', () => {
  for (const text of [
    'https://me@h.example/x',
    'https://h.example:99999/x',
    'https://h.example:/x',
    'https:///x',
    'https://h.example/x#y',
    'https://h.example/x\ny',
    'https://h.example/x y',
    'https://h\u0430.example/x',
    `https://h.example/${'x'.repeat(5000)}`,
    '//h.example/x',
    '-x',
    '',
  ])
    assert.instance(parsePfn(text), Trouble, text)
})

test('a scheme that names a property of every object has no default port', () => {
  const pfn = parsePfn('constructor://h.example/x')
  assert.is(pfn instanceof Trouble ? undefined : pfn.port, 0)
})

test('what is shown has no query, and an IPv6 address keeps its brackets', () => {
  const pfn = parsePfn('https://[::1]:8443/x?token=secret')
  if (pfn instanceof Trouble) throw pfn
  assert.is(showPfn(pfn), 'https://[::1]:8443/x')
  assert.is(hostPort(pfn), '[::1]:8443')
})

test('any text is a PFN that does not climb, or a Trouble', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom('https://', 'h.org', '..', '/', '%2e', '%2F', '\\', '@', ':', '?', '[', ']', '9'),
      )
      .map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(text, text => {
      const pfn = parsePfn(text)
      if (pfn instanceof Trouble) return
      assert.type(pfn.port, 'number')
      assert.ok(pfn.path.startsWith('/'))
      assert.not(
        new URL(`http://x${pfn.path.replace(/%(?![0-9a-f]{2})/gi, '%25')}`).pathname.length < pfn.path.length,
      )
    }),
    { numRuns: 2000 },
  )
})

test('an address that carries a second one, through a cache, is taken as it is', () => {
  const pfn = parsePfn('root://cache.org:1094//root://origin.org:1095//rucio/x.root') as Pfn
  assert.equal([pfn.host, pfn.port, pfn.path], ['cache.org', 1094, '//root://origin.org:1095//rucio/x.root'])
  assert.ok(parsePfn('root://cache.org//root://origin.org//../x') instanceof Trouble)
})

test.run()
