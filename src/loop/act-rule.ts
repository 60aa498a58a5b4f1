// One step of a dataset's replication rule: made or joined, looked at, renewed, ended; its files found, and looked for under the mount.
// Each outcome is in NAME/.rucio/rule.json before the next step. Never decides which step it is (decide/rule.ts does).

import { Refusal } from '../catalogue/refusal.ts'
import type { Action } from '../decide/action.ts'
import { nextTryAt } from '../decide/backoff.ts'
import { retryAt, type Sight } from '../decide/rule.ts'
import { proveAfar } from '../disk/elsewhere.ts'
import { layout } from '../disk/layout.ts'
import { readListing } from '../disk/lines.ts'
import { put, putText, remove } from '../disk/put.ts'
import { readRecord, statRegular } from '../disk/read.ts'
import { type Did, printDid } from '../words/did.ts'
import { readFullDid } from '../words/names.ts'
import { clean, type Failure, type Reason, sentence, Trouble, toTrouble } from '../words/reason.ts'
import { commentOf, freshRule, type Rule, type RuleRecord, readRuleRecord } from '../words/rule.ts'
import { ruleLeft } from '../words/rulesLeft.ts'
import { toIso } from '../words/world.ts'
import { actPlace } from './act-place.ts'
import type { Daemon } from './daemon.ts'
import { incompleteText } from './incomplete.ts'
import { forgetRuleLeft, noteRuleLeft } from './rulesLeft.ts'

export type RuleAction = Extract<Action, { kind: 'rule' }>

type Step = {
  readonly daemon: Daemon
  readonly action: RuleAction
  readonly did: Did
  readonly record: RuleRecord
  readonly signal: AbortSignal
}

const daySeconds = 24 * 3600
const ofTheWay: readonly Reason[] = ['host_down', 'offline', 'stalled', 'auth', 'bad_listing']

/** @param sights where the outcome of a look under the mount is kept */
export async function actRule(
  daemon: Daemon,
  action: RuleAction,
  sights: Map<string, Sight>,
  signal: AbortSignal,
): Promise<void> {
  const { root } = daemon
  const { name, wanted } = action
  const did = readFullDid(action.did)
  if (did === undefined) throw new Trouble('bug', `no DID: ${action.did}`)
  const before = await readRecord(root, layout.rule(root, name), readRuleRecord)
  if (before === undefined && (wanted === undefined || action.step !== 'make')) return
  const kept = before ?? (wanted === undefined ? undefined : freshRule(action.did, wanted))
  if (kept === undefined) return
  // What the request or config.json says now, save where the rule at another RSE is to be ended first.
  const follows = wanted !== undefined && wanted.rse === kept.rse
  const record = follows ? { ...kept, mount: wanted.mount, lifetime_days: wanted.lifetimeDays } : kept
  if (action.step === 'see') return await see(daemon, action, sights)
  if (action.step !== 'look' && action.step !== 'renew') sights.delete(name)
  const step: Step = { daemon, action, did, record, signal }
  try {
    await steps[action.step](step)
    daemon.catalogue.worked()
  } catch (error) {
    if (signal.aborted) return
    const trouble = toTrouble(error)
    if (trouble.reason === 'bug' && !(error instanceof Trouble)) throw error
    daemon.catalogue.failed(trouble, action.did)
    await failed(step, trouble)
  }
}

const steps = { make, look, renew, end, place: placeFiles } as const

async function make(step: Step): Promise<void> {
  const { daemon, did, signal } = step
  const { rules } = daemon.rucio
  const account = step.record.account ?? (await rules.account(signal))
  const record: RuleRecord = { ...step.record, account }
  const { rse } = record
  // Before the call: whoever is killed after it makes it again, is told that there is one, and finds it.
  await save(step, record)
  const made = await rules.make(
    {
      did,
      account,
      rse,
      lifetimeSeconds: record.lifetime_days * daySeconds,
      comment: commentOf(daemon.root.id),
    },
    signal,
  )
  const rule =
    made === 'duplicate' ? await rules.find({ did, account, rse }, signal) : await rules.get(made, signal)
  if (rule === undefined)
    throw new Trouble(
      'host_down',
      `Rucio says that ${printDid(did)} has a rule at ${rse}, and then names none`,
    )
  const isNew = made !== 'duplicate'
  const now = daemon.world.now()
  await forgetRuleLeft(daemon.root, rule.id, now)
  await saveSeen(step, { ...record, renewed_at: isNew ? toIso(now) : null }, rule)
  say(step, `rule ${rule.id} at ${rse} ${isNew ? 'made' : 'joined'}, ${rule.state}`)
}

async function look(step: Step): Promise<void> {
  const { daemon, record, signal } = step
  if (record.id === null) return
  const rule = await daemon.rucio.rules.get(record.id, signal)
  if (rule === undefined) return await gone(step)
  await saveSeen(step, record, rule)
  if (rule.state !== record.state) say(step, `rule ${rule.id} at ${record.rse}: ${rule.state}`)
}

async function renew(step: Step): Promise<void> {
  const { daemon, record, signal } = step
  if (record.id === null) return
  const done = await daemon.rucio.rules.renew(record.id, record.lifetime_days * daySeconds, signal)
  const at = toIso(daemon.world.now())
  switch (done) {
    case 'gone':
      return await gone(step)
    case 'refused':
      say(step, `${step.record.account} may not renew rule ${record.id}: it ends at ${record.expires_at}`)
      return await save(step, { ...record, ...well, renewal_refused_at: at })
    case 'done': {
      // How much was granted only the rule itself says.
      const rule = await daemon.rucio.rules.get(record.id, signal)
      if (rule === undefined) return await gone(step)
      say(step, `rule ${record.id} renewed`)
      return await saveSeen(step, { ...record, renewed_at: at, renewal_refused_at: null }, rule)
    }
  }
}

/** Rucio has no such rule: it ended, or somebody deleted it. The wish stands, so another is made. */
async function gone(step: Step): Promise<void> {
  const { record } = step
  say(step, `rule ${record.id} at ${record.rse} is gone`)
  await save(step, {
    ...freshRule(record.did, {
      rse: record.rse,
      mount: record.mount,
      lifetimeDays: record.lifetime_days,
    }),
    account: record.account,
  })
}

/** Only a rule that this data directory made is ended: a joined one is somebody else's too. */
async function end(step: Step): Promise<void> {
  const { daemon, did, record, signal } = step
  const { rules } = daemon.rucio
  const { id, account, rse } = record
  // Without an id it may have been made all the same, by a process that was killed then.
  const rule =
    id !== null
      ? await rules.get(id, signal)
      : account === null
        ? undefined
        : await rules.find({ did, account, rse }, signal)
  if (rule !== undefined) {
    const until = rule.expiresAt === null ? 'has no end' : `ends at ${toIso(rule.expiresAt)}`
    if (rule.comment !== commentOf(daemon.root.id))
      say(step, `rule ${rule.id} at ${rse} was not made here and stays; it ${until}`)
    else if ((await rules.end(rule.id, signal)) === 'refused') {
      const now = daemon.world.now()
      await noteRuleLeft(daemon.root, ruleLeft(record.did, rse, rule, now), now)
      say(step, `the server does not let ${rule.account} delete rule ${rule.id} at ${rse}; it ${until}`)
    } else say(step, `rule ${rule.id} at ${rse} deleted`)
  }
  await remove(daemon.root, layout.places(daemon.root, step.action.name))
  await remove(daemon.root, layout.rule(daemon.root, step.action.name))
}

async function placeFiles(step: Step): Promise<void> {
  const { daemon, action, record, signal } = step
  if (record.mount === null) return
  await actPlace(daemon, action.name, { did: record.did, rse: record.rse, mount: record.mount }, signal)
  await save(step, { ...record, ...well })
}

const well = { failed_step: null, tries: 0, next_try: null, failure: null } as const

async function saveSeen(step: Step, record: RuleRecord, rule: Rule): Promise<void> {
  const { daemon, signal } = step
  const { root } = daemon
  let { error } = rule
  // Rucio's first word on it may be short, and what a transfer said longer; without either it is stuck all the same.
  if (rule.state === 'STUCK') error = (await daemon.rucio.rules.explain(rule.id, signal)) ?? error
  const at = toIso(daemon.world.now())
  const same = record.state === rule.state && JSON.stringify(record.locks) === JSON.stringify(rule.locks)
  if (record.state === 'OK' && rule.state !== 'OK') await sayIncomplete(daemon, step.action.name, 0)
  await save(step, {
    ...record,
    ...well,
    id: rule.id,
    account: rule.account,
    ours: rule.comment === commentOf(root.id),
    state: rule.state,
    locks: rule.locks,
    error,
    expires_at: rule.expiresAt === null ? null : toIso(rule.expiresAt),
    looked_at: at,
    changed_at: same ? (record.changed_at ?? at) : at,
  })
}

async function save({ daemon, action }: Step, record: RuleRecord): Promise<void> {
  await put(daemon.root, layout.rule(daemon.root, action.name), record)
}

async function failed(step: Step, trouble: Trouble): Promise<void> {
  const { daemon, action, signal } = step
  const { world, root } = daemon
  const { name } = action
  // As it is by now: a step may have written it before it failed.
  const record = (await readRecord(root, layout.rule(root, name), readRuleRecord)) ?? step.record
  const tries = record.failed_step === action.step ? record.tries + 1 : 1
  const again = ofTheWay.includes(trouble.reason) ? nextTryAt : retryAt
  const why = await whyRefused({ ...step, record }, trouble, signal)
  await save(step, {
    ...record,
    failed_step: action.step,
    tries,
    next_try: toIso(again(world.now(), tries, world.chance())),
    failure: { ...why, at: toIso(world.now()) },
  })
  if (record.failure?.message !== why.message) say(step, `${action.step} failed: ${trouble.message}`)
}

/** What a user can do about it, where the reason's own sentence does not say so. */
async function whyRefused(
  { daemon, action, record, did }: Step,
  trouble: Trouble,
  signal: AbortSignal,
): Promise<Pick<Failure, 'reason' | 'message'>> {
  const { rse, account } = record
  const usual = { reason: trouble.reason, message: sentence(trouble.reason, trouble.detail) }
  if (!(trouble instanceof Refusal)) return usual
  switch (trouble.exceptionClass) {
    case 'InsufficientAccountLimit': {
      const name = account ?? 'the account'
      const head = await readListing(daemon.root, layout.listing(daemon.root, action.name))
      const bytes = head === undefined || head.type === 'NONE' ? '' : ` of ${head.bytes} bytes`
      const left = await leftAt(daemon, account, rse, signal)
      return {
        reason: 'disk_full',
        message: `The quota of ${name} at ${rse} does not suffice for ${printDid(did)}${bytes}${left}. Ask for more quota there, or delete rules of ${name} at ${rse}; it is tried again.`,
      }
    }
    case 'InvalidRSEExpression':
    case 'RSENotFound':
      return {
        reason: 'refused',
        message: `Rucio knows no RSE ${rse} that can be written to. Mend "rse" in the destination; it is tried again.`,
      }
    case 'AccessDenied':
      return {
        reason: 'refused',
        message: `Rucio does not let ${account ?? 'this account'} do this: ${clean(trouble.detail)}. Ask those who run it; it is tried again.`,
      }
    default:
      return usual
  }
}

async function leftAt(
  daemon: Daemon,
  account: string | null,
  rse: string,
  signal: AbortSignal,
): Promise<string> {
  if (account === null) return ''
  try {
    const room = await daemon.rucio.rules.room(account, rse, signal)
    if (room === undefined) return ': it has none there'
    return room.left === null || room.limit === null ? '' : `: ${room.left} of ${room.limit} bytes are left`
  } catch {
    // It only adds a figure to the sentence; the refusal itself is what counts.
    return ''
  }
}

/** The look under the mount: INCOMPLETE.txt follows it, and people read why not. */
async function see(daemon: Daemon, action: RuleAction, sights: Map<string, Sight>): Promise<void> {
  const { root, world } = daemon
  const { name } = action
  const found = await proveAfar(root, name, undefined, world.now())
  const now = world.now()
  const before = sights.get(name)
  if (found.kind === 'none' || found.kind === 'pending') return void sights.delete(name)
  const total = found.head.length
  const seen = found.kind === 'whole' ? total : total - found.missing.size
  const failure = found.kind === 'whole' ? undefined : found.why
  const isSame = before?.seen === seen && before.failure?.message === failure?.message
  sights.set(name, { at: now, since: isSame ? before.since : now, seen, total, failure })
  if (found.kind === 'whole') await remove(root, layout.incomplete(root, name))
  else if (!isSame) await sayIncomplete(daemon, name, seen)
  if (!isSame)
    daemon.log('rucio_downloader', `${action.did}: ${seen} of ${total} files seen at ${found.record.rse}`)
}

async function sayIncomplete(daemon: Daemon, name: string, seen: number): Promise<void> {
  const { root } = daemon
  const head = await readListing(root, layout.listing(root, name))
  if (head === undefined || head.type === 'NONE') return
  if (seen === 0 && (await statRegular(root, layout.incomplete(root, name))) !== undefined) return
  await putText(root, layout.incomplete(root, name), incompleteText(seen, head.length))
}

function say({ daemon, action }: Step, text: string): void {
  daemon.log('rucio_downloader', `${action.did}: ${text}`)
}
