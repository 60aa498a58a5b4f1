import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openScreen, rowsOf } from '../src/demo-screen.ts'
import { readSeen, type Seen } from '../src/demo-seen.ts'
import type { SeedFile } from '../src/practice/grid.ts'

const test = suite('demo screen')

const files: SeedFile[] = ['DAOD_PHYS.34857549._000001.pool.root.1', 'zero.root'].map((name, i) => ({
  scope: 's',
  name,
  bytes: i === 0 ? 20_000_000 : 0,
  checksums: ['adler32'],
  replicas: {},
}))
function seenAt(soFar: number): Seen {
  const unfinished = [
    {
      path: files[0]?.name,
      so_far: soFar,
      rate: 2_000_000,
      source: { rse: 'NORTH_DATADISK' },
      message: null,
    },
  ]
  return readSeen({ state: 'downloading', files: { total: 2, done: 1 }, unfinished }, files)
}

test('a row shows share, size and source, and fits', () => {
  const [first, zero, empty, summary] = rowsOf(seenAt(10_000_000), 79)
  assert.is(first, '…49._000001.pool.root.1 ████████░░░░░░░░  50%  20.0 MB  2.0 MB/s NORTH_DATADISK')
  assert.match(zero ?? '', /^zero\.root +█{16} 100% +0\.0 MB {2}verified$/)
  assert.is(empty, '')
  assert.is(summary, 'downloading: 1 of 2 files, 10.0 MB of 20.0 MB')
  assert.ok(rowsOf(seenAt(1), 30).every(row => row.length <= 30))
})

test('on a terminal each picture takes the place of the last, and lines stay above it', () => {
  const written: string[] = []
  const screen = openScreen(
    { isTTY: true, columns: 80, rows: 40, write: text => written.push(text) },
    () => 0,
  )
  screen.say('hello')
  screen.show(seenAt(1))
  screen.show(seenAt(2))
  screen.say('a line')
  screen.settle()
  screen.say('below')
  const ups = written.filter(text => text === '\x1b[4A\x1b[J').length
  assert.is(ups, 2, 'one for the second picture, one for the line')
  assert.equal([written[0], written.at(-1)], ['hello\n', 'below\n'])
  assert.ok(written.indexOf('a line\n') < written.length - 2, 'the picture was drawn again below the line')
})

test('elsewhere, and on a small terminal, only what has changed is written', () => {
  for (const output of [{}, { isTTY: true, columns: 80, rows: 4 }]) {
    const written: string[] = []
    let now = 0
    const screen = openScreen({ ...output, write: text => written.push(text) }, () => now)
    screen.show(seenAt(1))
    screen.show(seenAt(2))
    assert.equal(written, ['the dataset is downloading\n', 'zero.root is here (0.0 MB)\n'])
    now = 2000
    screen.show(seenAt(5_000_000))
    now = 9000
    screen.show(seenAt(5_000_000))
    assert.equal(written.slice(2), ['downloading: 1 of 2 files, 5.0 MB of 20.0 MB\n'])
    assert.ok(!written.join('').includes('\x1b'))
  }
})

test.run()
