import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseReplicas, type Engine, engineOf, outMs, replicaKey } from '../../src/decide/replicas.ts'
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
const xrootd = replica('root://r.org//x', 'R', 1)
const posix = replica('file://localhost:0/x', 'P', 1)
const tape = replica('davs://t.org/x', 'T', 1, { type: 'TAPE' })

function file(...replicas: Replica[]): FileReplicas {
  return { did: 's:f', bytes: 1, replicas, refused: 0 }
}
type Seen = Parameters<typeof chooseReplicas>[0]
/** With our own engine alone, unless told otherwise. */
const plainly: Omit<Seen, 'file'> = {
  plainData: true,
  by: 'auto',
  missing: new Map<Engine, string>([
    ['xrdcp', 'xrdcp is wanting'],
    ['rucio', 'rucio is wanting'],
  ]),
  strikes: [],
  resting: new Map(),
  rates: new Map(),
  now,
}
const all = { missing: new Map<Engine, string>() }

function choose(of: FileReplicas, more: Partial<Seen> = {}): string {
  const choice = chooseReplicas({ ...plainly, file: of, ...more })
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
  assert.is(choose(file(plain, b, tape, a, xrootd)), 'A B C')
})

test('what cannot be asked has its reason', () => {
  assert.is(choose(file()), 'no_replica')
  assert.is(choose({ ...file(), refused: 2 }), 'refused')
  assert.is(choose(file(tape)), 'only_tape')
  assert.is(choose(file(xrootd, tape)), 'unsupported')
  assert.is(choose(file({ ...a, clientExtract: true })), 'unsupported')
  assert.is(choose(file(plain), { plainData: false }), 'unsupported')
  assert.is(choose(file(plain, b), { plainData: false }), 'B')
})

test('without plain data only those are asked of whom an engine can promise that all is encrypted', () => {
  const zip = replica('http://z.org/a.zip?xrdcl.unzip=m', 'Z', 1, { clientExtract: true })
  const encrypted = { ...all, plainData: false }
  assert.is(choose(file(plain, posix, xrootd, a, zip), encrypted), 'A R P')
  for (const url of ['srm://h/x', 'gsiftp://h/x', 'dav://h/x'])
    assert.is(choose(file(replica(url, 'X', 1)), encrypted), 'unsupported', url)
  // The official client chooses by itself how it talks, and follows redirects to wherever they lead.
  assert.is(choose(file(a, xrootd, posix), { ...encrypted, by: 'rucio' }), 'P')
  assert.is(choose(file(a), { ...encrypted, by: 'rucio' }), 'unsupported')
})

test('the sentence of what nothing here fetches names the schemes and what to install', () => {
  const detail = (of: FileReplicas, more: Partial<Seen> = {}): string => {
    const choice = chooseReplicas({ ...plainly, file: of, ...more })
    return choice.kind === 'none' ? choice.trouble.detail : ''
  }
  assert.is(detail(file(xrootd)), 's:f is offered as root only, and xrdcp is wanting')
  assert.is(detail(file(posix, xrootd)), 's:f is offered as file, root only, and xrdcp is wanting')
  assert.is(detail(file(posix)), 's:f is offered as file only, and rucio is wanting')
  assert.is(detail(file(a), { by: 'rucio' }), 's:f is offered as davs only, and rucio is wanting')
})

test('each replica has its engine', () => {
  const of = (url: string, by: 'auto' | 'rucio' = 'auto') => engineOf(replica(url, 'R', 1), by)
  for (const url of ['https://h/x', 'davs://h/x', 'http://h/x']) assert.is(of(url), 'https')
  for (const url of ['root://h//x', 'roots://h//x', 'root://c//root://h//x']) assert.is(of(url), 'xrdcp')
  for (const url of ['file://localhost:0/x', 'srm://h/x', 'gsiftp://h/x']) assert.is(of(url), 'rucio')
  assert.is(of('https://h/x', 'rucio'), 'rucio')
})

test('https comes before XRootD whatever the catalogue says, and the official client last', () => {
  assert.is(choose(file(posix, xrootd, a, b), all), 'A B R P')
  assert.is(choose(file(posix, xrootd), all), 'R P')
  assert.is(choose(file(posix, xrootd, a), { ...all, strikes: [strike('A', 1)] }), 'R A P')
  assert.is(choose(file(posix, a), { ...all, strikes: [strike('A', 2)] }), 'A P')
  assert.is(choose(file(posix, a), { ...all, resting: new Map([['a.org:443', now + 9]]) }), 'P')
})

test('a member of an archive is read by xrdcp, out of a zip over https, and of another archive by the official client', () => {
  const member = (url: string, rse: string, priority: number) =>
    replica(url, rse, priority, { clientExtract: true })
  const zip = member('davs://a.org/a.zip?xrdcl.unzip=m', 'Z', 1)
  const tar = member('https://a.org/a.tar.gz?xrdcl.unzip=m', 'T', 1)
  const root = member('root://r.org//a.zip', 'R', 3)
  const engines = [
    zip,
    tar,
    root,
    member('https://a.org/A.ZIP.2', 'Z', 1),
    member('srm://a.org/a.zip', 'S', 1),
  ]
  assert.equal(
    engines.map(each => engineOf(each, 'auto')),
    ['archive', 'rucio', 'xrdcp', 'archive', 'rucio'],
  )
  assert.is(choose(file(tar, zip, root, b), all), 'B R Z T')
  assert.is(choose(file(tar, zip)), 'Z')
  assert.is(choose(file(tar)), 'unsupported')
  assert.is(choose(file(zip), { by: 'rucio', ...all }), 'Z')
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
