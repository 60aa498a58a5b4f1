import { unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { sweep, world } from '../help/data.ts'
import { appears, type Dataset, dataset, type Home, openHome, until } from '../help/home.ts'
import { recordsIn, schemaOf } from '../help/records.ts'
import { complaintsOf } from '../help/schema.ts'

const test = suite('records of a real run')

const answers = fileURLToPath(new URL('../../../src/web/schemas/', import.meta.url))

/** The same files with other replicas and checksums. */
function changed(of: Dataset, change: Partial<SeedFile>): Dataset {
  return { ...of, files: of.files.map(file => ({ ...file, ...change })) }
}

const good = dataset('good', { files: 4, bytes: 300_000 })
const bare = changed(dataset('bare', { files: 1 }), { checksums: [] })
const md5 = changed(dataset('md5', { files: 1 }), { checksums: ['md5'] })
const big = dataset('big', { files: 1, bytes: 6_000_000, rse: 'SLOW' })
const wrong = changed(dataset('wrong', { files: 1 }), { replicas: { FAST: 'corrupt', SLOW: 'good' } })
const down = dataset('down', { files: 1, rse: 'DOWN' })
const odd = dataset('/store/data/x', { files: 1, scope: 'cms' })
const all = [good, bare, md5, big, wrong, down, odd, dataset('paused'), dataset('gone')]

let grid: PracticeGrid
let home: Home
/** schemas and states that were met; a run that meets too few proves too little */
const met = new Set<string>()

test.before(async () => {
  grid = await startPracticeGrid({
    seed: {
      datasets: all,
      containers: [
        { scope: 'hands', name: 'all', children: [good, md5].map(({ scope, name }) => ({ scope, name })) },
      ],
    },
    rses: ['FAST', 'SLOW', 'DOWN'],
  })
  await grid.setFaults('SLOW', { rate: 1_500_000, dropEvery: 700_000 })
  home = await openHome({ grid, world, env: { DESKTOP_RUCIO_CHECKPOINT_EVERY: '0.2' } })
})
test.after(async () => {
  await home.end()
  await grid.stop()
  await sweep()
})

async function lookAtRecords(): Promise<void> {
  for (const { where, schema, json } of await recordsIn(home.dir)) {
    assert.ok(schema !== undefined, `no schema describes ${where}`)
    assert.equal(complaintsOf(schemaOf(schema), json), [], where)
    met.add(schema)
  }
}

/** Every record and every answer as it is at this moment. */
async function look(): Promise<void> {
  await lookAtRecords()
  const { json } = await home.get('/datasets')
  assert.equal(complaintsOf(join(answers, 'datasets.json'), json), [])
  for (const { name, state } of json['datasets'] as { name: string; state: string }[]) {
    met.add(state)
    const one = await home.get(`/datasets/${encodeURIComponent(name)}`)
    // It may have gone between the two.
    if (one.status === 200) assert.equal(complaintsOf(join(answers, 'dataset.json'), one.json), [], name)
  }
}

async function lookUntil(isSo: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    await look()
    return (await isSo()) || `met only ${[...met].sort().join(', ')}`
  })
}

const is = async (did: string, word: string): Promise<boolean> => (await home.ds('GET', did)) === word

test('every record and answer of a run with trouble fits its schema at every moment', async () => {
  await writeFile(
    home.path('requests', 'hands=3Apaused.json'),
    '{"did": "hands:paused", "paused": true, "mine": [1]}',
  )
  const wanted = ['good', 'bare', 'md5', 'big', 'wrong', 'down', 'nowhere', 'all'].map(
    name => `hands:${name}`,
  )
  for (const did of [...wanted, 'cms:/store/data/x']) await home.ds('POST', did)
  await home.get('/dsfiles?ds_name=hands:gone')
  await home.get('/dsfiles?ds_name=hands:nobody')
  const whole = ['good', 'bare', 'md5', 'big', 'wrong', 'all'].map(name => `hands:${name}`)
  await lookUntil(async () => {
    for (const did of [...whole, 'cms:/store/data/x']) if (!(await is(did, 'local'))) return false
    return (await is('hands:nowhere', 'does_not_exist')) && met.has('sidecar')
  })
  await home.ds('DELETE', 'hands:good')
  await lookUntil(async () => await is('hands:good', 'not_on_server'))
  await writeFile(home.path('hands=3Amd5', md5.files[0]?.name ?? ''), 'changed')
  await lookUntil(async () => met.has('harmed'))
})

test('a request that moves the data to a site, and a broken one, are shown by answers that fit', async () => {
  await writeFile(
    home.path('requests', 'hands=3Asite.json'),
    '{"destination": {"rse": "SITE", "mount": "/mnt/site"}, "created": "2026-03-01T10:05:12Z"}',
  )
  await writeFile(home.path('requests', 'hands=3Atorn.json'), '{"priority": ')
  await appears(home.path('requests', 'hands=3Atorn.json.problem'))
  const { json } = await home.get('/datasets')
  assert.equal(complaintsOf(join(answers, 'datasets.json'), json), [])
  assert.ok((json['datasets'] as { state: string }[]).some(each => each.state === 'broken'))
  await unlink(home.path('requests', 'hands=3Atorn.json'))
})

test('the run met every kind of record', async () => {
  // How storages have done is written once a minute, and at the end.
  await home.end()
  await lookAtRecords()
  const records = [
    'authorities',
    'complete',
    'config',
    'format',
    'grid_cert',
    'host',
    'listing.head',
    'listing.line',
  ]
  const more = ['missing.head', 'owner', 'request', 'sidecar', 'verified.head', 'verified.line']
  for (const schema of [...records, ...more]) assert.ok(met.has(schema), schema)
  for (const state of ['downloading', 'does_not_exist', 'whole', 'harmed', 'paused'])
    assert.ok(met.has(state), state)
})

test.run()
