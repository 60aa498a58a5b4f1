// Each fault of a practice storage by itself: what a client meets, and what is counted.

import { Agent } from 'node:https'
import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  bytesOf,
  type Faults,
  type PracticeGrid,
  type SeedFile,
  startPracticeGrid,
} from '../../src/practice/grid.ts'
import { pathOf } from '../../src/practice/seed.ts'
import { ask, type Told } from '../help/ask.ts'

const test = suite('practice faults')

const file: SeedFile = {
  scope: 'mc16_13TeV',
  name: 'some.root',
  bytes: 1_000_000,
  checksums: ['adler32'],
  replicas: { A: 'good', DOWN1: 'good' },
}
const path = `/rucio/${pathOf(file.scope, file.name)}`
const did = `${file.scope}:${file.name}`
let grid: PracticeGrid
let agent: Agent

test.before(async () => {
  grid = await startPracticeGrid({
    rses: ['A', 'POOL', 'PLAIN', 'DOWN1'],
    schemes: { PLAIN: ['http'] },
    seed: { datasets: [{ scope: 'mc16_13TeV', name: 'one', open: false, files: [file] }], containers: [] },
  })
  agent = new Agent({ keepAlive: true, maxSockets: 1, ca: grid.caPem })
})
test.after(async () => {
  agent.destroy()
  await grid.stop()
})

/** Runs with a fault and takes it back. */
async function under(faults: Partial<Faults>, run: () => Promise<void>): Promise<void> {
  grid.forgetSent()
  await grid.setFaults('A', faults)
  try {
    await run()
  } finally {
    const none = {
      rate: 0,
      dropEvery: 0,
      stallAfter: 0,
      status: 0,
      redirectTo: '',
      nonsense: 'none',
    } as const
    await grid.setFaults('A', { ...none, hang: false, dead: false, drip: false })
  }
}

function get(range?: string, options: Parameters<typeof ask>[1] = {}): Promise<Told> {
  const headers: Record<string, string> = range === undefined ? {} : { Range: range }
  return ask(`https://${grid.rse('A')}${path}`, { ca: grid.caPem, headers, ...options })
}

test('a rate holds for each connection', async () => {
  await under({ rate: 2_000_000 }, async () => {
    const before = performance.now()
    const both = await Promise.all([get('bytes=0-399999'), get('bytes=400000-799999')])
    const ms = performance.now() - before
    assert.ok(both.every(told => told.bytes.length === 400_000))
    // 200 ms less the first piece, which goes at once.
    assert.ok(ms > 140, `${ms} ms`)
  })
})

test('a drop comes after so many body bytes of the connection, over several requests', async () => {
  await under({ dropEvery: 150_000 }, async () => {
    const first = await get('bytes=0-99999', { agent })
    assert.equal([first.broken, first.bytes.length], [undefined, 100_000])
    const second = await get('bytes=100000-199999', { agent })
    assert.equal([second.status, second.broken, second.bytes.length], [206, 'ECONNRESET', 50_000])
    assert.ok(second.bytes.equals(bytesOf(file, 100_000, 150_000)))
    const third = await get('bytes=150000-199999', { agent })
    assert.is(third.bytes.length, 50_000, 'a new connection has a count of its own')
    assert.is(grid.cuts('A'), 1)
    const sent = grid.sent().map(({ from, to }) => [from, to])
    assert.equal(sent, [
      [0, 100_000],
      [100_000, 150_000],
      [150_000, 200_000],
    ])
  })
})

test('a whole file comes through drops piece by piece, and every byte is counted once', async () => {
  await under({ dropEvery: 300_000 }, async () => {
    const pieces: Buffer[] = []
    for (let at = 0; at < file.bytes; ) {
      const told = await get(`bytes=${at}-${file.bytes - 1}`)
      pieces.push(told.bytes)
      at += told.bytes.length
    }
    assert.ok(Buffer.concat(pieces).equals(bytesOf(file, 0, file.bytes)))
    assert.is(
      grid.sent().reduce((sum, { from, to }) => sum + to - from, 0),
      file.bytes,
    )
  })
})

test('a client that leaves is noticed, and what follows is not sent', async () => {
  await under({ rate: 1_000_000 }, async () => {
    await get(undefined, { leaveAfter: 100_000 })
    // A piece may be on its way when the client leaves; the next one finds nobody.
    await new Promise(resolve => setTimeout(resolve, 120))
    const [sent] = grid.sent()
    assert.ok(sent !== undefined && sent.to <= 250_000, `${sent?.to} bytes`)
  })
})

test('a stall keeps the connection and stops the bytes', async () => {
  await under({ stallAfter: 65_536 }, async () => {
    const told = await get(undefined, { leaveAfter: 65_536 })
    assert.is(told.bytes.length, 65_536)
    assert.equal(grid.sent(), [{ rse: 'A', did, from: 0, to: 65_536 }])
  })
})

test('a drip is a byte a second', async () => {
  await under({ drip: true }, async () => {
    const before = performance.now()
    const told = await get(undefined, { leaveAfter: 1 })
    assert.is(told.bytes.length, 1)
    assert.ok(performance.now() - before > 900)
  })
})

test('one that hangs accepts, and says nothing, not even TLS', async () => {
  await under({ hang: true }, async () => {
    const [host, port] = grid.rse('A').split(':')
    const socket: Socket = connect({ host: host ?? '', port: Number(port) })
    let came = 0
    socket.on('data', piece => {
      came += piece.length
    })
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal([came, socket.readyState], [0, 'open'])
    socket.destroy()
  })
  assert.is((await get('bytes=0-9')).status, 206)
})

test('one that dies refuses, resets what is open, and comes back on its port', async () => {
  const place = grid.rse('A')
  await grid.setFaults('A', { rate: 100_000 })
  const running = get()
  while (grid.sent().every(each => each.did !== did || each.to < 5000)) await new Promise(setImmediate)
  await grid.setFaults('A', { dead: true })
  assert.is((await running).broken, 'ECONNRESET')
  assert.is((await get()).broken, 'ECONNREFUSED')
  await grid.setFaults('A', { dead: false, rate: 0 })
  assert.is(grid.rse('A'), place)
  assert.is((await get('bytes=0-9')).status, 206)
})

test('an RSE that is DOWN has a port where nobody listens', async () => {
  const told = await ask(`https://${grid.rse('DOWN1')}${path}`, { ca: grid.caPem })
  assert.is(told.broken, 'ECONNREFUSED')
})

test('every answer may have one status', async () => {
  await under({ status: 503 }, async () => {
    const told = await get()
    assert.equal([told.status, told.headers['retry-after'], told.text], [503, '1', 'error\n'])
    assert.is((await get(undefined, { method: 'HEAD' })).status, 503)
  })
  await under({ status: 403 }, async () => assert.is((await get()).status, 403))
})

test('a redirect leads to another port, which answers for this one', async () => {
  for (const [target, scheme] of [
    ['POOL', 'https'],
    ['PLAIN', 'http'],
  ] as const)
    await under({ redirectTo: target }, async () => {
      const told = await get('bytes=5-9')
      assert.is(told.status, 302)
      const place = told.headers.location ?? ''
      assert.ok(place.startsWith(`${scheme}://${grid.rse(target)}${path}?`), place)
      const moved = await ask(place, { ca: grid.caPem, headers: { Range: 'bytes=5-9' } })
      assert.ok(moved.bytes.equals(bytesOf(file, 5, 10)))
      assert.equal(grid.sent(), [{ rse: target, did, from: 5, to: 10 }])
      // Asked without the door's word it holds nothing.
      assert.is((await ask(place.split('?')[0] ?? '', { ca: grid.caPem })).status, 404)
    })
})

test('a fault may begin in the middle of an answer', async () => {
  await under({ rate: 1_000_000 }, async () => {
    const running = get()
    while (grid.sent().length === 0) await new Promise(setImmediate)
    await grid.setFaults('A', { rate: 0, dropEvery: 100_000 })
    const told = await running
    assert.is(told.broken, 'ECONNRESET')
    assert.is(told.bytes.length % 100_000, 0)
  })
})

test.run()
