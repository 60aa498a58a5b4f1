import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Rule } from '../../src/words/rule.ts'
import { readRulesLeft, ruleLeft, rulesLeftNow } from '../../src/words/rulesLeft.ts'

const test = suite('rules that stay')
const now = Date.parse('2026-11-24T12:00:00Z')
const id = '0123456789abcdef0123456789abcdef'
const rule: Rule = {
  id,
  account: 'jdoe',
  expression: 'SITE',
  copies: 1,
  state: 'OK',
  locks: { ok: 1, replicating: 0, stuck: 0 },
  error: null,
  expiresAt: now + 3_600_000,
  comment: null,
}

test('one that ends says when, one without an end says that; both say whom to ask', () => {
  assert.is(
    ruleLeft('mc16:mc16.a', 'SITE', rule, now).message,
    `Rucio does not let jdoe delete rule ${id}, so mc16:mc16.a stays at SITE; the rule ends at 2026-11-24T13:00:00.000Z, and nothing renews it. To have it gone sooner ask those who run SITE or Rucio, with the rule's id.`,
  )
  const forever = ruleLeft('mc16:mc16.a', 'SITE', { ...rule, expiresAt: null }, now)
  assert.match(forever.message, /the rule has no end, and nothing renews it\. To have it gone ask those/)
  assert.is(forever.ends, null)
})

test('what has ended is left out, what has no end stays', () => {
  const ends = ruleLeft('mc16:mc16.a', 'SITE', rule, now)
  const stays = ruleLeft('mc16:mc16.b', 'SITE', { ...rule, expiresAt: null }, now)
  assert.equal(rulesLeftNow([ends, stays], now + 3_599_999), [ends, stays])
  assert.equal(rulesLeftNow([ends, stays], now + 3_600_000), [stays])
})

test('it is read as it was written, and nothing else is', () => {
  const all = { format: 1, rules: [ruleLeft('mc16:mc16.a', 'SITE', rule, now)] }
  assert.equal(readRulesLeft(JSON.parse(JSON.stringify(all))), all)
  for (const json of [null, {}, { format: 2, rules: [] }, { format: 1, rules: [{}] }])
    assert.is(readRulesLeft(json), undefined)
})

test('what a server or a record says of an account sends nothing to a terminal', () => {
  const account = 'jdoe\x1b[2J'
  assert.is(ruleLeft('mc16:mc16.a', 'SITE', { ...rule, account }, now).account, 'jdoe\\x1b[2J')
  const edited = { ...ruleLeft('mc16:mc16.a', 'SITE', rule, now), account }
  assert.is(readRulesLeft({ format: 1, rules: [edited] })?.rules[0]?.account, 'jdoe\\x1b[2J')
})

test.run()
