import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Pair } from '../../src/credential/certificate.ts'
import { warningsOf, withClock } from '../../src/credential/grid-cert.ts'
import { unknownCert } from '../../src/words/status.ts'

const test = suite('what is said of a credential')
const day = 86_400_000
const end = Date.parse('2026-12-24T12:00:00Z')
const pair = { identity: '/CN=Jane Doe', certificateEnd: end } as Pair

test('a certificate is warned of from 30 days before its end, and not after it', () => {
  assert.equal(warningsOf(pair, end - 30 * day - 1), [])
  assert.match(warningsOf(pair, end - 30 * day)[0] ?? '', /ends 2026-12-24T12:00:00\.000Z, in 30 days: get a/)
  assert.match(warningsOf(pair, end - 1.5 * day)[0] ?? '', /in 1 day:/)
  assert.match(warningsOf(pair, end - 1)[0] ?? '', /in less than a day:/)
  assert.equal(warningsOf(pair, end), [])
  assert.equal(warningsOf(undefined, end), [])
})

test('a wrong clock stands beside what is wrong; where all is well it is a warning', () => {
  const behind = { host: 'rucio', apartMs: -7_200_000 }
  const bad = { ...unknownCert, is_good: false, error: 'the proxy ended: renew it' }
  assert.match(
    withClock(bad, behind).error ?? '',
    /^the proxy ended: renew it; the clock of .* 7200 s behind/,
  )
  assert.equal(withClock(bad, undefined), bad)
  const well = withClock(unknownCert, behind)
  assert.equal([well.is_good, well.error], [true, null])
  assert.match(well.warnings?.join() ?? '', /^the clock of this machine is 7200 s behind that of rucio/)
  assert.equal(withClock(unknownCert, { host: 'rucio', apartMs: 1000 }), unknownCert)
})

test.run()
