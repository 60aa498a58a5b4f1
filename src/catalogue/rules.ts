// Replication rules over Rucio's REST interface (facts/rucio.md 6): made, found, looked at, renewed, ended; and what is asked beside
// them. Never decides when, and never deletes a replica.

import { bodyText, dropBody } from '../outside/request.ts'
import { type Did, printDid } from '../words/did.ts'
import type { Protocol } from '../words/place.ts'
import { clean, Trouble } from '../words/reason.ts'
import { isRuleId, type Rule, ruleStates } from '../words/rule.ts'
import { asObject, parseJson } from '../words/text.ts'
import { isCount } from './fields.ts'
import { jsonLines } from './lines.ts'
import { Refusal } from './refusal.ts'
import type { Call, Send } from './server.ts'

export type NewRule = {
  readonly did: Did
  readonly account: string
  readonly rse: string
  readonly lifetimeSeconds: number
  readonly comment: string
}

/** What an account has at an RSE, in bytes; null = no limit. */
export type Room = { readonly limit: number | null; readonly left: number | null }

/** Everything here throws Trouble; Refusal with Rucio's own class where Rucio has one. */
export type Rules = {
  /** The account that the login gives. */
  account(signal: AbortSignal): Promise<string>
  /** One copy at one RSE.
   *  @returns its id; `duplicate` where there is one of this DID, account and RSE already: find() has it */
  make(rule: NewRule, signal: AbortSignal): Promise<string | 'duplicate'>
  /** That one of this DID, account and RSE with one copy; undefined = there is none */
  find(rule: Pick<NewRule, 'did' | 'account' | 'rse'>, signal: AbortSignal): Promise<Rule | undefined>
  /** undefined = Rucio has no such rule (any more) */
  get(id: string, signal: AbortSignal): Promise<Rule | undefined>
  /** Why it is stuck, in Rucio's words; undefined where it does not say */
  explain(id: string, signal: AbortSignal): Promise<string | undefined>
  /** Its end is so many seconds from now. `refused`: this account may not (the generic policy lets admins alone) */
  renew(id: string, seconds: number, signal: AbortSignal): Promise<'done' | 'refused' | 'gone'>
  /** It ends within an hour, and Rucio deletes the replicas that no other rule holds. */
  end(id: string, signal: AbortSignal): Promise<'done' | 'refused' | 'gone'>
  /** undefined where the server does not tell */
  room(account: string, rse: string, signal: AbortSignal): Promise<Room | undefined>
  /** The ways into an RSE. Throws Refusal for one that Rucio does not know. */
  protocols(rse: string, signal: AbortSignal): Promise<readonly Protocol[]>
}

const mostBytes = 2 ** 20
const json = 'application/json'

export function openRules(send: Send): Rules {
  const objectOf = async (path: string, what: string, signal: AbortSignal) => {
    const answer = await send({ method: 'GET', path, accept: json, signal })
    const parsed = parseJson(await bodyText(answer, mostBytes))
    const object = parsed instanceof Trouble ? undefined : asObject(parsed.json)
    if (object === undefined)
      throw new Trouble('bad_listing', `what the catalogue says of ${what} is not JSON`)
    return object
  }

  async function change(call: Pick<Call, 'method' | 'path' | 'body' | 'signal'>) {
    try {
      dropBody(await send({ ...call, accept: json }))
      return 'done'
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.exceptionClass === 'AccessDenied') return 'refused'
      if (error.exceptionClass === 'RuleNotFound') return 'gone'
      // Locked, the parent of another, or bound to the lifetime of a scratch disk: not ours to change as it stands.
      if (/^(UnsupportedOperation|ScratchDiskLifetimeConflict)$/.test(error.exceptionClass)) return 'refused'
      throw error
    }
  }

  return {
    async account(signal) {
      const call = { method: 'GET', path: '/accounts/whoami', accept: json, status: 303, signal } as const
      const answer = await send(call)
      dropBody(answer)
      // Relative, as Rucio gives it; a proxy in front may make it absolute.
      const account = (answer.headers.location ?? '').split('/').at(-1) ?? ''
      if (!/^[A-Za-z0-9_.-]{1,60}$/.test(account))
        throw new Trouble('bad_listing', 'the catalogue does not say which account this login has')
      return account
    },
    async make({ did, account, rse, lifetimeSeconds, comment }, signal) {
      const { scope, name } = did
      const body = JSON.stringify({
        dids: [{ scope, name }],
        account,
        copies: 1,
        rse_expression: rse,
        lifetime: lifetimeSeconds,
        comment,
        grouping: 'DATASET',
      })
      try {
        const call = { method: 'POST', path: '/rules/', body, accept: json, status: 201, signal } as const
        const parsed = parseJson(await bodyText(await send(call), mostBytes))
        const [id] = parsed instanceof Trouble || !Array.isArray(parsed.json) ? [] : parsed.json
        // It was made all the same: the next try is told that there is one, and finds it.
        if (!isRuleId(id)) throw new Trouble('bad_listing', 'the catalogue made a rule and did not name it')
        return id
      } catch (error) {
        if (error instanceof Refusal && error.exceptionClass === 'DuplicateRule') return 'duplicate'
        throw error
      }
    },
    async find({ did, account, rse }, signal) {
      const asked = new URLSearchParams({ account, scope: did.scope, name: did.name })
      const answer = await send({
        method: 'GET',
        path: `/rules/?${asked}`,
        accept: 'application/x-json-stream',
        signal,
      })
      let found: Rule | undefined
      for await (const line of jsonLines(answer, mostBytes)) {
        const object = asObject(line) ?? {}
        const ours = object['scope'] === did.scope && object['name'] === did.name
        if (!ours || object['rse_expression'] !== rse || object['copies'] !== 1) continue
        const rule = ruleOf(object, `the rule of ${printDid(did)}`)
        if (rule.account === account) found = rule
      }
      return found
    },
    async get(id, signal) {
      try {
        const what = `rule ${id}`
        const rule = ruleOf(await objectOf(`/rules/${id}`, what, signal), what)
        if (rule.id !== id)
          throw new Trouble('bad_listing', `the catalogue was asked for ${what} and named another`)
        return rule
      } catch (error) {
        if (error instanceof Refusal && error.exceptionClass === 'RuleNotFound') return undefined
        throw error
      }
    },
    async explain(id, signal) {
      const { rule_error, transfers } = await objectOf(`/rules/${id}/analysis`, `rule ${id}`, signal)
      const all = typeof rule_error === 'string' ? [rule_error] : []
      // The first file that says why; "None" is Python's word for nothing.
      for (const each of Array.isArray(transfers) ? transfers : []) {
        const { scope, name, last_error } = asObject(each) ?? {}
        if (typeof last_error !== 'string' || last_error === 'None' || last_error === '') continue
        if (last_error !== rule_error) all.push(`${String(scope)}:${String(name)}: ${last_error}`)
        break
      }
      return all.length === 0 ? undefined : clean(all.join('; '))
    },
    renew: (id, seconds, signal) =>
      change({
        method: 'PUT',
        path: `/rules/${id}`,
        body: JSON.stringify({ options: { lifetime: seconds } }),
        signal,
      }),
    // It wants a body, also an empty one.
    end: (id, signal) => change({ method: 'DELETE', path: `/rules/${id}`, body: '{}', signal }),
    async room(account, rse, signal) {
      const path = `/accounts/${encodeURIComponent(account)}/usage/local/${encodeURIComponent(rse)}`
      const answer = await send({ method: 'GET', path, accept: 'application/x-json-stream', signal })
      let room: Room | undefined
      for await (const line of jsonLines(answer, mostBytes)) {
        const object = asObject(line) ?? {}
        if (object['rse'] !== rse) continue
        const { bytes_limit, bytes_remaining } = object
        const left = typeof bytes_remaining === 'number' ? Math.max(0, bytes_remaining) : null
        room = { limit: typeof bytes_limit === 'number' ? bytes_limit : null, left }
      }
      return room
    },
    async protocols(rse, signal) {
      const { protocols } = await objectOf(`/rses/${encodeURIComponent(rse)}`, `RSE ${rse}`, signal)
      return (Array.isArray(protocols) ? protocols : []).flatMap(each => {
        const { scheme, prefix } = asObject(each) ?? {}
        if (typeof scheme !== 'string' || typeof prefix !== 'string' || !prefix.startsWith('/')) return []
        return [{ scheme, prefix }]
      })
    },
  }
}

function ruleOf(object: Readonly<Record<string, unknown>>, what: string): Rule {
  const { id, account, rse_expression, copies, error, expires_at, comments } = object
  const state = ruleStates.find(each => each === object['state'])
  const { locks_ok_cnt, locks_replicating_cnt, locks_stuck_cnt } = object
  const counts = isCount(locks_ok_cnt) && isCount(locks_replicating_cnt) && isCount(locks_stuck_cnt)
  if (
    !isRuleId(id) ||
    typeof account !== 'string' ||
    typeof rse_expression !== 'string' ||
    !isCount(copies) ||
    !counts
  )
    throw new Trouble('bad_listing', `what the catalogue says of ${what} makes no sense`)
  if (state === undefined)
    throw new Trouble(
      'bad_listing',
      `${what} is in a state that nobody knows: ${clean(String(object['state']), 40)}`,
    )
  // "Tue, 24 Nov 2026 12:32:15 UTC"
  const expiresAt = typeof expires_at === 'string' ? Date.parse(expires_at) : null
  return {
    id,
    account,
    expression: rse_expression,
    copies,
    state,
    locks: { ok: locks_ok_cnt, replicating: locks_replicating_cnt, stuck: locks_stuck_cnt },
    error: typeof error === 'string' && error !== '' ? clean(error) : null,
    expiresAt: expiresAt !== null && Number.isFinite(expiresAt) ? expiresAt : null,
    comment: typeof comments === 'string' ? comments : null,
  }
}
