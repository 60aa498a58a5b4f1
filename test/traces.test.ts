// The daemon and its traces: that they are told, and that nothing depends on it.

import { type AddressInfo, createServer } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readOptions } from '../src/options.ts'
import { type PracticeGrid, startPracticeGrid } from '../src/practice/grid.ts'
import { temporary, world } from './help/data.ts'
import { dataset, endAll, isRight, openHome, until } from './help/home.ts'
import { practiceEnv } from './help/practice-env.ts'

const test = suite('traces of the daemon')
const one = dataset('hands.x', { files: 5 })
let grid: PracticeGrid

test.before(async () => {
  grid = await startPracticeGrid({ rses: ['FAST'], seed: { datasets: [one], containers: [] } })
})
test.after(() => endAll(grid))

test('each file is told once to the Rucio server, and nothing in it is secret', async () => {
  await grid.setCatalogue({ takesTraces: true })
  const home = await openHome({ grid, world })
  await home.ds('POST', 'hands:hands.x')
  await home.says('hands:hands.x', 'local')
  await until(async () => grid.traces().length === 5 || `${grid.traces().length} traces`)
  const traces = grid.traces().map(each => JSON.parse(each) as Record<string, unknown>)
  assert.equal(traces.map(each => each['filename']).sort(), one.files.map(each => each.name).sort())
  for (const each of traces)
    assert.equal(
      [each['account'], each['remoteSite'], each['protocol'], each['dataset']],
      ['jdoe', 'FAST', 'davs', 'hands.x'],
    )
  assert.not.match(grid.traces().join(), /secret|token|https:|\/tmp/i)
  await home.end()
})

test('with DESKTOP_RUCIO_TRACES=0 none is told', async () => {
  const before = grid.traces().length
  const home = await openHome({ grid, world, env: { DESKTOP_RUCIO_TRACES: '0' } })
  await home.ds('POST', 'hands:hands.x')
  await home.says('hands:hands.x', 'local')
  await home.end()
  assert.is(grid.traces().length, before)
})

test('a trace host that is dead, silent, or refuses changes nothing, nor does the end wait for it', async () => {
  const silent = createServer(socket => socket.on('error', () => {}))
  await new Promise<void>(done => silent.listen(0, '127.0.0.1', done))
  const { port } = silent.address() as AddressInfo
  await grid.setCatalogue({ takesTraces: false })
  try {
    for (const host of [
      'http://127.0.0.1:9',
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}`,
      grid.url,
    ]) {
      const home = await openHome({ grid, world, env: { RUCIO_CFG_TRACE_TRACE_HOST: host } })
      await home.ds('POST', 'hands:hands.x')
      await home.says('hands:hands.x', 'local')
      assert.is(await isRight(home.path('hands.x'), one), true)
      const began = performance.now()
      await home.end()
      assert.ok(performance.now() - began < 2000, host)
    }
  } finally {
    silent.close()
  }
})

test('trace_host of rucio.cfg counts, then the Rucio server', async () => {
  const dir = await temporary()
  const env = await practiceEnv(grid, await temporary())
  const read = async (more: Record<string, string>) => {
    const options = await readOptions(['--data', dir], { ...env, ...more })
    return 'message' in options ? options.message : options.traces
  }
  assert.equal(await read({}), { host: grid.url, localSite: 'ROAMING' })
  assert.equal(await read({ RUCIO_CFG_TRACE_TRACE_HOST: 'http://t:80', ATLAS_SITE_NAME: 'X' }), {
    host: 'http://t:80',
    localSite: 'X',
  })
  assert.match(String(await read({ RUCIO_CFG_TRACE_TRACE_HOST: 't' })), 'trace_host is an address')
  assert.is(await read({ RUCIO_CFG_TRACE_TRACE_HOST: 't', DESKTOP_RUCIO_TRACES: 'off' }), undefined)
})

test.run()
