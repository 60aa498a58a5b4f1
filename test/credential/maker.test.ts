// A proxy that is kept good: when it is made, when again, and what is told of it.

import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Maker,
  type MakerOptions,
  type MakerSeen,
  openMaker,
  passwordPathOf,
} from '../../src/credential/maker.ts'
import { handPassword, type PasswordOptions } from '../../src/credential/password.ts'
import { sweep, temporary } from '../help/data.ts'
import { until } from '../help/home.ts'
import { proxyPem } from '../help/proxy.ts'
import { type FakeClient, fakeClient } from '../help/voms-client.ts'

const test = suite('keeping a proxy')
const open: Maker[] = []
test.after.each(async () => {
  await Promise.all(open.splice(0).map(each => each.close()))
})
test.after(sweep)

/** Its attributes count from 14:07:06 to 17:07:06. */
const begin = Date.parse('2026-11-24T14:08:00Z')
const minutes = 60_000

type Kept = {
  readonly maker: Maker
  readonly client: FakeClient
  readonly options: MakerOptions
  readonly clock: { at: number }
  readonly said: string[]
  readonly hidden: string[]
  changes(): number
  ran(count: number): Promise<void>
}

async function keep(password: PasswordOptions, scene: Parameters<FakeClient['plays']>[0]): Promise<Kept> {
  const dir = await temporary()
  const client = await fakeClient(dir)
  await client.plays(scene)
  const clock = { at: begin }
  const options: MakerOptions = {
    proxyPath: join(dir, 'place', 'x509up_1.pem'),
    certPath: join(client.certs, 'usercert.pem'),
    keyPath: join(client.certs, 'userkey.pem'),
    voms: [{ vo: 'testvo', command: undefined }],
    valid: '3:00',
    copyKey: false,
    env: { PATH: client.bin, HOME: dir },
    password,
  }
  const said: string[] = []
  const hidden: string[] = []
  let changes = 0
  const maker = openMaker(
    options,
    { now: () => clock.at, chance: () => 0.5 },
    {
      say: text => said.push(text),
      hide: secret => hidden.push(secret),
      changed: () => {
        changes += 1
      },
    },
    { lookMs: 30, eagerMs: 30, leastMs: 10 },
  )
  open.push(maker)
  const ran: Kept['ran'] = async count => {
    await until(async () => {
      const { length } = await client.runs()
      return length >= count || `it ran ${length} times, not ${count}: ${said.join('; ')}`
    }, 5000)
    // One that is decided wrongly comes within some looks.
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.is((await client.runs()).length, count)
  }
  return { maker, client, options, clock, said, hidden, changes: () => changes, ran }
}

function settles(kept: Kept, isSo: (seen: MakerSeen) => boolean): Promise<void> {
  return until(async () => isSo(kept.maker.seen()) || JSON.stringify(kept.maker.seen()), 5000)
}

const good = { writes: proxyPem }

test('it is made at once where there is none, and again at two thirds of the first end of what it is made of', async () => {
  const kept = await keep({ given: 'pass' }, good)
  await kept.ran(1)
  await settles(kept, seen => seen.madeAt !== undefined)
  // The file is of today, the clock is not: its time counts from what is in it.
  const { nextAt, madeAt } = kept.maker.seen()
  assert.is(madeAt, Date.parse('2026-11-24T14:07:06Z'))
  assert.is(nextAt, Date.parse('2026-11-24T16:07:06Z'))
  kept.clock.at = nextAt - 1
  await kept.ran(1)
  kept.clock.at = nextAt
  await kept.ran(2)
})

test('a good one that lies there is kept, and no password is needed for it', async () => {
  const kept = await keep({ given: 'pass' }, good)
  await kept.ran(1)
  await kept.maker.close()
  const maker = openMaker(
    { ...kept.options, password: {} },
    { now: () => begin, chance: () => 0.5 },
    { say: text => kept.said.push(text), hide: () => {}, changed: () => {} },
  )
  open.push(maker)
  await maker.first
  assert.is(maker.seen().refusal, undefined)
  await kept.ran(1)
})

test('a wrong password is not tried again until something changes', async () => {
  const path = join(await temporary(), 'password')
  await writeFile(path, 'wrong\r\n')
  const kept = await keep({ path }, { says: 'maybe wrong password\n', code: 3 })
  await kept.maker.first
  await kept.ran(1)
  assert.match(kept.maker.seen().refusal?.message ?? '', /password of the private key is wrong/)
  assert.is(kept.maker.seen().nextAt, Number.POSITIVE_INFINITY)
  kept.clock.at += 30_000
  await kept.ran(1)
  // A sleep of the machine makes no password right.
  kept.clock.at += 60 * minutes
  await kept.ran(1)
  await kept.client.plays(good)
  await writeFile(path, 'right\n')
  await kept.ran(2)
  assert.equal(
    (await kept.client.runs()).map(each => each.input),
    ['wrong\n', 'right\n'],
  )
  assert.equal([...new Set(kept.hidden)], ['wrong', 'right'])
  await settles(kept, seen => seen.refusal === undefined)
})

test('one that is handed in later is taken, and goes from the disk', async () => {
  const kept = await keep({}, good)
  await kept.maker.first
  assert.match(kept.maker.seen().refusal?.message ?? '', /none was given/)
  const path = passwordPathOf(kept.options.proxyPath)
  await handPassword(path, 'handed')
  await kept.ran(1)
  assert.is(await stat(path).catch(() => 'gone'), 'gone')
  assert.equal([(await kept.client.runs())[0]?.input, kept.hidden], ['handed\n', ['handed']])
  await settles(kept, seen => seen.refusal === undefined)
  assert.is(await readFile(kept.options.proxyPath, 'utf8'), proxyPem)
})

test('after a failure of the network it is tried again in five minutes, and told once', async () => {
  const kept = await keep({ given: 'pass' }, { says: 'Connection refused', code: 1 })
  await kept.ran(1)
  kept.clock.at += 4 * minutes
  // The clock of the world went further than that of the machine: somebody slept, and the network may be another.
  await kept.ran(2)
  const told = kept.said.filter(line => line.startsWith('no proxy was made'))
  assert.is(told.length, 1, told.join('\n'))
  await settles(kept, seen => seen.nextAt === kept.clock.at + 5 * minutes)
  kept.clock.at += minutes - 1
  await kept.ran(2)
})

test('a renewal that fails leaves the good one, and says so', async () => {
  const kept = await keep({ given: 'pass' }, good)
  await kept.ran(1)
  await settles(kept, seen => seen.madeAt !== undefined)
  await kept.client.plays({ says: 'testvo: User unknown to this VO.', code: 1 })
  kept.clock.at = kept.maker.seen().nextAt
  await kept.ran(2)
  await settles(kept, seen => seen.refusal !== undefined)
  const { refusal, madeAt } = kept.maker.seen()
  assert.match(refusal?.message ?? '', /no member of testvo/)
  assert.is(typeof madeAt, 'number')
  assert.is(await readFile(kept.options.proxyPath, 'utf8'), proxyPem)
})

test('one that was taken away is made again, and that is told', async () => {
  const kept = await keep({ given: 'pass' }, good)
  await kept.ran(1)
  await settles(kept, seen => seen.madeAt !== undefined)
  const before = kept.changes()
  await writeFile(kept.options.proxyPath, '')
  kept.clock.at += 20_000
  await kept.ran(2)
  await until(async () => kept.changes() > before || 'nothing was told', 2000)
  await utimes(kept.options.proxyPath, 1, 1)
  await kept.ran(2)
})

test.run()
