// Datasets that Rucio brings to a site's storage, mounted here: on the practice grid, on a clock that goes 20 times as fast.

import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ask } from '../help/ask.ts'
import { type Clock, openClock } from '../help/clock.ts'
import { temporary } from '../help/data.ts'
import { type Dataset, dataset, endAll, type Home, isThere, openHome, until } from '../help/home.ts'
import { alsoAt, layAt, placeOf } from '../help/mounted.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'

const test = suite('replication rules')

const all = [
  ...['moved', 'mounted', 'stuck', 'quota', 'joined', 'later', 'usual', 'lost', 'killed', 'back', 'gone'],
  ...['empty', 'paused', 'left'],
].map(name => dataset(`hands.${name}`, name === 'empty' ? { files: 0 } : { files: 2, bytes: 3000 }))
const of = (name: string): Dataset => {
  const found = all.find(each => each.name === `hands.${name}`)
  if (found === undefined) throw new Error(`no dataset ${name}`)
  return found
}
const did = (name: string): string => `hands:hands.${name}`

let clock: Clock
let grid: PracticeChild
let home: Home
let mount: string
const there: Dataset[] = []

test.before(async () => {
  grid = await startPracticeChild({ seed: alsoAt('SITE', all, []), rses: ['FAST', 'SITE', 'OTHER'] })
  mount = join(await temporary(), 'storage')
  await mkdir(mount)
  clock = openClock(20)
  home = await openHome({
    grid,
    world: clock.world,
    env: { DESKTOP_RUCIO_RULES_EVERY: '5', CACHE_PREFIX: 'root://cache' },
  })
})
test.after(() => endAll(grid, clock))

test('a wish with a destination makes a rule, and fetches nothing', async () => {
  assert.is(await want('moved', `SITE:${mount}`), 'downloading')
  await shows('moved', {
    state: 'replicating',
    rule: { state: 'REPLICATING', locks: { ok: 0, replicating: 2, stuck: 0 } },
  })
  const { rule, files } = await look('moved')
  assert.equal([rule['rse'], rule['mount'], rule['account'], rule['ours']], ['SITE', mount, 'jdoe', true])
  assert.ok(Date.parse(String(rule['expires_at'])) > Date.now() + 29 * 24 * 3_600_000)
  assert.equal(files, { total: 2, done: 0 })
  assert.is(await isThere(home.path('hands.moved', 'INCOMPLETE.txt')), true)
  assert.equal(await grid.sent(), [])
})

test('it is local when the rule is OK and every file is seen, by the paths below the mount', async () => {
  await arrives('moved')
  await home.says(did('moved'), 'local')
  const { json } = await home.get(`/ds?ds_name=${did('moved')}`)
  // CACHE_PREFIX leads to the data directory, and not to where these lie.
  assert.equal(
    json['filelist'],
    of('moved').files.map(file => `${mount}/${placeOf(file)}`),
  )
  await shows('moved', { state: 'whole', rule: { state: 'OK' } })
  await until(
    async () => !(await isThere(home.path('hands.moved', 'INCOMPLETE.txt'))) || 'INCOMPLETE.txt is there',
  )
  // The request stays: its rule has to be kept.
  assert.is(await isThere(home.path('requests', 'hands.moved.json')), true)
  const listed = (await home.get(`/dsfiles?ds_name=${did('moved')}`)).json
  assert.is((listed['files'] as unknown[]).length, 2)
  assert.equal(await grid.sent(), [])
})

test('a file that goes, is cut or leads out of the mount makes it local no longer, and says which', async () => {
  const [file] = of('moved').files
  const path = join(mount, placeOf(file ?? never()))
  const elsewhere = join(await temporary(), 'x.root')
  await rename(path, elsewhere)
  await home.says(did('moved'), 'downloading')
  await says(
    'moved',
    'no_replica',
    /^Rucio says that all is at SITE, and 1 of 2 files are seen here: .*is not there/,
  )
  await symlink(elsewhere, path)
  await says('moved', 'refused', /link that leads out of the mount/)
  await rm(path)
  await writeFile(path, 'short')
  await says('moved', 'corrupt', /another size/)
  await rm(path)
  // A link that stays inside is what a site may have.
  await rename(elsewhere, join(mount, 'x.root'))
  await symlink(join(mount, 'x.root'), path)
  await home.says(did('moved'), 'local')
})

test('a mount that is not there is told so, and goes on by itself when it is', async () => {
  const late = join(await temporary(), 'not', 'yet')
  await want('mounted', `SITE:${late}`)
  await layAt(mount, of('mounted'))
  await isAt('mounted')
  await says(
    'mounted',
    'disk_error',
    /^There is no .*not\/yet: the storage of SITE is not mounted there\. Mount it/,
  )
  await mkdir(late, { recursive: true })
  await says('mounted', 'disk_error', /^Nothing lies in .*not mounted/)
  assert.is(await home.ds('GET', did('mounted')), 'downloading')
  await layAt(late, of('mounted'))
  await home.says(did('mounted'), 'local')
})

test('a rule that is stuck says why in the words of Rucio, and goes on when Rucio does', async () => {
  await grid.setCatalogue({ stuckRules: 'MISMATCH_CHECKSUM: source and destination differ' })
  await want('stuck', `SITE:${mount}`)
  await says(
    'stuck',
    'stalled',
    /is stuck: 2 of 2 files could not be moved\. Rucio says: MISMATCH_CHECKSUM: source/,
  )
  await grid.setCatalogue({ stuckRules: '' })
  await arrives('stuck')
  await home.says(did('stuck'), 'local')
})

test('a rule that is suspended, or waits for approval, says so', async () => {
  await grid.setCatalogue({ ruleState: 'SUSPENDED' })
  await says('stuck', 'refused', /suspended/)
  assert.is(await home.ds('GET', did('stuck')), 'downloading')
  await grid.setCatalogue({ ruleState: 'WAITING_APPROVAL' })
  await says('stuck', 'stalled', /waits for the approval of those who run SITE/)
  await grid.setCatalogue({ ruleState: '' })
  await home.says(did('stuck'), 'local')
})

test('a quota that does not suffice is told at once with what is left, and tried again', async () => {
  await grid.setCatalogue({ quotaBytes: 1000 })
  await want('quota', `OTHER:${mount}`)
  await says(
    'quota',
    'disk_full',
    /^The quota of jdoe at OTHER does not suffice .* of 6001 bytes: 1000 of 1000 bytes are left\. Ask for more/,
  )
  await grid.setCatalogue({ quotaBytes: null })
  await shows('quota', { state: 'replicating' })
})

test('a rule that somebody else made is joined, and a removal leaves it', async () => {
  const id = await makeRule('joined', 'SITE')
  await want('joined', `SITE:${mount}`)
  await shows('joined', { rule: { id, ours: false } })
  assert.is(await home.ds('DELETE', did('joined')), 'not_on_server')
  await isGone('joined')
  await logs(`rule ${id} at SITE was not made here and stays; it has no end`)
  assert.is((await ruleNow(id))['expires_at'], null)
})

test('a rule that the server does not let us delete is told of, and the dataset goes all the same', async () => {
  await want('gone', `SITE:${mount}`)
  await shows('gone', { state: 'replicating' })
  const { rule } = await look('gone')
  await home.ds('DELETE', did('gone'))
  await isGone('gone')
  await logs(`the server does not let jdoe delete rule ${rule['id']} at SITE; it ends at `)
  // Told to whoever asks, too, with what to do.
  const [left] = await rulesLeft()
  assert.equal(
    [left?.['did'], left?.['id'], left?.['rse'], left?.['account']],
    [did('gone'), rule['id'], 'SITE', 'jdoe'],
  )
  assert.is(left?.['ends'], rule['expires_at'])
  assert.match(String(left?.['message']), /^Rucio does not let jdoe delete rule .*ask those who run SITE/)
  assert.equal((await home.get(`/ds?ds_name=${did('gone')}`)).json['rules_left'], [left])
})

test('asked for again it is joined, and is ours still; where owners may, it is renewed and deleted', async () => {
  await grid.setCatalogue({ ownersMay: true })
  await want('gone', `SITE:${mount}`)
  await shows('gone', { rule: { ours: true } })
  // It is kept up again, so nothing is left of it.
  assert.equal(await rulesLeft(), [])
  const { rule } = await look('gone')
  await home.ds('DELETE', did('gone'))
  await isGone('gone')
  await logs(`rule ${rule['id']} at SITE deleted`)
  // Rucio takes it away within the hour: until then it is joined, and its end is put off again.
  assert.ok(Date.parse(String((await ruleNow(String(rule['id'])))['expires_at'])) < Date.now() + 3_700_000)
  await want('gone', `SITE:${mount}`)
  await logs(`rule ${rule['id']} renewed`)
  assert.ok(
    Date.parse(String((await ruleNow(String(rule['id'])))['expires_at'])) > Date.now() + 24 * 3_600_000,
  )
  await grid.setCatalogue({ ownersMay: false })
})

test('a rule that may not be renewed says so', async () => {
  const id = await makeRule('left', 'SITE', 3600)
  await want('left', `SITE:${mount}`)
  await until(async () => {
    const { rule } = await look('left')
    return (rule['id'] === id && rule['renewal_refused_at'] !== null) || JSON.stringify(rule)
  })
  await logs(`jdoe may not renew rule ${id}: it ends at `)
})

test('without a mount it waits for one, and config.json may say it', async () => {
  await want('later', 'SITE')
  await arrives('later')
  await says('later', 'unsupported', /^Rucio has it at SITE, and nobody has said where/)
  await home.config({ destination: { rse: 'SITE', mount } })
  await home.says(did('later'), 'local')
})

test('config.json names a destination for all, which a request may turn down', async () => {
  await home.ds('POST', did('usual'))
  await shows('usual', { state: 'replicating', rule: { rse: 'SITE', mount } })
  assert.is(await want('back', 'here'), 'downloading')
  await home.says(did('back'), 'local')
  assert.equal((await look('back')).rule, {})
  // What has its rule keeps it, whatever becomes of config.json.
  await home.config({})
  await arrives('usual')
  await home.says(did('usual'), 'local')
})

test('what shall lie here after all has its rule ended, and is fetched', async () => {
  await grid.setCatalogue({ ownersMay: true })
  assert.is(await want('usual', 'here'), 'downloading')
  await home.says(did('usual'), 'local')
  const { json } = await home.get(`/ds?ds_name=${did('usual')}`)
  assert.equal((json['filelist'] as string[])[0], 'root://cache/hands.usual/hands.usual.0.root')
  assert.is(await isThere(home.path('hands.usual', '.rucio', 'rule.json')), false)
  await grid.setCatalogue({ ownersMay: false })
})

test('a rule that is gone is made again', async () => {
  await want('lost', `SITE:${mount}`)
  await shows('lost', { state: 'replicating' })
  const { rule } = await look('lost')
  await grid.setCatalogue({ cleanRules: 'all' })
  await until(async () => {
    const now = (await look('lost')).rule
    return (now['id'] !== null && now['id'] !== rule['id']) || JSON.stringify(now)
  })
})

test('a daemon that was killed between the making of a rule and its record finds it again', async () => {
  await want('killed', `SITE:${mount}`)
  await shows('killed', { state: 'replicating' })
  const { rule } = await look('killed')
  await home.again(async () => {
    const path = home.path('hands.killed', '.rucio', 'rule.json')
    const record = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...record, id: null, ours: false, state: null, looked_at: null }))
  })
  await shows('killed', { rule: { id: rule['id'], ours: true } })
  // And when a person has deleted all that was known of it.
  await home.again(() => rm(home.path('hands.killed'), { recursive: true }))
  await shows('killed', { rule: { id: rule['id'], ours: true } })
})

test('a dataset without files has its rule, and is local', async () => {
  await want('empty', `SITE:${mount}`)
  await home.says(did('empty'), 'local')
})

test('a paused wish gets no rule; one that is there is kept up', async () => {
  await writeFile(
    home.path('requests', 'hands.paused.json'),
    JSON.stringify({ paused: true, destination: { rse: 'SITE', mount } }),
  )
  await shows('paused', { state: 'paused' })
  assert.equal((await look('paused')).rule, {})
  await writeFile(
    home.path('requests', 'hands.paused.json'),
    JSON.stringify({ destination: { rse: 'SITE', mount } }),
  )
  await shows('paused', { state: 'replicating' })
})

test('what is no destination is refused', async () => {
  for (const text of ['*', 'A|B:/mnt', 'SITE:mnt', 'SITE:/a/../b', ':/mnt', ''])
    assert.is(await want('paused', text), '400 bad_request', text)
})

async function rulesLeft(): Promise<readonly Record<string, unknown>[]> {
  return (await home.get('/status')).json['rules_left'] as Record<string, unknown>[]
}

test.run()

async function want(name: string, to: string): Promise<string> {
  return await home.ds('POST', `${did(name)}`, `&destination=${encodeURIComponent(to)}`)
}

type Shown = {
  readonly state: string
  readonly reason: string | null
  readonly message: string | null
  readonly files: unknown
  /** empty where there is none */
  readonly rule: Readonly<Record<string, unknown>>
}

async function look(name: string): Promise<Shown> {
  const { json } = await home.get(`/datasets/hands.${name}`)
  return { ...json, rule: json['rule'] ?? {} } as Shown
}

/** Waits until GET /datasets/NAME says all of this. */
async function shows(
  name: string,
  wanted: { readonly state?: string; readonly rule?: object },
): Promise<void> {
  await until(async () => {
    const seen = await look(name)
    const { rule } = seen
    const fits =
      (wanted.state === undefined || seen.state === wanted.state) &&
      Object.entries(wanted.rule ?? {}).every(
        ([key, value]) => JSON.stringify(rule[key]) === JSON.stringify(value),
      )
    return fits || `${name} is ${JSON.stringify(seen)}\n${(await told()).slice(-1500)}`
  })
}

async function says(name: string, reason: string, message: RegExp): Promise<void> {
  await until(async () => {
    const seen = await look(name)
    return (
      (seen.reason === reason && message.test(seen.message ?? '')) ||
      `${name} says ${seen.reason}: ${seen.message}`
    )
  })
}

/** The log, of which there is none before the first line. */
async function told(): Promise<string> {
  return await home.log().catch(String)
}

async function logs(text: string): Promise<void> {
  await until(
    async () => (await told()).includes(text) || `the log has no ${text}:\n${(await told()).slice(-1500)}`,
  )
}

async function isGone(name: string): Promise<void> {
  await until(
    async () => !(await isThere(home.path('requests', `hands.${name}.json`))) || 'its request is there',
  )
  assert.is(await isThere(home.path(`hands.${name}`)), false)
}

/** Rucio says that it is at SITE. */
async function isAt(name: string): Promise<void> {
  there.push(of(name))
  await grid.setSeed(alsoAt('SITE', all, there))
}

/** And it is. */
async function arrives(name: string): Promise<void> {
  await layAt(mount, of(name))
  await isAt(name)
}

async function token(): Promise<Record<string, string>> {
  const headers = { 'X-Rucio-Username': 'jdoe', 'X-Rucio-Password': 'jdoe-secret', 'X-Rucio-Account': 'jdoe' }
  const answer = await ask(`${grid.url}/auth/userpass`, { ca: grid.caPem, headers })
  return { 'X-Rucio-Auth-Token': String(answer.headers['x-rucio-auth-token']) }
}

/** What another program of the same account has done before us. */
async function makeRule(name: string, rse: string, lifetime?: number): Promise<string> {
  const body = JSON.stringify({
    dids: [{ scope: 'hands', name: `hands.${name}` }],
    account: 'jdoe',
    copies: 1,
    rse_expression: rse,
    ...(lifetime === undefined ? {} : { lifetime }),
  })
  const made = await ask(`${grid.url}/rules/`, {
    method: 'POST',
    ca: grid.caPem,
    headers: await token(),
    body,
  })
  const [id = ''] = JSON.parse(made.text) as string[]
  return id
}

async function ruleNow(id: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await ask(`${grid.url}/rules/${id}`, { ca: grid.caPem, headers: await token() })
  return JSON.parse(answer.text) as Record<string, unknown>
}

function never(): never {
  throw new Error('there is no file')
}
