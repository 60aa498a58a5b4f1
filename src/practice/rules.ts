// Replication rules of the practice grid: made, looked at, not to be renewed or deleted by their owner (facts/rucio.md 6). Never moves a
// byte: a rule is OK once the seed has a good replica of every file where the rule wants it.

import { randomBytes } from 'node:crypto'
import { asObject } from '../words/text.ts'
import { type Contents, type Entry, filesOf } from './contents.ts'
import { type Rse, rseId, rsesOf } from './replicas.ts'
import type { SeedFile } from './seed.ts'

/** What is refused: status, ExceptionClass, message. */
export type Refusal = { readonly status: number; readonly class: string; readonly message: string }

type Rule = {
  readonly id: string
  readonly scope: string
  readonly name: string
  readonly account: string
  readonly expression: string
  readonly copies: number
  readonly comments: unknown
  readonly grouping: unknown
  readonly activity: unknown
  readonly createdAt: number
  /** ms since 1970, or null */
  expiresAt: number | null
}

/** What the judges and policies of the grid say now. */
export type Ways = {
  /** not empty: what is not there yet is stuck, with this error */
  readonly stuck: string
  /** every rule is in this state; '' = in its own */
  readonly state: '' | 'SUSPENDED' | 'WAITING_APPROVAL' | 'INJECT'
  /** what an account may have at each RSE; undefined = without end */
  readonly quotaBytes: number | undefined
  /** owners renew and delete their rules, as some experiments let them; the generic policy does not */
  readonly ownersMay: boolean
}

export type Rules = {
  /** @returns ids of the new rules, one for each DID */
  readonly make: (account: string, body: unknown, ways: Ways) => readonly string[] | Refusal
  readonly object: (id: string, ways: Ways) => object | Refusal
  readonly locks: (id: string, ways: Ways) => readonly object[] | Refusal
  readonly analysis: (id: string, ways: Ways) => object | Refusal
  readonly list: (
    filter: Partial<Record<'account' | 'scope' | 'name', string>>,
    ways: Ways,
  ) => readonly object[]
  /** Of the options only `lifetime`. undefined = done */
  readonly update: (account: string, id: string, body: unknown, ways: Ways) => Refusal | undefined
  /** undefined = done: it stays to be seen, with an end */
  readonly remove: (account: string, id: string, ways: Ways) => Refusal | undefined
  /** what an account has at an RSE */
  readonly usage: (account: string, rse: string, ways: Ways) => readonly object[] | Refusal
  /** Those that have passed their end go, and with `all` the others too. */
  readonly clean: (all: boolean) => void
}

export function openRules(contents: () => Contents, rses: readonly Rse[]): Rules {
  const rules = new Map<string, Rule>()
  const stateOf = (rule: Rule, ways: Ways): State => state(rule, contents(), rses, ways)
  const isAdmin = (account: string, ways: Ways): boolean => account === 'root' || ways.ownersMay
  const bytesOf = (scope: string, name: string): number => {
    const entry = contents().did(scope, name)
    return entry === undefined ? 0 : filesOf(entry).reduce((sum, file) => sum + file.bytes, 0)
  }
  /** The bytes of all rules of an account that name this RSE. */
  const used = (account: string, rse: string): number =>
    [...rules.values()]
      .filter(each => each.account === account && rsesOf(each.expression, rses).has(rse))
      .reduce((sum, each) => sum + bytesOf(each.scope, each.name), 0)

  function make(account: string, body: unknown, ways: Ways): readonly string[] | Refusal {
    const asked = asObject(body) ?? {}
    for (const key of ['dids', 'account', 'copies', 'rse_expression'])
      if (asked[key] === undefined) return refuse(400, 'KeyError', `'${key}' not defined`)
    if (asked['account'] !== account && account !== 'root')
      return refuse(500, 'AccessDenied', `Account ${account} can not add replication rule. `)
    const expression = String(asked['rse_expression'])
    const targets = rsesOf(expression, rses)
    const copies = Number(asked['copies'])
    const made: Rule[] = []
    for (const each of Array.isArray(asked['dids']) ? asked['dids'] : []) {
      const did = asObject(each) ?? {}
      const [scope, name] = [String(did['scope']), String(did['name'])]
      if (contents().did(scope, name) === undefined)
        return refuse(404, 'DataIdentifierNotFound', `Data identifier ${scope}:${name} is not valid.`)
      if (targets.size === 0)
        return refuse(409, 'InvalidRSEExpression', 'RSE Expression resulted in an empty set.')
      if (copies > targets.size) {
        const message = `Target RSE set not sufficient for number of copies. (${copies} copies requested, RSE set size ${targets.size})`
        return refuse(409, 'InsufficientTargetRSEs', message)
      }
      const owner = String(asked['account'])
      const room = (rse: string): number => (ways.quotaBytes ?? Number.POSITIVE_INFINITY) - used(owner, rse)
      if (![...targets].some(rse => room(rse) >= bytesOf(scope, name)))
        return refuse(409, 'InsufficientAccountLimit', noQuota)
      for (const rule of rules.values())
        if (
          `${rule.scope}:${rule.name}` === `${scope}:${name}` &&
          rule.account === owner &&
          rule.expression === expression &&
          rule.copies === copies
        )
          return refuse(
            409,
            'DuplicateRule',
            '(sqlite3.IntegrityError) UNIQUE constraint failed: rules.scope, rules.name, rules.account, rules.rse_expression, rules.copies',
          )
      const now = Date.now()
      const { lifetime, comment, grouping, activity } = asked
      made.push({
        id: randomBytes(16).toString('hex'),
        scope,
        name,
        account: owner,
        expression,
        copies,
        comments: comment ?? null,
        grouping: grouping ?? 'DATASET',
        activity: activity ?? 'User Subscriptions',
        createdAt: now,
        expiresAt: typeof lifetime === 'number' ? now + lifetime * 1000 : null,
      })
    }
    for (const rule of made) rules.set(rule.id, rule)
    return made.map(rule => rule.id)
  }

  function withRule<T>(id: string, give: (rule: Rule) => T): T | Refusal {
    const rule = rules.get(id)
    return rule === undefined ? refuse(404, 'RuleNotFound', `No rule with the id ${id} found`) : give(rule)
  }
  return {
    make,
    object: (id, ways) => withRule(id, rule => ruleObject(rule, contents(), stateOf(rule, ways), ways)),
    locks: (id, ways) => withRule(id, rule => stateOf(rule, ways).locks),
    analysis: (id, ways) =>
      withRule(id, rule => {
        const { word, locks } = stateOf(rule, ways)
        const transfers = locks
          .filter(lock => lock.state === 'STUCK')
          .map(({ scope, name, rse, rse_id }) => ({
            ...{ scope, name, rse_id, rse },
            ...{ attempts: 0, last_error: 'None', last_source: null, sources: [], last_time: null },
          }))
        return {
          rule_error: word === 'STUCK' ? ways.stuck : `This replication rule is currently ${word}`,
          transfers,
        }
      }),
    list: (filter, ways) =>
      [...rules.values()]
        .filter(rule => Object.entries(filter).every(([key, value]) => rule[key as 'name'] === value))
        .map(rule => ({ ...ruleObject(rule, contents(), stateOf(rule, ways), ways), bytes: null })),
    update(account, id, body, ways) {
      const options = asObject(asObject(body)?.['options'])
      if (options === undefined) return refuse(400, 'KeyError', "'options' not defined")
      if (!isAdmin(account, ways))
        return refuse(401, 'AccessDenied', `Account ${account} can not update this replication rule. `)
      const odd = Object.keys(options).find(key => key !== 'lifetime')
      if (odd !== undefined)
        return refuse(409, 'InputValidationError', `${odd} is not a valid option to set.`)
      return withRule(id, rule => {
        rule.expiresAt = Date.now() + Number(options['lifetime']) * 1000
        return undefined
      })
    },
    usage(account, rse, ways) {
      if (!rses.some(each => each.name === rse))
        return refuse(404, 'RSENotFound', `RSE '${rse}' cannot be found in vo 'def'`)
      const limit = ways.quotaBytes ?? 2 ** 50
      const bytes = used(account, rse)
      const files = 0
      return [{ rse_id: rseId(rse), rse, bytes, files, bytes_limit: limit, bytes_remaining: limit - bytes }]
    },
    clean(all) {
      for (const rule of [...rules.values()])
        if (all || (rule.expiresAt !== null && rule.expiresAt <= Date.now())) rules.delete(rule.id)
    },
    remove(account, id, ways) {
      if (!isAdmin(account, ways))
        return refuse(401, 'AccessDenied', `Account ${account} can not remove this replication rule. `)
      const found = withRule(id, rule => {
        rule.expiresAt = Math.min(rule.expiresAt ?? Number.POSITIVE_INFINITY, Date.now() + 3_600_000)
        return undefined
      })
      return found
    },
  }
}

export function isRefusal(value: object): value is Refusal {
  return 'class' in value
}

type Lock = {
  readonly scope: string
  readonly name: string
  readonly rse_id: string
  readonly rse: string
  readonly state: 'OK' | 'REPLICATING' | 'STUCK'
  readonly rule_id: string
}
type State = { readonly word: Lock['state'] | Ways['state']; readonly locks: readonly Lock[] }

const noQuota = "There is insufficient quota on any of the target RSE's to fulfill the operation."

/** One lock a file and copy, at the RSEs that have most of the files already. */
function state(rule: Rule, contents: Contents, rses: readonly Rse[], ways: Ways): State {
  const entry: Entry | undefined = contents.did(rule.scope, rule.name)
  const files = entry === undefined ? [] : filesOf(entry)
  const count = (rse: string): number => files.filter(file => isAt(file, rse)).length
  const targets = [...rsesOf(rule.expression, rses)].sort((a, b) => count(b) - count(a)).slice(0, rule.copies)
  const locks = targets.flatMap(rse =>
    files.map(
      (file): Lock => ({
        scope: file.scope,
        name: file.name,
        rse_id: rseId(rse),
        rse,
        state: isAt(file, rse) ? 'OK' : ways.stuck === '' ? 'REPLICATING' : 'STUCK',
        rule_id: rule.id,
      }),
    ),
  )
  const word = (['STUCK', 'REPLICATING'] as const).find(each => locks.some(lock => lock.state === each))
  return { word: ways.state === '' ? (word ?? 'OK') : ways.state, locks }
}

function isAt(file: SeedFile, rse: string): boolean {
  return (file.replicas[rse] ?? 'unavailable') !== 'unavailable'
}

function ruleObject(rule: Rule, contents: Contents, { word, locks }: State, ways: Ways): object {
  const count = (state: Lock['state']): number => locks.filter(lock => lock.state === state).length
  const utc = (ms: number): string => new Date(ms).toUTCString().replace('GMT', 'UTC')
  return {
    ...{ id: rule.id, scope: rule.scope, name: rule.name, account: rule.account, state: word },
    did_type: contents.did(rule.scope, rule.name)?.type ?? 'DATASET',
    rse_expression: rule.expression,
    copies: rule.copies,
    locks_ok_cnt: count('OK'),
    locks_replicating_cnt: count('REPLICATING'),
    locks_stuck_cnt: count('STUCK'),
    error: word === 'STUCK' ? ways.stuck : null,
    ...{ comments: rule.comments, grouping: rule.grouping, activity: rule.activity, priority: 3 },
    created_at: utc(rule.createdAt),
    updated_at: utc(rule.createdAt),
    expires_at: rule.expiresAt === null ? null : utc(rule.expiresAt),
    stuck_at: word === 'STUCK' ? utc(rule.createdAt) : null,
    ...{ weight: null, notification: 'NO', child_rule_id: null, locked: false, eol_at: null, meta: null },
    ...{ purge_replicas: false, split_container: false, ignore_availability: false, deleted_at: null },
    ...{ ignore_account_limit: false, subscription_id: null, source_replica_expression: null },
  }
}

function refuse(status: number, exceptionClass: string, message: string): Refusal {
  return { status, class: exceptionClass, message }
}
