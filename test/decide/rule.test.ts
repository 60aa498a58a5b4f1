import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type RuleSeen, retryAt, ruleTimes, ruleTurn, type Sight } from '../../src/decide/rule.ts'
import { freshRule, type RuleRecord, type RuleStep } from '../../src/words/rule.ts'
import { toIso } from '../../src/words/world.ts'

const test = suite('the policy of rules')

const now = 1_800_000_000_000
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const wanted = { rse: 'SITE', mount: '/storage', lifetimeDays: 30 }
const id = 'a'.repeat(32)

/** A rule that was looked at a moment ago. */
function rule(parts: Partial<RuleRecord> = {}): RuleRecord {
  return {
    ...freshRule('s:a', wanted),
    account: 'jdoe',
    id,
    ours: true,
    state: 'REPLICATING',
    locks: { ok: 1, replicating: 2, stuck: 0 },
    expires_at: toIso(now + 29 * day),
    renewed_at: toIso(now - day),
    looked_at: toIso(now - 1000),
    changed_at: toIso(now - 1000),
    ...parts,
  }
}

const ok = (parts: Partial<RuleRecord> = {}) => rule({ state: 'OK', ...parts })

function seen(record: RuleRecord | undefined, parts: Partial<RuleSeen> = {}): RuleSeen {
  return { wanted, record, placed: false, sight: undefined, times: ruleTimes, ...parts }
}

function sight(parts: Partial<Sight> = {}): Sight {
  return { at: now - 1000, since: now - 1000, seen: 3, total: 3, failure: undefined, ...parts }
}

const unseen = { reason: 'no_replica', message: 'It is not there.' } as const
const failure = { reason: 'disk_full', message: 'The quota does not suffice.', at: toIso(now) } as const

const rows: {
  because: string
  seen: RuleSeen
  does: RuleStep | undefined
  waits?: string
  says?: RegExp
  wakeAt?: number
}[] = [
  { because: 'what has no rule gets one', seen: seen(undefined), does: 'make' },
  {
    because: 'what may have been made by a process that was killed is made again: Rucio refuses a second',
    seen: seen(rule({ id: null, state: null })),
    does: 'make',
  },
  {
    because: 'what was refused waits for its time, and says why',
    seen: seen(
      rule({ id: null, state: null, failed_step: 'make', tries: 1, next_try: toIso(now + minute), failure }),
    ),
    does: undefined,
    waits: 'disk_full',
    says: /^The quota/,
    wakeAt: now + minute,
  },
  {
    because: 'a next try that another clock wrote counts as now',
    seen: seen(rule({ id: null, failed_step: 'make', next_try: toIso(now + 10 * day), tries: 3, failure })),
    does: 'make',
    waits: 'disk_full',
  },
  {
    because: 'a rule that was just made is looked at again after half a minute',
    seen: seen(rule()),
    does: undefined,
    wakeAt: now - 1000 + 30_000,
  },
  {
    because: 'one that has not changed for an hour is looked at after a quarter of that',
    seen: seen(rule({ looked_at: toIso(now), changed_at: toIso(now - 40 * minute) })),
    does: undefined,
    wakeAt: now + 10 * minute,
  },
  {
    because: 'and one that has not changed for days every 15 minutes',
    seen: seen(rule({ looked_at: toIso(now - 15 * minute), changed_at: toIso(now - 3 * day) })),
    does: 'look',
  },
  {
    because: 'a look that lies in the future was made under another clock',
    seen: seen(rule({ looked_at: toIso(now + hour) })),
    does: 'look',
  },
  {
    because: 'a look that failed waits for its time, whatever is due',
    seen: seen(
      rule({
        looked_at: toIso(now - day),
        failed_step: 'look',
        next_try: toIso(now + 5000),
        tries: 1,
        failure,
      }),
    ),
    does: undefined,
    waits: 'disk_full',
    wakeAt: now + 5000,
  },
  {
    because: 'a rule in which half of the files are stuck says how many, and what Rucio says',
    seen: seen(
      rule({ state: 'STUCK', locks: { ok: 2, replicating: 1, stuck: 3 }, error: 'MISMATCH_CHECKSUM: no.' }),
    ),
    does: undefined,
    waits: 'stalled',
    says: /^Rule a+ at SITE is stuck: 3 of 6 files could not be moved\. Rucio says: MISMATCH_CHECKSUM: no\. Rucio tries/,
  },
  {
    because: 'a stuck rule without an error says at least that',
    seen: seen(rule({ state: 'STUCK', locks: { ok: 0, replicating: 0, stuck: 1 } })),
    does: undefined,
    waits: 'stalled',
    says: /could not be moved\. Rucio tries/,
  },
  {
    because: 'a suspended rule is a matter for the site',
    seen: seen(rule({ state: 'SUSPENDED' })),
    does: undefined,
    waits: 'refused',
    says: /suspended/,
  },
  {
    because: 'one that waits for approval says whose',
    seen: seen(rule({ state: 'WAITING_APPROVAL' })),
    does: undefined,
    waits: 'stalled',
    says: /approval of those who run SITE/,
  },
  {
    because: 'one that Rucio works out first just waits',
    seen: seen(rule({ state: 'INJECT' })),
    does: undefined,
  },
  {
    because: 'once it is OK it is asked where its files lie',
    seen: seen(ok()),
    does: 'place',
  },
  {
    because: 'without a mount nothing can be seen, and that is said',
    seen: seen(ok(), { wanted: { ...wanted, mount: null } }),
    does: undefined,
    waits: 'unsupported',
    says: /nobody has said where that storage is mounted/,
  },
  { because: 'then they are looked for under the mount', seen: seen(ok(), { placed: true }), does: 'see' },
  {
    because: 'what is all there is looked at again in six hours',
    seen: seen(ok(), { placed: true, sight: sight() }),
    does: undefined,
    wakeAt: now - 1000 + 6 * hour,
  },
  {
    because: 'what is not there says why, and is looked for again soon',
    seen: seen(ok(), { placed: true, sight: sight({ seen: 1, failure: unseen }) }),
    does: undefined,
    waits: 'no_replica',
    says: /^It is not there/,
    wakeAt: now - 1000 + 30_000,
  },
  {
    because: 'what has been missing for hours is looked for every 5 minutes',
    seen: seen(ok(), {
      placed: true,
      sight: sight({ at: now - 5 * minute, since: now - day, failure: unseen }),
    }),
    does: 'see',
    waits: 'no_replica',
  },
  {
    because: 'when half of its life is over it is renewed',
    seen: seen(ok({ expires_at: toIso(now + 14 * day), renewed_at: toIso(now - 16 * day) }), {
      placed: true,
      sight: sight(),
    }),
    does: 'renew',
  },
  {
    because: 'one that the server gave a week only is renewed after half a week, not over and over',
    seen: seen(ok({ expires_at: toIso(now + 6 * day), renewed_at: toIso(now - day) }), {
      placed: true,
      sight: sight(),
    }),
    does: undefined,
    wakeAt: now - 1000 + 6 * hour,
  },
  {
    because: 'a joined one that ends soon is renewed',
    seen: seen(ok({ ours: false, expires_at: toIso(now + 2 * day), renewed_at: null })),
    does: 'renew',
  },
  {
    because: 'one without an end is not',
    seen: seen(ok({ ours: false, expires_at: null, renewed_at: null })),
    does: 'place',
  },
  {
    because: 'a renewal that was refused is asked for once a day',
    seen: seen(
      ok({
        expires_at: toIso(now + 2 * day),
        renewed_at: toIso(now - 28 * day),
        renewal_refused_at: toIso(now - hour),
      }),
      { placed: true, sight: sight() },
    ),
    does: undefined,
    wakeAt: now - 1000 + 6 * hour,
  },
  {
    because: 'and the rule is looked at when it ends, so that another is made at once',
    seen: seen(
      ok({
        expires_at: toIso(now + 20 * minute),
        renewed_at: toIso(now - 29 * day),
        renewal_refused_at: toIso(now - hour),
      }),
      { placed: true, sight: sight() },
    ),
    does: undefined,
    wakeAt: now + 20 * minute,
  },
  {
    because: 'one that has passed its end is looked at every 5 minutes until Rucio has taken it away',
    seen: seen(
      ok({
        expires_at: toIso(now - hour),
        renewed_at: toIso(now - 30 * day),
        renewal_refused_at: toIso(now - hour),
        looked_at: toIso(now - 5 * minute),
      }),
      { placed: true, sight: sight() },
    ),
    does: 'look',
  },
  {
    because: 'what shall lie at another site has its old rule ended first',
    seen: seen(ok(), { wanted: { ...wanted, rse: 'OTHER' } }),
    does: 'end',
  },
  {
    because: 'what shall lie nowhere, or here, has it ended too',
    seen: seen(ok(), { wanted: undefined }),
    does: 'end',
  },
  {
    because: 'and that does not wait for the next try of what was refused',
    seen: seen(
      rule({ id: null, state: null, failed_step: 'make', tries: 1, next_try: toIso(now + minute), failure }),
      { wanted: undefined },
    ),
    does: 'end',
    waits: 'disk_full',
  },
  {
    because: 'what has none and wants none has nothing to do',
    seen: seen(undefined, { wanted: undefined }),
    does: undefined,
  },
]

for (const row of rows)
  test(row.because, () => {
    const { step, waiting, wakeAt } = ruleTurn(row.seen, now)
    assert.is(step, row.does)
    assert.is(waiting?.reason, row.waits)
    if (row.says !== undefined) assert.match(waiting?.message ?? '', row.says)
    if (row.wakeAt !== undefined) assert.is(wakeAt, row.wakeAt)
    assert.ok(wakeAt > now, 'what is due is done, not slept for')
  })

test('what only people can mend is tried again after a minute, and then ever more rarely, up to an hour', () => {
  const waits = [1, 2, 3, 7, 40].map(tries => retryAt(0, tries, 1) / minute)
  assert.equal(waits, [1, 2, 4, 60, 60])
  assert.is(retryAt(0, 1, 0), 30_000)
})

test.run()
