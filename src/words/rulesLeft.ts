// status/rules_left.json: rules of ours that the server did not let us delete. Never asks a server.

import { isRse } from './destination.ts'
import { readFullDid } from './names.ts'
import { clean } from './reason.ts'
import { isRuleId, type Rule } from './rule.ts'
import { asObject } from './text.ts'
import { fromIso, toIso } from './world.ts'

/** An element of `rules_left` of GET /status, too */
export type RuleLeft = {
  readonly did: string
  /** 32 hex digits */
  readonly id: string
  readonly rse: string
  readonly account: string
  /** ISO time; null = it has no end */
  readonly ends: string | null
  /** when the server said no */
  readonly refused: string
  /** one sentence with what to do */
  readonly message: string
}

export type RulesLeft = { readonly format: 1; readonly rules: readonly RuleLeft[] }

/** A user who removes thousands of datasets has one answer of the server to think about, and can see that there are many. */
export const mostRulesLeft = 1000

export function ruleLeft(did: string, rse: string, rule: Rule, now: number): RuleLeft {
  const ends = rule.expiresAt === null ? null : toIso(rule.expiresAt)
  return {
    did,
    id: rule.id,
    rse,
    account: clean(rule.account, 60),
    ends,
    refused: toIso(now),
    message: `Rucio does not let ${clean(rule.account, 60)} delete rule ${rule.id}, so ${did} stays at ${rse}; the rule ${
      ends === null ? 'has no end' : `ends at ${ends}`
    }, and nothing renews it. To have it gone ${ends === null ? '' : 'sooner '}ask those who run ${rse} or Rucio, with the rule's id.`,
  }
}

/** What of it holds now: one that has ended is gone. */
export function rulesLeftNow(all: readonly RuleLeft[], now: number): RuleLeft[] {
  return all.filter(({ ends }) => (fromIso(ends) ?? Number.POSITIVE_INFINITY) > now)
}

export function readRulesLeft(json: unknown): RulesLeft | undefined {
  const { format, rules } = asObject(json) ?? {}
  if (format !== 1 || !Array.isArray(rules)) return undefined
  const all = rules.map(readOne)
  return all.every(each => each !== undefined) ? { format, rules: all } : undefined
}

function readOne(json: unknown): RuleLeft | undefined {
  const { did, id, rse, account, ends, refused, message } = asObject(json) ?? {}
  if (typeof did !== 'string' || readFullDid(did) === undefined || !isRuleId(id) || !isRse(rse))
    return undefined
  if (typeof account !== 'string' || typeof message !== 'string') return undefined
  if (typeof refused !== 'string' || fromIso(refused) === undefined) return undefined
  if (ends !== null && (typeof ends !== 'string' || fromIso(ends) === undefined)) return undefined
  return { did, id, rse, account: clean(account, 60), ends, refused, message: clean(message, 600) }
}
