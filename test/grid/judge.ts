// What the tests of rules need of the real grid besides the daemon: calls of Rucio as an account, and the part of Rucio's own daemons.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Answer, ask } from '../contract/subject.ts'
import { gridAgent, variable } from './seeded.ts'

export type Account = {
  /** @param path with its query
   *  @param body goes as JSON */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  /** every rule of a DID that this account has at an RSE */
  rulesOf(did: string, rse: string): Promise<readonly RuleSeen[]>
  close(): void
}

export type RuleSeen = {
  readonly id: string
  readonly state: string
  readonly account: string
  readonly rse_expression: string
  readonly comments: string | null
  readonly expires_at: string | null
}

/** Logs in with the account's password. */
export async function openAccount(name: 'jdoe' | 'root'): Promise<Account> {
  const agent = gridAgent()
  const url = variable('RUCIO_URL')
  const login = {
    'X-Rucio-Account': name,
    'X-Rucio-Username': name,
    'X-Rucio-Password': `${name}-secret`,
  }
  const answer = await ask({ url: `${url}/auth/userpass`, agent, headers: login })
  const token = answer.headers['x-rucio-auth-token']
  if (typeof token !== 'string') throw new Error(`no token for ${name}: ${answer.status}`)
  const call: Account['call'] = (method, path, body) =>
    ask({
      method,
      url: url + path,
      agent,
      headers: { 'X-Rucio-Auth-Token': token, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  return {
    call,
    async rulesOf(did, rse) {
      const [scope = '', ...rest] = did.split(':')
      const query = new URLSearchParams({ account: name, scope, name: rest.join(':') })
      const { body } = await call('GET', `/rules/?${query}`)
      const lines = body.toString().split('\n').slice(0, -1)
      return lines.map(line => JSON.parse(line) as RuleSeen).filter(each => each.rse_expression === rse)
    },
    close: () => agent.destroy(),
  }
}

/** Plays the judge and FTS for one rule (rule.py says how). */
export function judge(id: string, verb: 'OK' | 'STUCK' | 'GONE', error?: string): void {
  const script = join(variable('GRID_SRC'), 'rule.py')
  const args = [script, variable('GRID_DIR'), id, verb, ...(error === undefined ? [] : [error])]
  const done = spawnSync('python3', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`rule.py ${verb}: ${done.stdout}${done.stderr}`)
}
