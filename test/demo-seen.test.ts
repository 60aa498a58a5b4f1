import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { news, readSeen } from '../src/demo-seen.ts'
import type { SeedFile } from '../src/practice/grid.ts'

const test = suite('demo seen')

const files: SeedFile[] = ['a.root', 'b.root'].map(name => ({
  scope: 's',
  name,
  bytes: 1000,
  checksums: ['adler32'],
  replicas: {},
}))
const coming = {
  state: 'downloading',
  files: { total: 2, done: 1 },
  bytes: { total: 2000, so_far: 1300 },
  rate: 50,
  eta_seconds: 14,
  message: null,
  unfinished: [
    { path: 'b.root', bytes: 1000, so_far: 300, rate: 50, message: 'It stalled.', source: { rse: 'NORTH' } },
  ],
}

test('a file that is not named any more has come', () => {
  const seen = readSeen(coming, files)
  assert.equal(
    seen.files.map(file => [file.isDone, file.soFar, file.rse, file.trouble]),
    [
      [true, 1000, null, null],
      [false, 300, 'NORTH', 'It stalled.'],
    ],
  )
  assert.equal(
    [seen.state, seen.soFar, seen.total, seen.rate, seen.etaSeconds],
    ['downloading', 1300, 2000, 50, 14],
  )
})

test('before it is listed nothing has come, whatever is not named', () => {
  for (const json of [
    { state: 'listing', files: { total: null, done: 0 }, unfinished: [] },
    {},
    null,
    'x',
    [1],
  ]) {
    const seen = readSeen(json, files)
    assert.equal([seen.soFar, seen.files.filter(file => file.isDone).length], [0, 0])
  }
})

test('news are new states, new troubles, and files that came, each told once', () => {
  const first = readSeen({ state: 'waiting', message: 'No line.' }, files)
  const second = readSeen(coming, files)
  assert.equal(news(undefined, first), ['the dataset is waiting: No line.'])
  assert.equal(news(first, second), [
    'the dataset is downloading',
    'a.root is here (0.0 MB)',
    'b.root: It stalled.',
  ])
  assert.equal(news(second, second), [])
})

test.run()
