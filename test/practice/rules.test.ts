// Replication rules as the recorded Rucio 41.5.1 has them: the contract, and what only a grid of our own can show.

import { Agent } from 'node:https'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { object } from '../contract/expect.ts'
import * as names from '../contract/names.ts'
import { facts, schemes, seed } from '../contract/practice-seed.ts'
import { ruleContract } from '../contract/rules.ts'
import { call, type Subject, tokenOf } from '../contract/subject.ts'
import { ask } from '../help/ask.ts'

const test = suite('practice rules')

let grid: PracticeGrid
let subject: Subject

test.before(async () => {
  grid = await startPracticeGrid({ seed, schemes, rses: Object.keys(schemes) })
  const agent = new Agent({ ca: grid.caPem, keepAlive: true })
  subject = { rucioUrl: grid.url, agent, facts, token: await tokenOf({ rucioUrl: grid.url, agent }) }
})
test.after(async () => {
  subject.agent.destroy()
  await grid.stop()
})

ruleContract(test, () => subject)

test('a rule is stuck when it is told so, and OK once the files are there; root may end it', async () => {
  const body = { dids: [names.onlyBad], account: 'jdoe', copies: 1, rse_expression: 'POSIX1' }
  const [id = ''] = JSON.parse((await call(subject, '/rules/', { body })).body.toString())
  const state = async (): Promise<unknown> => {
    const { state, error, locks_ok_cnt, locks_stuck_cnt } = object(await call(subject, `/rules/${id}`))
    return [state, error, locks_ok_cnt, locks_stuck_cnt]
  }
  assert.equal(await state(), ['REPLICATING', null, 0, 0])
  await grid.setCatalogue({ stuckRules: 'MISMATCH_CHECKSUM: source and destination differ' })
  assert.equal(await state(), ['STUCK', 'MISMATCH_CHECKSUM: source and destination differ', 0, 1])
  const analysis = object(await call(subject, `/rules/${id}/analysis`))
  assert.is((analysis['transfers'] as unknown[]).length, 1)
  const datasets = seed.datasets.map(each => ({
    ...each,
    files: each.files.map(file => ({ ...file, replicas: { ...file.replicas, POSIX1: 'good' as const } })),
  }))
  grid.setSeed({ ...seed, datasets })
  assert.equal(await state(), ['OK', null, 1, 0])
  const headers = { 'X-Rucio-Username': 'root', 'X-Rucio-Password': 'root-secret' }
  const root = await ask(`${grid.url}/auth/userpass`, { ca: grid.caPem, headers })
  const token = String(root.headers['x-rucio-auth-token'])
  const gone = await ask(`${grid.url}/rules/${id}`, {
    method: 'DELETE',
    ca: grid.caPem,
    headers: { 'X-Rucio-Auth-Token': token },
    body: '{}',
  })
  assert.equal([gone.status, gone.text], [200, ''])
  const ending = object(await call(subject, `/rules/${id}`))
  assert.match(String(ending['expires_at']), / UTC$/)
})

test.run()
