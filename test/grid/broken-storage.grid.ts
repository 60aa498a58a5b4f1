// A storage that dies in mid-file and comes back: what was on the disk by then is not fetched again.

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, service, startJob, syncedBytes, until } from './job.ts'
import { openRelay, type Relay } from './relay.ts'
import { seeded, variable } from './seeded.ts'

const test = suite('broken storage, real grid')

const did = 'mc16_13TeV:mc16_13TeV.000013.slow_tid14'
const name = 'mc16_13TeV.000013.slow_tid14'
// 200 MB at 8 MB/s of each connection: some seconds, so that the storage can die in the middle.
const rate = 8e6
/** TLS records and HTTP heads on top of the bytes of a file */
const overhead = 1.02
const mib = 2 ** 20

let relay: Relay
let job: Job | undefined
test.before(async () => {
  relay = await openRelay({
    listen: Number(variable('GRID_SLOW_PORT')),
    target: Number(variable('GRID_XRD2_HTTP')),
    rate,
  })
})
test.after(async () => {
  service('start', 'xrd2')
  await job?.daemon.end()
  await relay.stop()
  await sweep()
})

test('a storage that is killed in mid-file and started again costs no byte that was checkpointed', async () => {
  const [file] = filesOf(seeded(), did)
  if (file === undefined) throw new Error('the seed has no slow file')
  job = await startJob(await temporary(), 'rucio.cfg')
  await job.want(did)
  const synced = (): Promise<number> =>
    syncedBytes(join(job?.data ?? '', name, '.rucio', 'parts', `${file.name}.json`))
  await until(
    60,
    async () => (await synced()) >= 32 * mib,
    () => `${relay.passed()} bytes came`,
  )

  service('kill', 'xrd2')
  await until(
    20,
    async () => relay.open() === 0,
    () => `${relay.open()} connections are open`,
  )
  const passedBefore = relay.passed()
  const syncedBefore = await synced()
  assert.is(syncedBefore < file.bytes, true, 'it died in mid-file')
  service('start', 'xrd2')

  assert.is(await job.word(did, 60), 'local')
  assert.is(isGood(file, await sumsOf(join(job.data, name, file.name))), true)
  const passedAfter = relay.passed() - passedBefore
  const left = file.bytes - syncedBefore
  const told = `${syncedBefore} of ${file.bytes} bytes were synced, ${passedAfter} came after that`
  assert.is(passedAfter <= left * overhead + mib, true, told)
  // The relay did carry them: a count that stands still would pass for not a byte too many.
  assert.is(relay.passed() >= file.bytes, true, told)
  console.log(told)
})

test.run()
