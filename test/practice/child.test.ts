// The practice grid in a process of its own: all orders reach it, and it never outlives its test.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, type SeedFile } from '../../src/practice/grid.ts'
import { pathOf } from '../../src/practice/seed.ts'
import { ask } from '../help/ask.ts'
import { rejects } from '../help/data.ts'
import { startPracticeChild } from '../help/practice-child.ts'

const test = suite('practice child')

const file: SeedFile = {
  scope: 'mc16_13TeV',
  name: 'some.root',
  bytes: 1000,
  checksums: ['adler32'],
  replicas: { A: 'good' },
}

test('a grid in a child process obeys, tells and stops', async () => {
  const seed = {
    datasets: [{ scope: 'mc16_13TeV', name: 'one', open: false, files: [file] }],
    containers: [],
  }
  const grid = await startPracticeChild({ rses: ['A'], seed })
  const url = `https://${grid.rse('A')}/rucio/${pathOf(file.scope, file.name)}`
  const told = await ask(url, { ca: grid.caPem })
  assert.ok(told.bytes.equals(bytesOf(file, 0, 1000)))
  assert.equal(await grid.sent(), [{ rse: 'A', did: 'mc16_13TeV:some.root', from: 0, to: 1000 }])
  await grid.forgetSent()
  assert.equal(await grid.sent(), [])
  await grid.setFaults('A', { status: 500 })
  assert.is((await ask(url, { ca: grid.caPem })).status, 500)
  await grid.setFaults('A', { status: 0 })
  await grid.setSeed({ datasets: [], containers: [] })
  assert.is((await ask(url, { ca: grid.caPem })).status, 404)
  assert.is((await ask(`${grid.url}/ping`, { ca: grid.caPem })).status, 200)
  await grid.setCatalogue({ down: true })
  assert.is((await ask(`${grid.url}/ping`, { ca: grid.caPem })).broken, 'ECONNREFUSED')
  assert.equal(await grid.calls(), ['GET /ping'])
  assert.match(String(await rejects(grid.setFaults('B', {}))), /no storage B/)
  await grid.stop()
  assert.throws(() => process.kill(grid.pid, 0), /ESRCH/)
  assert.match(String(await rejects(grid.sent())), /has ended/)
})

test('a grid that cannot start says so, and leaves nothing', async () => {
  const error = await rejects(
    startPracticeChild({
      rses: ['A'],
      schemes: { A: ['http', 'davs'] },
      seed: { datasets: [], containers: [] },
    }),
  )
  assert.match(String(error), /one port speaks TLS or not/)
})

test.run()
