import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apartFrom, clockNote, type ServerDate, withClockNote } from '../../src/words/clock.ts'

const test = suite('clock')
const start = Date.parse('2026-11-24T12:00:00Z')
const hour = 3_600_000

/** A server says `start`, and our clock shows `offMs` more. */
const seen = (offMs: number): ServerDate => ({
  host: 'rucio.example.org',
  theirs: start,
  wall: start + offMs,
  steady: 1000,
})
const later = (date: ServerDate, ms: number, jumped = 0) => ({
  wall: date.wall + ms + jumped,
  steady: date.steady + ms,
})

for (const [because, date, passedMs, jumpedMs, apartMs] of [
  ['they agree', seen(0), 0, 0, 0],
  ['ours is two hours behind', seen(-2 * hour), 60_000, 0, -2 * hour],
  ['ours is a minute ahead', seen(60_000), 59 * 60_000, 0, 60_000],
  ['the answer is old', seen(-2 * hour), hour + 1, 0, undefined],
  ['the machine has slept, or its clock was set', seen(-2 * hour), 1000, 2 * hour, undefined],
  ['the clock was set back', seen(0), 1000, -10_000, undefined],
  ['it drifts as clocks do', seen(-2 * hour), 30 * 60_000, 900, -2 * hour],
  ['nobody has answered', undefined, 0, 0, undefined],
] as const)
  test(`how far they are apart when ${because}`, () => {
    const apart = apartFrom(date, later(date ?? seen(0), passedMs, jumpedMs))
    assert.is(apart?.apartMs, apartMs)
  })

test('less than a minute is no cause, more says by how much and what to do', () => {
  const at = (apartMs: number) => clockNote({ host: 'h', apartMs })
  assert.equal([at(0), at(59_999), at(-59_999), clockNote(undefined)], Array(4).fill(undefined))
  assert.is(
    at(-7_200_400),
    'the clock of this machine is 7200 s behind that of h: set it right first (timedatectl set-ntp true)',
  )
  assert.match(at(60_000) ?? '', /is 60 s ahead of that of h: set it right/)
})

test('a sentence gets it once', () => {
  const apart = { host: 'h', apartMs: -2 * hour }
  const once = withClockNote('h does not take our certificate', apart)
  assert.match(once, /^h does not take our certificate; the clock of this machine is 7200 s behind/)
  assert.is(withClockNote(once, apart), once)
  assert.is(withClockNote('x', undefined), 'x')
})

test.run()
