import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseReplicas, outMs, replicaKey } from '../../src/decide/replicas.ts'
import type { Strike } from '../../src/words/part.ts'
import { type Pfn, parsePfn } from '../../src/words/pfn.ts'
import type { FileReplicas, Replica } from '../../src/words/replica.ts'
import { toIso } from '../../src/words/world.ts'

const test = suite('replicas')
const now = Date.parse('2026-03-01T10:00:00Z')

function replica(url: string, rse: string, priority: number, more: Partial<Replica> = {}): Replica {
  return { pfn: parsePfn(url) as Pfn, rse, type: 'DISK', priority, clientExtract: false, ...more }
}
const a = replica('davs://a.org/x', 'A', 1)
const b = replica('https://b.org:8443/x', 'B', 2)
const plain = replica('http://c.org/x', 'C', 3)
const tape = replica('davs://t.org/x', 'T', 1, { type: 'TAPE' })

function file(...replicas: Replica[]): FileReplicas {
  return { did: 's:f', bytes: 1, replicas, refused: 0 }
}
function choose(of: FileReplicas, more: Partial<Parameters<typeof chooseReplicas>[0]> = {}): string {
  const seen = { file: of, plainData: true, strikes: [], resting: new Map(), rates: new Map(), now, ...more }
  const choice = chooseReplicas(seen)
  switch (choice.kind) {
    case 'usable':
      return choice.replicas.map(each => each.rse).join(' ')
    case 'resting':
      return `resting ${choice.until - now}`
    case 'none':
      return choice.trouble.reason
  }
}
const strike = (rse: string, count: number, ageMs = 0): Strike => ({ rse, count, at: toIso(now - ageMs) })

test('the catalogue order counts, tape and foreign schemes are left out', () => {
  assert.is(choose(file(plain, b, tape, a, replica('root://r.org//x', 'R', 1))), 'A B C')
})

test('what cannot be asked has its reason', () => {
  assert.is(choose(file()), 'no_replica')
  assert.is(choose({ ...file(), refused: 2 }), 'refused')
  assert.is(choose(file(tape)), 'only_tape')
  assert.is(choose(file(replica('root://r.org//x', 'R', 1), tape)), 'unsupported')
  assert.is(choose(file({ ...a, clientExtract: true })), 'unsupported')
  assert.is(choose(file(plain), { plainData: false }), 'unsupported')
  assert.is(choose(file(plain, b), { plainData: false }), 'B')
})

test('the sentence of an unknown scheme names it', () => {
  const seen = { plainData: true, strikes: [], resting: new Map(), rates: new Map(), now }
  const choice = chooseReplicas({ ...seen, file: file(replica('root://r.org//x', 'R', 1)) })
  assert.match(choice.kind === 'none' ? choice.trouble.detail : '', /root/)
})

test('one storage that offers a file as https and as davs is one replica', () => {
  const twice = replica('https://a.org/x', 'A', 2)
  assert.is(replicaKey(twice), replicaKey(a))
  assert.is(choose(file(a, twice)), 'A')
})

test('a host at rest is not asked, and when all rest the first end is told', () => {
  assert.is(choose(file(a, b), { resting: new Map([['a.org:443', now + 9]]) }), 'B')
  const both = new Map([
    ['a.org:443', now + 9],
    ['b.org:8443', now + 5],
  ])
  assert.is(choose(file(a, b), { resting: both }), 'resting 5')
  assert.is(choose(file(a, b), { resting: new Map([['a.org:443', now]]) }), 'A B')
})

test('a replica that gave wrong bytes is not asked first again, and after three strikes not for an hour', () => {
  assert.is(choose(file(a, b), { strikes: [strike('A', 1)] }), 'B A')
  assert.is(choose(file(a, b), { strikes: [strike('A', 3)] }), 'B')
  assert.is(choose(file(a, b), { strikes: [strike('A', 3, outMs)] }), 'B A')
  assert.is(choose(file(a, b), { strikes: [strike('A', 3), strike('B', 4)] }), 'corrupt')
})

test('a known rate breaks a tie and nothing else', () => {
  const tie = { ...b, priority: 1 }
  const rates = new Map([['b.org:8443', 1e6]])
  assert.is(choose(file(a, tie), { rates }), 'B A')
  assert.is(choose(file(a, b), { rates }), 'A B')
})

test.run()
