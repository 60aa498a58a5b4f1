// The times of the daemon that a test, or a site unlike others, sets by the environment. Never changes the usual ones.

import type { RuleTimes } from './decide/rule.ts'
import type { AuditTimes } from './loop/audit.ts'
import type { Env } from './words/env.ts'

export type TimeOptions = {
  readonly auditTimes: Partial<AuditTimes>
  readonly ruleTimes: Partial<RuleTimes>
  /** time between two checkpoints of a part, in ms; undefined = the usual */
  readonly checkpointMs?: number
}

export function readTimes(env: Env): TimeOptions {
  return { auditTimes: readAuditTimes(env), ruleTimes: readRuleTimes(env), ...readCheckpoint(env) }
}

/** For tests and for small machines: how often whole datasets are looked at. */
function readAuditTimes(env: Env): Partial<AuditTimes> {
  const everyMs = seconds(env, 'DESKTOP_RUCIO_AUDIT_EVERY')
  const secondLookMs = seconds(env, 'DESKTOP_RUCIO_AUDIT_SECOND_LOOK')
  return {
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(secondLookMs === undefined ? {} : { secondLookMs }),
  }
}

/** For tests, and for sites where rules are short: how often they are looked at. */
function readRuleTimes(env: Env): Partial<RuleTimes> {
  const ms = seconds(env, 'DESKTOP_RUCIO_RULES_EVERY')
  return ms === undefined ? {} : { leastMs: ms, mostMs: ms, goodMs: ms, endMs: ms }
}

/** For tests that kill it: how often parts are synced and counted. */
function readCheckpoint(env: Env): { readonly checkpointMs?: number } {
  const checkpointMs = seconds(env, 'DESKTOP_RUCIO_CHECKPOINT_EVERY')
  return checkpointMs === undefined ? {} : { checkpointMs }
}

/** @returns ms; undefined where it is not set to a number above 0 */
function seconds(env: Env, name: string): number | undefined {
  const value = Number(env[name])
  return env[name] !== undefined && Number.isFinite(value) && value > 0 ? value * 1000 : undefined
}
