import type { ServerResponse } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { closeAll, liar, never, open, reasonOf, type Say, troubleOf } from './open.ts'

const test = suite("Rucio's rules")

const did = { scope: 's', name: 's.set' }
const file = (bytes: number) => ({
  scope: 's',
  name: 'one.root',
  bytes,
  checksums: ['adler32' as const],
  replicas: { A: 'good' as const },
})
let grid: PracticeGrid

test.before(async () => {
  const datasets = [{ ...did, open: false, files: [file(100)] }]
  grid = await startPracticeGrid({ seed: { datasets, containers: [] }, rses: ['A', 'B'] })
})
test.after(async () => {
  closeAll()
  await grid.stop()
})

const wanted = { did, account: 'jdoe', rse: 'B', lifetimeSeconds: 86_400, comment: 'desktop-rucio 1' }

test('a rule is made once: the second time it is found', async () => {
  const { rules } = open(grid.url).rucio
  assert.is(await rules.account(never), 'jdoe')
  assert.is(await rules.find(wanted, never), undefined)
  const id = await rules.make(wanted, never)
  assert.is(await rules.make(wanted, never), 'duplicate')
  const rule = await rules.find(wanted, never)
  assert.is(rule?.id, id)
  assert.equal(rule, await rules.get(id, never))
  assert.equal([rule?.state, rule?.locks], ['REPLICATING', { ok: 0, replicating: 1, stuck: 0 }])
  assert.equal([rule?.comment, rule?.error, rule?.copies], ['desktop-rucio 1', null, 1])
  const life = (rule?.expiresAt ?? 0) - Date.now()
  assert.ok(life > 86_000_000 && life < 87_000_000)
})

test('rules of another RSE, account or DID are not taken for it', async () => {
  const { rules } = open(grid.url).rucio
  assert.is(await rules.find({ ...wanted, rse: 'A' }, never), undefined)
  assert.is(await rules.find({ ...wanted, account: 'root' }, never), undefined)
  assert.is(await rules.find({ ...wanted, did: { scope: 's', name: 's.other' } }, never), undefined)
})

test('a refusal is a value, a rule that is gone too; other refusals name their class', async () => {
  const { rules } = open(grid.url).rucio
  const id = (await rules.find(wanted, never))?.id ?? ''
  assert.is(await rules.renew(id, 86_400, never), 'refused')
  assert.is(await rules.end(id, never), 'refused')
  await grid.setCatalogue({ ownersMay: true })
  assert.is(await rules.renew(id, 2 * 86_400, never), 'done')
  assert.is(await rules.end(id, never), 'done')
  await grid.setCatalogue({ cleanRules: 'all' })
  assert.is(await rules.renew(id, 86_400, never), 'gone')
  assert.is(await rules.end(id, never), 'gone')
  assert.is(await rules.get(id, never), undefined)
  await grid.setCatalogue({ ownersMay: false, quotaBytes: 50 })
  assert.match((await troubleOf(rules.make(wanted, never))).detail, /InsufficientAccountLimit/)
  assert.equal(await rules.room('jdoe', 'B', never), { limit: 50, left: 50 })
  await grid.setCatalogue({ quotaBytes: null })
  assert.match(
    (await troubleOf(rules.make({ ...wanted, rse: 'NONE' }, never))).detail,
    /InvalidRSEExpression/,
  )
  const nobody = { ...wanted, did: { scope: 's', name: 'nobody' } }
  assert.is(await reasonOf(rules.make(nobody, never)), 'no_such_did')
  assert.is(await reasonOf(rules.make({ ...wanted, account: 'root' }, never)), 'refused')
})

test('a stuck rule is explained by its error', async () => {
  await grid.setCatalogue({ stuckRules: 'NO SPACE' })
  const { rules } = open(grid.url).rucio
  const id = await rules.make(wanted, never)
  assert.is((await rules.get(id, never))?.state, 'STUCK')
  assert.is(await rules.explain(id, never), 'NO SPACE')
  await grid.setCatalogue({ stuckRules: '' })
})

test('an RSE tells the prefixes of its protocols, and one that is unknown is refused', async () => {
  const { rules } = open(grid.url).rucio
  assert.equal(await rules.protocols('A', never), [{ scheme: 'davs', prefix: '/rucio/' }])
  assert.match((await troubleOf(rules.protocols('NONE', never))).detail, /RSENotFound/)
})

test('what one RSE has is asked of it alone', async () => {
  const { rucio } = open(grid.url)
  const one = { scope: 's', name: 'one.root' }
  assert.is((await rucio.replicasAt('A', [one], never)).get('s:one.root')?.replicas.length, 1)
  assert.is((await rucio.replicasAt('B', [one], never)).get('s:one.root')?.replicas.length, 0)
})

const id = '0123456789abcdef'.repeat(2)
const good = {
  id,
  account: 'jdoe',
  rse_expression: 'B',
  copies: 1,
  state: 'OK',
  locks_ok_cnt: 1,
  locks_replicating_cnt: 0,
  locks_stuck_cnt: 0,
  error: null,
  expires_at: null,
  comments: null,
}

test('an answer that makes no sense is told, and none of it believed', async () => {
  const odd = [
    { ...good, state: 'DREAMING' },
    { ...good, id: 'f'.repeat(32) },
    { ...good, id: '../accounts' },
    { ...good, locks_ok_cnt: -1 },
    { ...good, account: 7 },
    [good],
    'OK',
  ]
  for (const answer of odd) {
    const { rules } = open(await liar(says(answer))).rucio
    assert.is(await reasonOf(rules.get(id, never)), 'bad_listing', JSON.stringify(answer))
  }
  const { rules } = open(await liar(says(good))).rucio
  assert.is((await rules.get(id, never))?.expiresAt, null)
})

test('a rule that was made and not named is looked for at the next try', async () => {
  for (const body of ['', '[]', '["x"]', '{}']) {
    const { rules } = open(
      await liar((_, response) => {
        response.statusCode = 201
        response.end(body)
      }),
    ).rucio
    assert.is(await reasonOf(rules.make(wanted, never)), 'bad_listing', body)
  }
})

test('the account is told by a redirect that leads nowhere, relative or whole', async () => {
  const to = async (location: string): Promise<string> => {
    const url = await liar((_, response) => void response.writeHead(303, { location }).end())
    return await open(url).rucio.rules.account(never)
  }
  assert.is(await to('jdoe'), 'jdoe')
  assert.is(await to('https://rucio.example.org/accounts/jdoe'), 'jdoe')
  assert.is(await reasonOf(to('a b')), 'bad_listing')
  assert.is(await reasonOf(to('')), 'bad_listing')
})

test.run()

function says(body: unknown): Say {
  return (_, response: ServerResponse) => void response.end(JSON.stringify(body))
}
