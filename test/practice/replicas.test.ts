// POST /replicas/list as the recorded Rucio 41.5.1 answers it (the numbers of its exchanges are in the names).

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { ask, jsonLines, type Told } from '../help/ask.ts'

const test = suite('practice replicas')

const scope = 'mc16_13TeV'
function file(name: string, replicas: SeedFile['replicas']): SeedFile {
  return { scope, name, bytes: 100, checksums: ['adler32', 'md5'], replicas }
}
const both = file('DAOD_PHYS.01._000001.pool.root.1', { XRD1: 'good', XRD2: 'good' })
const dead = file('dead.root', { DOWN1: 'good', XRD2: 'good' })
const tape = file('tape.root', { TAPE1: 'good' })
const lost = file('lost.root', { XRD1: 'unavailable' })
const none = file('none.root', {})
let grid: PracticeGrid
let token = ''

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['XRD1', 'XRD2', 'DOWN1', 'TAPE1'],
    schemes: { XRD1: ['davs', 'root'], XRD2: ['https', 'davs', 'file'] },
    seed: {
      datasets: [
        { scope, name: 'some', open: false, files: [both, dead, tape, lost, none] },
        { scope, name: 'again', open: false, files: [both] },
      ],
      containers: [],
    },
  })
  const headers = { 'X-Rucio-Username': 'jdoe', 'X-Rucio-Password': 'jdoe-secret' }
  const told = await ask(`${grid.url}/auth/userpass`, { ca: grid.caPem, headers })
  token = String(told.headers['x-rucio-auth-token'])
})
test.after(() => grid.stop())

function list(body: object, query = ''): Promise<Told> {
  return ask(`${grid.url}/replicas/list${query}`, {
    method: 'POST',
    ca: grid.caPem,
    headers: { 'X-Rucio-Auth-Token': token, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
}
async function lines(body: object): Promise<Record<string, unknown>[]> {
  const told = await list(body)
  assert.equal([told.status, told.headers['content-type']], [200, 'application/x-json-stream'])
  return jsonLines(told.text)
}
const one = { dids: [{ scope, name: both.name }] }
const pfns = (line: Record<string, unknown> | undefined): Record<string, Record<string, unknown>> =>
  line?.['pfns'] as Record<string, Record<string, unknown>>

test('a line tells all of a file and its places, in the order of use (80)', async () => {
  const [line, ...others] = await lines({ ...one, schemes: ['davs', 'https', 'root'] })
  assert.equal(others, [])
  assert.equal(Object.keys(line ?? {}), [
    'scope',
    'name',
    'bytes',
    'md5',
    'adler32',
    'pfns',
    'rses',
    'states',
  ])
  const path = 'rucio/mc16_13TeV/52/0e/DAOD_PHYS.01._000001.pool.root.1'
  const [one1, one2] = [grid.rse('XRD1'), grid.rse('XRD2')]
  assert.equal(Object.keys(pfns(line)), [
    `davs://${one1}/${path}`,
    `root://${one1}//${path}`,
    `https://${one2}/${path}`,
    `davs://${one2}/${path}`,
  ])
  const places = Object.values(pfns(line))
  assert.equal(
    places.map(place => place['priority']),
    [1, 2, 3, 4],
  )
  const { rse_id, ...place } = places[0] ?? {}
  assert.match(String(rse_id), /^[0-9a-f]{32}$/)
  assert.equal(place, {
    rse: 'XRD1',
    type: 'DISK',
    volatile: false,
    domain: 'wan',
    priority: 1,
    client_extract: false,
  })
  assert.equal(line?.['states'], { XRD1: 'AVAILABLE', XRD2: 'AVAILABLE' })
  assert.equal(Object.keys(line?.['rses'] as object), ['XRD1', 'XRD2'])
})

test('without schemes there is one place for each RSE, with one that nobody has none (81, cc)', async () => {
  const [line] = await lines(one)
  assert.is(Object.keys(pfns(line)).length, 2)
  const [nowhere] = await lines({ ...one, schemes: ['s3'] })
  assert.equal([nowhere?.['pfns'], nowhere?.['rses']], [{}, {}])
  assert.equal(nowhere?.['states'], { XRD1: 'AVAILABLE', XRD2: 'AVAILABLE' })
})

test('a POSIX place has no port', async () => {
  const [line] = await lines({ ...one, schemes: ['file'] })
  assert.match(Object.keys(pfns(line))[0] ?? '', /^file:\/\/localhost:0\/rucio\/mc16_13TeV\/52\/0e\//)
})

test('what is unknown, lost or nowhere is left out, and all_states shows what is lost (86, 87, 91, c0)', async () => {
  const names = (found: Record<string, unknown>[]): unknown[] => found.map(line => line['name'])
  const dids = [
    { scope, name: 'some' },
    { scope, name: 'no.such' },
  ]
  assert.equal(names(await lines({ dids, schemes: ['davs'] })), [both.name, dead.name, tape.name])
  const all = await lines({ dids, schemes: ['davs'], all_states: true })
  assert.equal(names(all), [both.name, dead.name, lost.name, tape.name])
  assert.equal(all[2]?.['states'], { XRD1: 'UNAVAILABLE' })
  const unknown = await list({ dids: [{ scope, name: 'no.such' }] })
  assert.equal([unknown.status, unknown.headers['content-length']], [200, '0'])
  assert.is((await list({ dids: [], schemes: ['davs'] })).headers['content-length'], '0')
})

test('a file comes once, however often it is asked for (c1, cg)', async () => {
  const dids = [...one.dids, ...one.dids, { scope, name: 'again' }]
  assert.is((await lines({ dids })).length, 1)
})

test('tape is marked, and an expression leaves it out (c5, c7, 84, 85)', async () => {
  const [line] = await lines({ dids: [{ scope, name: tape.name }], schemes: ['davs'] })
  assert.is(Object.values(pfns(line))[0]?.['type'], 'TAPE')
  const without = await lines({ dids: [{ scope, name: 'some' }], rse_expression: '*\\istape=true' })
  assert.equal(
    without.map(each => each['name']),
    [both.name, dead.name],
  )
  const [south] = await lines({ ...one, rse_expression: 'XRD2' })
  assert.equal(south?.['states'], { XRD2: 'AVAILABLE' })
  const bad = await list({ ...one, rse_expression: 'NOSUCH' })
  assert.equal([bad.status, bad.headers['exceptionclass']], [500, 'InvalidRSEExpression'])
})

test('domains are as odd as recorded (c2-c4)', async () => {
  const domains = async (domain: string): Promise<unknown> =>
    Object.values(pfns((await lines({ ...one, domain }))[0])).map(place => place['domain'])
  assert.equal(await domains('wan'), ['wan', 'wan'])
  assert.equal(await domains('lan'), ['lan', 'lan'])
  assert.equal(await domains('all'), ['lan', 'lan'])
})

test('sort is one of three (c9, ca)', async () => {
  assert.is((await lines({ ...one, sort: 'random' })).length, 1)
  const told = await list({ ...one, sort: 'closeness' })
  assert.equal([told.status, told.headers['exceptionclass']], [400, 'SortingAlgorithmNotSupported'])
})

test('1000 DIDs are taken, 1001 are refused with all of them in the answer (93)', async () => {
  const dids = Array.from({ length: 1001 }, (_, i) => ({ scope, name: `no.such.${i}` }))
  assert.is((await list({ dids: dids.slice(1) })).status, 200)
  for (const body of [{ dids }, { dids: 3 }, {}, { dids: [{ scope }] }]) {
    const told = await list(body)
    assert.equal([told.status, told.headers['exceptionclass']], [400, 'InvalidObject'])
    assert.ok(String(told.headers['exceptionmessage']).length <= 128)
  }
  assert.ok((await list({ dids })).bytes.length > 30_000)
  const limit = await list(one, '?limit=1')
  assert.equal([limit.status, limit.headers['content-type']], [500, 'text/html; charset=utf-8'])
})

test('another seed takes the place of the first at once', async () => {
  const other = file('other.root', { XRD2: 'good' })
  grid.setSeed({ datasets: [{ scope, name: 'new', open: false, files: [other] }], containers: [] })
  assert.equal(await lines(one), [])
  assert.is((await lines({ dids: [{ scope, name: 'new' }] })).length, 1)
})

test.run()
