import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Attempt, renewalAt } from '../../src/decide/renewal.ts'

const test = suite('when a proxy is made anew')

const now = 1_000_000_000_000
const hour = 3_600_000
/** made three hours ago, ends in nine: due in five */
const held = { madeAt: now - 3 * hour, end: now + 9 * hour }
const old = { madeAt: now - 10 * hour, end: now + 2 * hour }

type Row = {
  readonly because: string
  readonly seen: Partial<Parameters<typeof renewalAt>[0]>
  /** ms from now; null = now */
  readonly in: number | null
}

const failed = (again: 'change' | 'network' | 'later', at = now): Attempt => ({ kind: 'failed', at, again })

const rows: readonly Row[] = [
  { because: 'there is none', seen: { held: undefined }, in: null },
  { because: 'two thirds of its time are what counts', seen: {}, in: 5 * hour },
  { because: 'they are over', seen: { held: old }, in: null },
  {
    because: 'a wrong password is shown once',
    seen: { held: undefined, last: failed('change') },
    in: Infinity,
  },
  {
    because: 'it is another now',
    seen: { held: undefined, last: failed('change'), changed: true },
    in: null,
  },
  {
    because: 'a password that changes makes a good proxy no older',
    seen: { last: failed('change'), changed: true },
    in: 5 * hour,
  },
  { because: 'the network failed', seen: { held: undefined, last: failed('network') }, in: 300_000 },
  { because: 'five minutes ago', seen: { held: old, last: failed('network', now - 300_000) }, in: null },
  { because: 'the user came back', seen: { held: old, last: failed('network'), changed: true }, in: null },
  { because: 'no member of the VO', seen: { held: undefined, last: failed('later') }, in: hour },
  {
    because: 'the clock was set back',
    seen: { held: undefined, last: failed('network', now + hour) },
    in: null,
  },
  {
    because: 'what was just made is gone, and the next may go as well',
    seen: { held: undefined, last: { kind: 'done', at: now } },
    in: 15_000,
  },
  {
    because: 'none that lasts longer can be made',
    seen: { held: old, last: { kind: 'same', at: now } },
    in: (2 * hour * 2) / 3,
  },
  {
    because: 'near the end of the certificate it is not asked without a pause',
    seen: { held: { madeAt: now - hour, end: now + 60_000 }, last: { kind: 'same', at: now } },
    in: 300_000,
  },
]

for (const { because, seen, in: wait } of rows)
  test(because, () => {
    const at = renewalAt({ held, last: { kind: 'never' }, changed: false, now, ...seen })
    if (wait === null) assert.is(at <= now, true, String(at))
    else assert.is(Math.round(at - now), wait)
  })

test.run()
