// What another credential sets free, of a daemon that is nothing but its records.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Daemon } from '../../src/loop/daemon.ts'
import { retryRefused } from '../../src/loop/newCredential.ts'
import { openCatalogueRest } from '../../src/loop/rest.ts'
import { type Reason, reasons } from '../../src/words/reason.ts'

const test = suite('another credential')
const now = Date.parse('2026-11-24T12:00:00Z')

test('what was refused is tried at once, what failed for other reasons waits on', () => {
  let forgotten = 0
  const later = reasons.map(reason => ({ failure: { reason }, busy: false, nextTryAt: now + 60_000 }))
  const listFailures = new Map<string, { reason: Reason; nextTryAt: number }>(
    reasons.map(reason => [reason, { reason, nextTryAt: now + 60_000 }]),
  )
  const busy = { failure: { reason: 'auth' }, busy: true, nextTryAt: now + 60_000 }
  const daemon = {
    transfer: { forgetRefusals: () => (forgotten += 1) },
    catalogue: openCatalogueRest({ now: () => now, chance: () => 0.5 }),
    listFailures,
    works: new Map([['ds', { later: [...later, busy] }]]),
  } as unknown as Daemon
  retryRefused(daemon)
  assert.is(forgotten, 1)
  const free = later.filter(each => each.nextTryAt === 0).map(each => each.failure.reason)
  // A storage that does not let it read may want a group or role that the new one names.
  assert.equal(free, ['auth', 'refused'])
  assert.is(busy.nextTryAt, now + 60_000)
  assert.equal(
    [...listFailures].filter(([, each]) => each.nextTryAt === 0).map(([name]) => name),
    ['auth'],
  )
})

test.run()
