// Replication rules of the practice grid: made, looked at, not to be deleted by their owner (facts/rucio.md 6). Never moves a byte: a rule
// is OK once the seed has a good replica of every file where the rule wants it.

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

export type Rules = {
  /** @returns ids of the new rules, one for each DID */
  readonly make: (account: string, body: unknown) => readonly string[] | Refusal
  /** @param stuck not empty: what is not there yet is stuck, with this error */
  readonly object: (id: string, stuck: string) => object | Refusal
  readonly locks: (id: string, stuck: string) => readonly object[] | Refusal
  readonly analysis: (id: string, stuck: string) => object | Refusal
  readonly list: (
    filter: Partial<Record<'account' | 'scope' | 'name', string>>,
    stuck: string,
  ) => readonly object[]
  /** undefined = done: it stays to be seen, with an end */
  readonly remove: (account: string, id: string) => Refusal | undefined
}

export function openRules(contents: () => Contents, rses: readonly Rse[]): Rules {
  const rules = new Map<string, Rule>()
  const stateOf = (rule: Rule, stuck: string): State => state(rule, contents(), rses, stuck)

  function make(account: string, body: unknown): readonly string[] | Refusal {
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
    object: (id, stuck) => withRule(id, rule => ruleObject(rule, contents(), stateOf(rule, stuck), stuck)),
    locks: (id, stuck) => withRule(id, rule => stateOf(rule, stuck).locks),
    analysis: (id, stuck) =>
      withRule(id, rule => {
        const { word, locks } = stateOf(rule, stuck)
        const transfers = locks
          .filter(lock => lock.state === 'STUCK')
          .map(({ scope, name, rse, rse_id }) => ({
            ...{ scope, name, rse_id, rse },
            ...{ attempts: 0, last_error: 'None', last_source: null, sources: [], last_time: null },
          }))
        return {
          rule_error: word === 'STUCK' ? stuck : `This replication rule is currently ${word}`,
          transfers,
        }
      }),
    list: (filter, stuck) =>
      [...rules.values()]
        .filter(rule => Object.entries(filter).every(([key, value]) => rule[key as 'name'] === value))
        .map(rule => ({ ...ruleObject(rule, contents(), stateOf(rule, stuck), stuck), bytes: null })),
    remove(account, id) {
      if (account !== 'root')
        return refuse(401, 'AccessDenied', `Account ${account} can not remove this replication rule. `)
      const found = withRule(id, rule => {
        rule.expiresAt = Date.now() + 3_600_000
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
type State = { readonly word: Lock['state']; readonly locks: readonly Lock[] }

/** One lock a file and copy, at the RSEs that have most of the files already. */
function state(rule: Rule, contents: Contents, rses: readonly Rse[], stuck: string): State {
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
        state: isAt(file, rse) ? 'OK' : stuck === '' ? 'REPLICATING' : 'STUCK',
        rule_id: rule.id,
      }),
    ),
  )
  const word = (['STUCK', 'REPLICATING'] as const).find(each => locks.some(lock => lock.state === each))
  return { word: word ?? 'OK', locks }
}

function isAt(file: SeedFile, rse: string): boolean {
  return (file.replicas[rse] ?? 'unavailable') !== 'unavailable'
}

function ruleObject(rule: Rule, contents: Contents, { word, locks }: State, stuck: string): object {
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
    error: word === 'STUCK' ? stuck : null,
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
