// A replication rule: what Rucio says of it, NAME/.rucio/rule.json, and the lines of places.jsonl. Never asks Rucio.

import { isMount, isRse } from './destination.ts'
import { isComponent, readFullDid } from './names.ts'
import { clean, type Failure, readFailure } from './reason.ts'
import { asObject, isBytes, isTotal } from './text.ts'
import { fromIso } from './world.ts'

export const ruleStates = [
  'REPLICATING',
  'OK',
  'STUCK',
  'SUSPENDED',
  'WAITING_APPROVAL',
  /** taken, and to be worked out by Rucio's daemons */
  'INJECT',
] as const
export type RuleState = (typeof ruleStates)[number]

/** How many of its files are there, on their way, and given up for now. */
export type Locks = { readonly ok: number; readonly replicating: number; readonly stuck: number }

/** A rule as Rucio has it now. */
export type Rule = {
  /** 32 hex digits */
  readonly id: string
  readonly account: string
  readonly expression: string
  readonly copies: number
  readonly state: RuleState
  readonly locks: Locks
  /** Rucio's own words on what is wrong, fit to show */
  readonly error: string | null
  /** ms since 1970; null = it never ends */
  readonly expiresAt: number | null
  readonly comment: string | null
}

/** NAME/.rucio/rule.json: the rule that brings this dataset to its destination. */
export type RuleRecord = {
  readonly format: 1
  readonly did: string
  readonly rse: string
  readonly mount: string | null
  readonly lifetime_days: number
  readonly account: string | null
  /** null: it is about to be made, or may have been made by a process that was killed then */
  readonly id: string | null
  /** made by this data directory, not joined: only then DELETE ends it */
  readonly ours: boolean
  readonly state: RuleState | null
  readonly locks: Locks
  readonly error: string | null
  readonly expires_at: string | null
  /** when its end was last set by us, at its making too */
  readonly renewed_at: string | null
  /** when the server last said that this account may not renew it */
  readonly renewal_refused_at: string | null
  readonly looked_at: string | null
  /** when the state or the locks were last seen to change */
  readonly changed_at: string | null
  /** the step that failed last, how often in a row, and when that one is tried again */
  readonly failed_step: RuleStep | null
  readonly tries: number
  readonly next_try: string | null
  readonly failure: Failure | null
}

/** Make or join it, look at it, renew it, end it; ask where its files lie below the mount; look whether they do. */
export const ruleSteps = ['make', 'look', 'renew', 'end', 'place', 'see'] as const
export type RuleStep = (typeof ruleSteps)[number]

/** A dataset that has just been given a destination. */
export function freshRule(
  did: string,
  {
    rse,
    mount,
    lifetimeDays,
  }: { readonly rse: string; readonly mount: string | null; readonly lifetimeDays: number },
): RuleRecord {
  return {
    format: 1,
    did,
    rse,
    mount,
    lifetime_days: lifetimeDays,
    account: null,
    id: null,
    ours: false,
    state: null,
    locks: noLocks,
    error: null,
    expires_at: null,
    renewed_at: null,
    renewal_refused_at: null,
    looked_at: null,
    changed_at: null,
    failed_step: null,
    tries: 0,
    next_try: null,
    failure: null,
  }
}

export const noLocks: Locks = { ok: 0, replicating: 0, stuck: 0 }

/** What every rule of a data directory bears as its comment, so that it is known again when all records are lost. */
export function commentOf(dataId: string): string {
  return `desktop-rucio ${dataId}`
}

export function readRuleRecord(json: unknown): RuleRecord | undefined {
  const object = asObject(json)
  if (object === undefined || object['format'] !== 1) return undefined
  const { did, rse, mount, lifetime_days, account, id, ours, state, error, tries } = object
  if (typeof did !== 'string' || readFullDid(did) === undefined || !isRse(rse)) return undefined
  if (mount !== null && !isMount(mount)) return undefined
  if (!isTotal(lifetime_days) || typeof ours !== 'boolean' || !isTotal(tries)) return undefined
  if (account !== null && typeof account !== 'string') return undefined
  if (id !== null && !isRuleId(id)) return undefined
  const known = state === null ? null : ruleStates.find(each => each === state)
  const locks = readLocks(object['locks'])
  const step = object['failed_step'] === null ? null : ruleSteps.find(each => each === object['failed_step'])
  if (step === undefined) return undefined
  if (known === undefined || locks === undefined) return undefined
  if (error !== null && typeof error !== 'string') return undefined
  const failure = object['failure'] === null ? null : readFailure(object['failure'])
  if (failure === undefined) return undefined
  const times = new Map<string, string | null>()
  for (const key of timeKeys) {
    const at = object[key]
    if (at !== null && fromIso(at) === undefined) return undefined
    times.set(key, typeof at === 'string' ? at : null)
  }
  const time = (key: (typeof timeKeys)[number]): string | null => times.get(key) ?? null
  return {
    format: 1,
    ...{ did, rse, mount, lifetime_days, account, id, ours, state: known, locks },
    error: error === null ? null : clean(error),
    expires_at: time('expires_at'),
    renewed_at: time('renewed_at'),
    renewal_refused_at: time('renewal_refused_at'),
    looked_at: time('looked_at'),
    changed_at: time('changed_at'),
    failed_step: step,
    tries,
    next_try: time('next_try'),
    failure,
  }
}

const timeKeys = [
  'expires_at',
  'renewed_at',
  'renewal_refused_at',
  'looked_at',
  'changed_at',
  'next_try',
] as const

function readLocks(json: unknown): Locks | undefined {
  const { ok, replicating, stuck } = asObject(json) ?? {}
  return isTotal(ok) && isTotal(replicating) && isTotal(stuck) ? { ok, replicating, stuck } : undefined
}

export function isRuleId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
}

/** Head of places.jsonl. It counts for the listing that was fetched then, and for this RSE and mount. */
export type PlacesHead = {
  readonly format: 1
  readonly did: string
  readonly rse: string
  readonly mount: string
  /** of the listing's head */
  readonly fetched: string
  /** number of lines that follow */
  readonly length: number
}

/** Where one file of the listing lies below the mount. */
export type PlaceLine = {
  readonly path: string
  readonly bytes: number
  /** relative to the mount: components without `.` and `..`, joined by `/` */
  readonly place: string
}

export function readPlacesHead(json: unknown): PlacesHead | undefined {
  const { format, did, rse, mount, fetched, length } = asObject(json) ?? {}
  if (format !== 1 || typeof did !== 'string' || readFullDid(did) === undefined) return undefined
  if (!isRse(rse) || !isMount(mount) || typeof fetched !== 'string' || !isTotal(length)) return undefined
  return { format, did, rse, mount, fetched, length }
}

export function readPlaceLine(json: unknown): PlaceLine | undefined {
  const { path, bytes, place } = asObject(json) ?? {}
  if (!isComponent(path) || !isBytes(bytes) || !isPlace(place)) return undefined
  return { path, bytes, place }
}

export function isPlace(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= 4096 &&
    !value.includes('\0') &&
    value.split('/').every(each => each !== '' && each !== '.' && each !== '..')
  )
}

/** Is the rule good, as far as was seen? One that has passed its end counts as long as it was seen since: Rucio's cleaner takes its time. */
export function isGood(record: RuleRecord, now: number): boolean {
  if (record.state !== 'OK' || record.id === null) return false
  const end = fromIso(record.expires_at)
  return end === undefined || end > now || (fromIso(record.looked_at) ?? 0) >= end
}
