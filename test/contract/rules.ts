// The contract of replication rules: made, joined, asked about, and not to be deleted by their owner.

import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { didOf, filesOf, keysOf, type Line, list, object, rucioError } from './expect.ts'
import * as names from './names.ts'
import { type Answer, call, type Subject } from './subject.ts'

const noRule = '/rules/00000000000000000000000000000000'

export function ruleContract(test: Test, subject: () => Subject): void {
  const rule = (did: object, more: object = {}): Promise<Answer> =>
    call(subject(), '/rules/', {
      body: { dids: [did], account: 'jdoe', copies: 1, rse_expression: 'XRD1', ...more },
    })

  test('a rule on what must be moved is REPLICATING, one lock a file, and a second like it is refused', async () => {
    const rse_expression = await unused(subject(), names.onlyBad)
    const id = idOf(await rule(names.onlyBad, { rse_expression, comment: 'desktop-rucio', lifetime: 3600 }))
    const made = object(await call(subject(), `/rules/${id}`))
    assert.is(made['id'], id)
    assert.is(made['state'], 'REPLICATING')
    assert.is(made['account'], 'jdoe')
    assert.is(made['rse_expression'], rse_expression)
    assert.is(made['comments'], 'desktop-rucio')
    assert.is(made['locks_replicating_cnt'], 1)
    assert.is(made['locks_ok_cnt'], 0)
    assert.is(made['locks_stuck_cnt'], 0)
    assert.is(made['error'], null)
    assert.match(String(made['expires_at']), / UTC$/)
    const locks = list(await call(subject(), `/rules/${id}/locks`))
    assert.equal(locks.map(didOf), filesOf(subject().facts, names.key(names.onlyBad)).map(didOf))
    for (const lock of locks) {
      assert.equal(keysOf(lock), ['name', 'rse', 'rse_id', 'rule_id', 'scope', 'state'])
      assert.is(lock['state'], 'REPLICATING')
    }
    const analysis = object(await call(subject(), `/rules/${id}/analysis`))
    assert.equal(keysOf(analysis), ['rule_error', 'transfers'])
    rucioError(await rule(names.onlyBad, { rse_expression }), 409, 'DuplicateRule')

    const lists = [
      `${names.path(names.onlyBad)}/rules`,
      '/accounts/jdoe/rules',
      `/rules/?account=jdoe&scope=${names.onlyBad.scope}&name=${names.onlyBad.name}`,
    ]
    for (const path of lists) {
      const found = list(await call(subject(), path))
      assert.is(
        found.some(line => line['id'] === id),
        true,
        path,
      )
    }
    // Under the generic policy only an admin deletes; the status alone would look like a token that has ended.
    const body = { purge_replicas: false }
    rucioError(await call(subject(), `/rules/${id}`, { method: 'DELETE', body }), 401, 'AccessDenied')
    rucioError(await call(subject(), `/rules/${id}`, { method: 'DELETE' }), 400, 'ValueError')
    const options = { lifetime: 7200 }
    const renewed = await call(subject(), `/rules/${id}`, { method: 'PUT', body: { options } })
    rucioError(renewed, 401, 'AccessDenied')
    rucioError(await call(subject(), `/rules/${id}`, { method: 'PUT', body: {} }), 400, 'KeyError')
  })

  test('the account of a login is told by a redirect that is relative', async () => {
    const answer = await call(subject(), '/accounts/whoami')
    assert.is(answer.status, 303)
    assert.is(answer.headers.location, 'jdoe')
  })

  test('an RSE tells its protocols, each with the prefix that its PFNs begin with', async () => {
    const rse = object(await call(subject(), '/rses/XRD1'))
    assert.is(rse['rse'], 'XRD1')
    const keys = 'domains extended_attributes hostname impl port prefix scheme'
    for (const protocol of rse['protocols'] as Line[]) {
      assert.is(keysOf(protocol).join(' '), keys)
      assert.is(protocol['prefix'], protocol['scheme'] === 'root' ? '//rucio/' : '/rucio/')
    }
    assert.equal((rse['protocols'] as Line[]).map(each => each['scheme']).sort(), [
      ...(subject().facts.schemes['XRD1'] ?? []),
    ])
    rucioError(await call(subject(), '/rses/NOSUCH'), 404, 'RSENotFound')
  })

  test('what an account has at an RSE is told with its limit', async () => {
    const [usage = {}] = list(await call(subject(), '/accounts/jdoe/usage/local/XRD1'))
    assert.is(keysOf(usage).join(' '), 'bytes bytes_limit bytes_remaining files rse rse_id')
    assert.is(usage['bytes_remaining'], Number(usage['bytes_limit']) - Number(usage['bytes']))
    rucioError(await call(subject(), '/accounts/jdoe/usage/local/NOSUCH'), 404, 'RSENotFound')
  })

  test('a rule on what is there already is OK at once', async () => {
    const rse_expression = await unused(subject(), names.xrd1Only)
    const id = idOf(await rule(names.xrd1Only, { rse_expression, lifetime: 3600 }))
    const made = object(await call(subject(), `/rules/${id}`))
    assert.is(made['state'], 'OK')
    assert.is(made['locks_ok_cnt'], filesOf(subject().facts, names.key(names.xrd1Only)).length)
    assert.is(made['locks_replicating_cnt'], 0)
  })

  test('what is wrong with a rule is told by the class, whatever the status', async () => {
    rucioError(await rule(names.nobody), 404, 'DataIdentifierNotFound')
    rucioError(await rule(names.small, { rse_expression: 'NOSUCH' }), 409, 'InvalidRSEExpression')
    rucioError(await rule(names.small, { copies: 3 }), 409, 'InsufficientTargetRSEs')
    rucioError(await rule(names.small, { account: 'root' }), 500, 'AccessDenied')
    rucioError(await rule(names.small, { rse_expression: undefined }), 400, 'KeyError')
  })

  test('an unknown rule is 404 to look at, and not ours to delete', async () => {
    rucioError(await call(subject(), noRule), 404, 'RuleNotFound')
    rucioError(await call(subject(), noRule, { method: 'DELETE', body: {} }), 401, 'AccessDenied')
  })
}

/** A new rule's answer: 201, one id of 32 hex digits in a JSON list, under a content type that says HTML. */
function idOf(answer: Answer): string {
  assert.is(answer.status, 201)
  assert.match(String(answer.headers['content-type']), /^text\/html/)
  const [id = '', ...others] = JSON.parse(answer.body.toString('utf8')) as string[]
  assert.is(others.length, 0)
  assert.match(id, /^[0-9a-f]{32}$/)
  return id
}

/** An expression that means XRD1 and that no rule of this DID has yet: nobody can delete those of earlier runs. */
async function unused(
  subject: Subject,
  did: { readonly scope: string; readonly name: string },
): Promise<string> {
  const rules: Line[] = list(await call(subject, `${names.path(did)}/rules`))
  return ['XRD1', ...rules.map(() => 'XRD1')].join('|')
}
