import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { emptySidecar } from '../../src/words/part.ts'
import { toIso } from '../../src/words/world.ts'
import { sweep, world } from '../help/data.ts'
import { didOf, fileName, missingText, openData, putListed, putWhole } from '../help/dataset.ts'
import { ask, type Bench, call, openBench } from '../help/site.ts'

const test = suite('datasets')
let root: Root
let bench: Bench
test.before.each(async () => {
  root = await openData()
  bench = await openBench(root)
})
test.after.each(() => bench.web.close())
test.after(sweep)

const at = toIso(1_767_225_600_000)
type Row = Record<string, unknown>

async function one(name: string): Promise<Row> {
  const { status, json } = await call(bench.port, 'GET', `/datasets/${encodeURIComponent(name)}`)
  assert.is(status, 200, name)
  return json
}

async function sidecar(name: string, i: number, more: object): Promise<void> {
  const record = { ...emptySidecar(`mc16:${fileName(i)}`, 5), ...more }
  await writeFile(layout.sidecar(root, name, fileName(i)), JSON.stringify(record))
}

test('a container shows how far each of its datasets is', async () => {
  const name = await putWhole(root, didOf('mc16.x.box'), 5, { type: 'CONTAINER' })
  const lines = (await readFile(layout.listing(root, name), 'utf8')).trimEnd().split('\n')
  const [head = '', ...files] = lines
  const named = files.map((line, i) =>
    JSON.stringify({ ...JSON.parse(line), dataset: `mc16:d${i < 2 ? 1 : 2}` }),
  )
  await writeFile(layout.listing(root, name), [head, ...named].map(line => `${line}\n`).join(''))
  const member = (did: string, total: number, done: number) => ({
    did,
    files: { total, done },
    bytes: { total: 5 * total, done: 5 * done },
  })
  assert.equal((await one(name))['datasets'], [member('mc16:d1', 2, 2), member('mc16:d2', 3, 3)])
  await rm(layout.file(root, name, fileName(3)))
  const row = await one(name)
  assert.equal(row['datasets'], [member('mc16:d1', 2, 2), member('mc16:d2', 3, 2)])
  assert.equal(
    (row['unfinished'] as Row[]).map(each => each['path']),
    [fileName(3)],
  )
})

test('of thousands of unfinished files the first are shown, one that has been tried before them', async () => {
  const name = await putListed(root, didOf('mc16.x.long'), 2500)
  await writeFile(layout.request(root, name), '')
  await sidecar(name, 2000, { tries: 3 })
  const row = await one(name)
  const shown = row['unfinished'] as Row[]
  assert.is(shown.length, 1000)
  assert.equal([shown[0]?.['path'], shown[0]?.['tries']], [fileName(2000), 3])
  assert.is(shown[1]?.['path'], fileName(0))
  assert.is(row['unfinished_more'], 1500)
  assert.equal(row['files'], { total: 2500, done: 0 })
  assert.equal(row['datasets'], [])
})

test('each state of a dataset has its word', async () => {
  const request = (name: string, text = '') => writeFile(layout.request(root, name), text)
  await request('mc16.x.listing')
  await putListed(root, didOf('mc16.x.waits'), 2)
  await request('mc16.x.waits', '{"priority": 4}')
  await putListed(root, didOf('mc16.x.coming'), 2)
  await request('mc16.x.coming')
  bench.progress.set('mc16.x.coming', new Map([[fileName(0), { bytes: 3, rate: 2, rse: 'A', host: 'a:1' }]]))
  await putListed(root, didOf('mc16.x.paused'), 2)
  await request('mc16.x.paused', '{"paused": true}')
  await request('mc16.x.broken', '{"priority": ')
  await putListed(root, didOf('mc16.x.removing'), 2)
  await request('mc16.x.removing', '{"remove": true}')
  await request('mc16.x.none')
  await writeFile(layout.answer(root, 'mc16.x.none'), missingText(didOf('mc16.x.none'), world.now() + 60_000))
  await putWhole(root, didOf('mc16.x.whole'), 2)
  await putWhole(root, didOf('mc16.x.harmed'), 2)
  await rm(layout.file(root, 'mc16.x.harmed', fileName(0)))
  await putListed(root, didOf('mc16.x.stopped'), 2)
  await putWhole(root, didOf('mc16.x.before'), 2)
  await rename(layout.dataset(root, 'mc16.x.before'), layout.dataset(root, 'mc16.x.renamed'))
  await symlink('/etc', layout.dataset(root, 'mc16.x.linked'))
  await request('mc16.x.linked')

  const { json } = await call(bench.port, 'GET', '/datasets')
  const rows = json['datasets'] as Row[]
  assert.equal(Object.fromEntries(rows.map(row => [row['name'], row['state']])), {
    'mc16.x.broken': 'broken',
    'mc16.x.coming': 'downloading',
    'mc16.x.harmed': 'harmed',
    'mc16.x.linked': 'broken',
    'mc16.x.listing': 'listing',
    'mc16.x.none': 'does_not_exist',
    'mc16.x.paused': 'paused',
    'mc16.x.removing': 'removing',
    'mc16.x.renamed': 'stopped',
    'mc16.x.stopped': 'stopped',
    'mc16.x.waits': 'waiting',
    'mc16.x.whole': 'whole',
  })
  const waits = rows.find(row => row['name'] === 'mc16.x.waits')
  assert.equal(waits, {
    name: 'mc16.x.waits',
    did: 'mc16:mc16.x.waits',
    state: 'waiting',
    files: { total: 2, done: 0 },
    bytes: { total: 10, so_far: 0 },
    rate: null,
    eta_seconds: null,
    priority: 4,
    reason: 'offline',
    message: 'No connection.',
    rule: null,
  })
  const status = await call(bench.port, 'GET', '/status')
  assert.equal(status.json['rucio_download'], {
    downloading: [
      'mc16.x.broken',
      'mc16.x.coming',
      'mc16.x.harmed',
      'mc16.x.listing',
      'mc16.x.paused',
      'mc16.x.waits',
    ],
  })
})

test('bytes count what is verified, what is synced in parts, and what has come since', async () => {
  const name = await putWhole(root, didOf('mc16.x.part'), 4)
  await rm(layout.file(root, name, fileName(1)))
  await rm(layout.file(root, name, fileName(2)))
  await rm(layout.file(root, name, fileName(3)))
  await writeFile(layout.request(root, name), '')
  await sidecar(name, 1, { ranges: [{ from: 0, to: 2, adler32: '00000001' }] })
  await sidecar(name, 2, {
    tries: 3,
    next_try: at,
    source: { rse: 'SITE_B', host: 'b.example.org:443' },
    error: { reason: 'stalled', message: 'The storage stopped sending.', at },
  })
  bench.progress.set(
    name,
    new Map([[fileName(1), { bytes: 4, rate: 2, rse: 'SITE_A', host: 'a.example.org:1094' }]]),
  )
  const row = await one(name)
  assert.is(row['state'], 'downloading')
  assert.equal(row['files'], { total: 4, done: 1 })
  assert.equal(row['bytes'], { total: 20, so_far: 9 })
  assert.is(row['rate'], 2)
  assert.is(row['eta_seconds'], 6)
  assert.equal(row['unfinished'], [
    {
      path: fileName(1),
      did: `mc16:${fileName(1)}`,
      bytes: 5,
      so_far: 4,
      rate: 2,
      reason: null,
      message: null,
      tries: 0,
      next_try: null,
      source: { rse: 'SITE_A', host: 'a.example.org:1094' },
    },
    {
      path: fileName(2),
      did: `mc16:${fileName(2)}`,
      bytes: 5,
      so_far: 0,
      rate: null,
      reason: 'stalled',
      message: 'The storage stopped sending.',
      tries: 3,
      next_try: at,
      source: { rse: 'SITE_B', host: 'b.example.org:443' },
    },
    {
      path: fileName(3),
      did: `mc16:${fileName(3)}`,
      bytes: 5,
      so_far: 0,
      rate: null,
      reason: null,
      message: null,
      tries: 0,
      next_try: null,
      source: null,
    },
  ])
})

test('a dataset is found by NAME and by DID, and what nobody asked for is 404', async () => {
  await putWhole(root, didOf('other:mc16.x.y'), 1)
  assert.is((await one('other=3Amc16.x.y'))['did'], 'other:mc16.x.y')
  assert.is((await one('other:mc16.x.y'))['name'], 'other=3Amc16.x.y')
  for (const name of ['mc16.x.y', '..', 'requests', '.rucio', 'a:b:c']) {
    const { status, json } = await call(bench.port, 'GET', `/datasets/${encodeURIComponent(name)}`)
    assert.is(`${status} ${json['code']}`, '404 not_found', name)
  }
})

test('what is wrong with a request is told in the words that lie beside it', async () => {
  await writeFile(layout.request(root, 'mc16.x.bad'), '[]')
  assert.match(String((await one('mc16.x.bad'))['message']), /a request is an object/)
  await writeFile(layout.problem(root, 'mc16.x.bad.json'), 'Write {} into it.\n')
  bench.changed()
  const row = await one('mc16.x.bad')
  assert.is(row['message'], 'Write {} into it.')
  assert.is(row['reason'], 'refused')
})

test('GET / lists the calls', async () => {
  const { json } = await call(bench.port, 'GET', '/')
  assert.is(json['name'], 'desktop-rucio')
  assert.is(json['url'], bench.web.url)
  const calls = (json['calls'] as Row[]).map(each => each['call'])
  assert.equal(calls, [
    'GET /',
    'GET /status',
    'GET /doctor',
    'GET /logs',
    'GET /ds',
    'POST /ds',
    'DELETE /ds',
    'GET /dsfiles',
    'GET /datasets',
    'GET /datasets/NAME',
  ])
})

test('GET /status has the frozen keys and how the daemon is', async () => {
  await bench.web.close()
  bench = await openBench(root, { troubles: ['No connection.'] })
  const { status, json } = await call(bench.port, 'GET', '/status')
  assert.is(status, 200)
  assert.equal(json, {
    grid_cert: {
      is_good: true,
      identity: null,
      proxy_ends: null,
      certificate_ends: null,
      token_ends: null,
      error: null,
    },
    rucio_download: { downloading: [] },
    data_id: root.id,
    url: bench.web.url,
    version: '1.2.3',
    state: 'ready',
    message: '',
    troubles: ['No connection.'],
    login_url: null,
    authorities: null,
    rules_left: [],
  })
  await mkdir(layout.status(root, '').replace(/\/\.json$/, ''), { recursive: true })
  await writeFile(
    layout.status(root, 'grid_cert'),
    '{"format": 1, "is_good": false, "error": "The proxy has ended.", "more": 1}',
  )
  assert.equal((await call(bench.port, 'GET', '/status')).json['grid_cert'], {
    is_good: false,
    // A key that the record lacks is there all the same: clients read it.
    identity: null,
    proxy_ends: null,
    certificate_ends: null,
    token_ends: null,
    error: 'The proxy has ended.',
    more: 1,
  })
  const authorities = {
    ...{ valid: 80, expired: 3, broken: 0, crl: { fresh: 79, stale: 1, missing: 0 }, warnings: ['One.'] },
    update: { by: 'fetch-crl', running: false, ended: null, next: null, error: null },
  }
  await writeFile(layout.status(root, 'authorities'), JSON.stringify({ format: 1, ...authorities }))
  assert.equal((await call(bench.port, 'GET', '/status')).json['authorities'], authorities)
})

test('a wish is in /status as soon as it is answered, and a removal is not', async () => {
  const downloading = async () =>
    ((await call(bench.port, 'GET', '/status')).json['rucio_download'] as { downloading: string[] })
      .downloading
  assert.equal(await downloading(), [])
  await ask(bench.port, 'POST', '/ds?ds_name=mc16.x.b')
  await ask(bench.port, 'POST', '/ds?ds_name=mc16.x.a')
  assert.equal(await downloading(), ['mc16.x.a', 'mc16.x.b'])
  await ask(bench.port, 'DELETE', '/ds?ds_name=mc16.x.b')
  assert.equal(await downloading(), ['mc16.x.a'])
})

test('/status answers while DATA is missing, and says so before the loop has noticed', async () => {
  await writeFile(layout.request(root, 'mc16.x.a'), '')
  await rm(layout.own(root), { recursive: true })
  const { status, json } = await call(bench.port, 'GET', '/status')
  assert.is(status, 200)
  assert.is(json['state'], 'data_dir_missing')
  assert.match(String(json['message']), /mount it again/)
  assert.equal(json['rucio_download'], { downloading: [] })
  bench.become('data_dir_missing', 'It is not mounted.')
  assert.is((await call(bench.port, 'GET', '/status')).json['message'], 'It is not mounted.')
})

test.run()
