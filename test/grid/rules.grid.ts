// Replication rules of a real Rucio server, from the wish to the files under a mount. No daemon of Rucio runs in the grid: rule.py does
// what the judge and FTS would. A grid that is kept may be used again: rules of earlier runs go first.

import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ask } from '../contract/subject.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, startJob, until } from './job.ts'
import { type Account, judge, openAccount } from './judge.ts'
import { gridAgent, pathOf, seeded, variable } from './seeded.ts'

const test = suite('replication rules, real grid')

const mc = 'mc16_13TeV:mc16_13TeV'
const moved = `${mc}.000007.xrd1only_tid09`
const stuck = `${mc}.000003.corrupt_tid05`
const joined = `${mc}.000005.deadhost_tid07`
const poor = `${mc}.000010.tape_tid11`
const killed = `${mc}.000002.lost_tid04`
const admins = `${mc}.000011.trouble_tid12`
const facts = seeded()
const mount = join(variable('GRID_DIR'), 'posix1', 'rucio')
const at = `POSIX1:${mount}`
const plenty = 2 ** 50

let jdoe: Account
let root: Account
const jobs: Job[] = []
let data: string
let job: Job

test.before(async () => {
  jdoe = await openAccount('jdoe')
  root = await openAccount('root')
  for (const did of [moved, stuck, joined, poor, killed, admins])
    for (const rse of ['POSIX1', 'SLOW1'])
      for (const account of [jdoe, root])
        for (const rule of await account.rulesOf(did, rse)) judge(rule.id, 'GONE')
  data = await temporary()
  job = await start(data, 'rucio.cfg')
})
test.after(async () => {
  for (const each of jobs) if (!each.daemon.hasEnded()) await each.daemon.end()
  await root.call('POST', '/accountlimits/local/jdoe/SLOW1', { bytes: plenty })
  jdoe.close()
  root.close()
  await sweep()
})

async function start(
  dir: string,
  cfg: 'rucio.cfg' | 'rucio-root.cfg',
  more: Readonly<Record<string, string>> = {},
): Promise<Job> {
  const started = await startJob(dir, cfg, { DESKTOP_RUCIO_RULES_EVERY: '1', ...more })
  jobs.push(started)
  return started
}

test('REPLICATING, then OK: local once each file is seen under the mount, with the bytes of the seed', async () => {
  assert.is(await job.want(moved, at), 'downloading')
  const rule = await shows(
    job,
    moved,
    each => each.state === 'replicating' && each.rule?.state === 'REPLICATING',
  )
  assert.equal(rule.locks, { ok: 0, replicating: 2, stuck: 0 })
  assert.equal([rule.rse, rule.mount, rule.account, rule.ours], ['POSIX1', mount, 'jdoe', true])
  const [theirs] = await jdoe.rulesOf(moved, 'POSIX1')
  assert.is(theirs?.id, rule.id)
  assert.match(String(theirs?.comments), /^desktop-rucio [0-9a-f]{16}$/)
  const days = (Date.parse(String(theirs?.expires_at)) - Date.now()) / 86_400_000
  assert.ok(days > 29 && days < 31, `it ends in ${days} days`)

  judge(String(rule.id), 'OK')
  assert.is(await job.word(moved, 30), 'local')
  const files = facts.datasets.get(moved) ?? []
  const filelist = await job.filelist(moved)
  assert.equal(
    filelist,
    files.map(file => join(mount, pathOf(file))),
  )
  for (const [i, file] of files.entries())
    assert.is(isGood(file, await sumsOf(filelist[i] ?? '')), true, file.name)
  assert.is((await shown(job, moved)).state, 'whole')
  assert.is(existsSync(join(data, '.rucio', 'hosts')), true)
  assert.is(existsSync(join(data, nameOf(moved), files[0]?.name ?? '')), false, 'nothing was fetched')
})

test('a removal that the server refuses says so and until when the rule stays; the files are not touched', async () => {
  const { rule } = await shown(job, moved)
  const filelist = await job.filelist(moved)
  await job.remove(moved)
  await gone(job, moved)
  await logs(
    job,
    `the server does not let jdoe delete rule ${rule?.id} at POSIX1; it ends at ${rule?.expires_at}`,
  )
  const { rules_left } = await job.status()
  assert.equal(
    rules_left.map(({ did, id, rse, ends }) => ({ did, id, rse, ends })),
    [{ did: moved, id: rule?.id, rse: 'POSIX1', ends: rule?.expires_at }],
  )
  assert.match(rules_left[0]?.message ?? '', /^Rucio does not let jdoe delete .* ask those who run POSIX1/)
  console.log(rules_left[0]?.message)
  assert.is((await jdoe.rulesOf(moved, 'POSIX1')).length, 1)
  for (const path of filelist) assert.is(existsSync(path), true)
})

test('asked for again it is local as soon as the rule is found: nothing is moved twice', async () => {
  await job.want(moved, at)
  assert.is(await job.word(moved, 30), 'local')
  assert.equal((await job.status()).rules_left, [])
  await logs(job, 'at POSIX1 joined, OK')
  assert.is((await shown(job, moved)).rule?.ours, true)
  assert.is((await jdoe.rulesOf(moved, 'POSIX1')).length, 1)
})

test('STUCK with the explanation of Rucio, and back', async () => {
  await job.want(stuck, at)
  const rule = await shows(job, stuck, each => each.state === 'replicating')
  judge(String(rule.id), 'STUCK', 'DESTINATION OVERWRITE: permission denied on the site')
  const seen = await wait(job, stuck, each => each.reason === 'stalled')
  assert.match(
    String(seen.message),
    /is stuck: 3 of 3 files could not be moved\. Rucio says: DESTINATION OVERWRITE: permission denied on the site\. Rucio tries again/,
  )
  assert.equal(seen.rule?.locks, { ok: 0, replicating: 0, stuck: 3 })
  assert.is(await job.word(stuck, 0), 'downloading')
  judge(String(rule.id), 'OK')
  assert.is(await job.word(stuck, 30), 'local')
  assert.is((await shown(job, stuck)).reason, null)
})

test('SUSPENDED by an admin says so, and goes on when it is released', async () => {
  const { rule } = await shown(job, stuck)
  const suspended = await root.call('PUT', `/rules/${rule?.id}`, { options: { state: 'SUSPENDED' } })
  assert.is(suspended.status, 200)
  const seen = await wait(job, stuck, each => each.reason === 'refused')
  assert.match(String(seen.message), /is suspended/)
  assert.is(await job.word(stuck, 0), 'downloading')
  judge(String(rule?.id), 'OK')
  assert.is(await job.word(stuck, 30), 'local')
})

test('a quota that does not suffice is told with its figures, and the rule is made once it does', async () => {
  await root.call('POST', '/accountlimits/local/jdoe/SLOW1', { bytes: 1000 })
  await job.want(poor, 'SLOW1:/nowhere')
  const seen = await wait(job, poor, each => each.reason === 'disk_full')
  assert.match(
    String(seen.message),
    /^The quota of jdoe at SLOW1 does not suffice for .* of 61440 bytes: 1000 of 1000 bytes are left\. Ask for more quota/,
  )
  assert.equal(await jdoe.rulesOf(poor, 'SLOW1'), [])
  await root.call('POST', '/accountlimits/local/jdoe/SLOW1', { bytes: plenty })
  // Half a minute to a minute after the first refusal.
  await wait(job, poor, each => each.state === 'replicating', 90)
})

test('an RSE that Rucio does not know, and a name that is an expression, are told', async () => {
  await job.want(poor, 'NOSUCH_DISK:/nowhere')
  const seen = await wait(job, poor, each => /^Rucio knows no RSE NOSUCH_DISK/.test(String(each.message)))
  assert.is(seen.reason, 'refused')
  await job.remove(poor)
  await gone(job, poor)
})

test('a rule that another program of the same account has made is joined, and a removal leaves it', async () => {
  const [scope, name] = joined.split(':')
  const body = {
    dids: [{ scope, name }],
    account: 'jdoe',
    copies: 1,
    rse_expression: 'POSIX1',
    comment: 'mine',
  }
  const [id = ''] = JSON.parse((await jdoe.call('POST', '/rules/', body)).body.toString()) as string[]
  await job.want(joined, at)
  const rule = await shows(job, joined, each => each.rule?.id === id)
  assert.equal([rule.ours, rule.expires_at], [false, null])
  judge(id, 'OK')
  assert.is(await job.word(joined, 30), 'local')
  await job.remove(joined)
  await gone(job, joined)
  await logs(job, `rule ${id} at POSIX1 was not made here and stays; it has no end`)
  assert.is((await jdoe.rulesOf(joined, 'POSIX1'))[0]?.expires_at, null)
})

test('a rule that Rucio has cleaned away is made again', async () => {
  const { rule } = await shown(job, stuck)
  judge(String(rule?.id), 'GONE')
  const again = await shows(job, stuck, each => each.rule?.id != null && each.rule.id !== rule?.id)
  assert.is(again.state, 'REPLICATING')
  assert.is(await job.word(stuck, 0), 'downloading')
  judge(String(again.id), 'OK')
  assert.is(await job.word(stuck, 30), 'local')
})

test('a daemon that is killed between the making of a rule and its record makes no second one', async () => {
  const dir = await temporary()
  let first: Job | undefined
  // Plain http on loopback, so that the kill can come when Rucio has made the rule and the daemon has not heard of it.
  const between = await relay(async () => {
    await first?.daemon.kill()
  })
  first = await start(dir, 'rucio.cfg', {
    RUCIO_CLIENT_RUCIO_HOST: between.url,
    RUCIO_CLIENT_AUTH_HOST: between.url,
  })
  await first.want(killed, at)
  await until(
    30,
    async () => first?.daemon.hasEnded() === true,
    () => 'it was not killed',
  )
  between.server.close().closeAllConnections()
  const made = await jdoe.rulesOf(killed, 'POSIX1')
  assert.is(made.length, 1)
  const record = JSON.parse(readFileSync(join(dir, nameOf(killed), '.rucio', 'rule.json'), 'utf8')) as Rule
  assert.equal([record.id, record.account], [null, 'jdoe'])

  const second = await start(dir, 'rucio.cfg')
  const rule = await shows(second, killed, each => each.rule?.id === made[0]?.id)
  assert.is(rule.ours, true)
  assert.is((await jdoe.rulesOf(killed, 'POSIX1')).length, 1)
  await second.daemon.end()
})

test('one that may not be renewed says so; an admin renews it to its whole life, and may delete it', async () => {
  // jdoe joins one that ends in an hour.
  const [scope, name] = admins.split(':')
  const short = { dids: [{ scope, name }], copies: 1, rse_expression: 'POSIX1', lifetime: 3600 }
  await jdoe.call('POST', '/rules/', { ...short, account: 'jdoe' })
  await job.want(admins, at)
  const refused = await shows(job, admins, each => each.rule?.renewal_refused_at != null)
  await logs(job, `jdoe may not renew rule ${refused.id}: it ends at ${refused.expires_at}`)

  await root.call('POST', '/accountlimits/local/root/POSIX1', { bytes: plenty })
  await root.call('POST', '/rules/', { ...short, account: 'root' })
  const own = await start(await temporary(), 'rucio-root.cfg')
  await own.want(admins, at)
  const renewed = await shows(
    own,
    admins,
    each => Date.parse(String(each.rule?.expires_at)) > Date.now() + 29 * 86_400_000,
  )
  const [theirs] = await root.rulesOf(admins, 'POSIX1')
  assert.is(Date.parse(String(theirs?.expires_at)), Date.parse(String(renewed.expires_at)))
  await own.remove(admins)
  await gone(own, admins)
  await logs(own, `rule ${renewed.id} at POSIX1 was not made here and stays`)

  judge(String(theirs?.id), 'GONE')
  await own.want(admins, at)
  const ours = await shows(own, admins, each => each.rule?.ours === true)
  await own.remove(admins)
  await gone(own, admins)
  await logs(own, `rule ${ours.id} at POSIX1 deleted`)
  const [ending] = await root.rulesOf(admins, 'POSIX1')
  assert.ok(Date.parse(String(ending?.expires_at)) < Date.now() + 3_700_000)
})

test.run()

type Rule = {
  readonly id: string | null
  readonly rse: string
  readonly mount: string | null
  readonly account: string | null
  readonly ours: boolean
  readonly state: string | null
  readonly locks: unknown
  readonly expires_at: string | null
  readonly renewal_refused_at: string | null
}

type Shown = {
  readonly state: string
  readonly reason: string | null
  readonly message: string | null
  readonly rule: Rule | null
}

async function shown(of: Job, did: string): Promise<Shown> {
  return (await of.look(did)) as unknown as Shown
}

async function wait(of: Job, did: string, fits: (seen: Shown) => boolean, seconds = 30): Promise<Shown> {
  let seen: Shown | undefined
  await until(
    seconds,
    async () => {
      seen = await shown(of, did)
      return fits(seen)
    },
    () => `${did} is ${JSON.stringify({ ...seen, unfinished: undefined })}`,
  )
  if (seen === undefined) throw new Error(`${did} was not looked at`)
  return seen
}

async function shows(of: Job, did: string, fits: (seen: Shown) => boolean): Promise<Rule> {
  const { rule } = await wait(of, did, fits)
  if (rule === null) throw new Error(`${did} has no rule`)
  return rule
}

async function logs(of: Job, text: string): Promise<void> {
  const path = join(of.data, '.rucio', 'logs', 'rucio_downloader.log')
  await until(
    10,
    async () => readFileSync(path, 'utf8').includes(text),
    () => `the log has no "${text}":\n${readFileSync(path, 'utf8').slice(-2000)}`,
  )
}

async function gone(of: Job, did: string): Promise<void> {
  await until(
    30,
    async () => !existsSync(join(of.data, 'requests', `${nameOf(did)}.json`)),
    () => `the request of ${did} is there`,
  )
  assert.is(existsSync(join(realpathSync(of.data), nameOf(did))), false)
}

function nameOf(did: string): string {
  return did.slice(did.indexOf(':') + 1)
}

/** Hands every call on to Rucio; a rule that was made is told to `made` first, and its answer is kept back. */
async function relay(made: () => Promise<void>): Promise<{ readonly url: string; readonly server: Server }> {
  const agent = gridAgent()
  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Buffer[] = []
      for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
      const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers
      const body = Buffer.concat(pieces).toString()
      const answer = await ask({
        method: request.method ?? 'GET',
        url: variable('RUCIO_URL') + (request.url ?? '/'),
        agent,
        headers: headers as Record<string, string>,
        ...(body === '' ? {} : { body }),
      })
      if (request.method === 'POST' && request.url === '/rules/' && answer.status === 201) {
        await made()
        response.destroy()
        return
      }
      const { 'transfer-encoding': ____, ...told } = answer.headers
      response.writeHead(answer.status, told)
      response.end(answer.body)
    })()
  })
  server.on('close', () => agent.destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
