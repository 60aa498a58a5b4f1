// A storage that asks for a role of the VO, over https and over root: without it the file is refused with what to do, with it the file
// comes. Skips nothing: where there is no such storage, whoever starts it is told.

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { until } from './job.ts'
import { seeded } from './seeded.ts'
import {
  type Client,
  certDir,
  password,
  startVoms,
  startVomsJob,
  stopVoms,
  type VomsJob,
  vomsEnv,
  vomsStorage,
} from './voms/server.ts'

const test = suite('a storage that looks at VOMS attributes')
const overHttps = 'mc16_13TeV:mc16_13TeV.000013.slow_tid14'
const overRoot = 'mc16_13TeV:mc16_13TeV.000017.slowroot_tid18'

let cpp: Client
let job: VomsJob | undefined

test.before(() => {
  const [client] = startVoms()
  if (client === undefined) throw new Error('no client')
  cpp = client
  vomsStorage('up')
})
test.after.each(async () => {
  if (job?.daemon.hasEnded() === false) await job.daemon.end()
})
test.after(async () => {
  vomsStorage('down')
  stopVoms()
  await sweep()
})

async function start(voms: string | undefined, data: string): Promise<VomsJob> {
  const dir = await temporary()
  const certs = await certDir(dir)
  const asked: Record<string, string> = voms === undefined ? {} : { GRID_VOMS: voms }
  const env = { ...vomsEnv(cpp, dir), GRID_PASSWORD: password, ...asked }
  job = await startVomsJob(data, env, ['--cert-dir', certs])
  return job
}

async function lookAt(asked: VomsJob, did: string) {
  return JSON.parse(await asked.get(`/datasets/${did}`)) as {
    readonly name: string
    readonly unfinished: readonly { readonly reason: string | null; readonly message: string | null }[]
  }
}

for (const [voms, names] of [
  ['testvo', '/testvo, /testvo/de'],
  [undefined, 'no VO'],
] as const)
  test(`with ${voms ?? 'a plain proxy'} it refuses, and the sentence names what the proxy has and what to do`, async () => {
    const asked = await start(voms, await temporary())
    for (const did of [overHttps, overRoot]) {
      await asked.post(`/ds?ds_name=${did}`)
      let message = ''
      await until(
        30,
        async () => {
          const [file] = (await lookAt(asked, did)).unfinished
          message = `${file?.reason}: ${file?.message}`
          return file?.reason != null
        },
        () => message,
      )
      assert.match(message, /^refused: SLOW(ROOT)?1 \(localhost:\d+\) does not let us read it \(/)
      assert.ok(message.includes(`; our proxy names ${names}: `), message)
      assert.match(message, /GRID_VOMS asks for one/)
      console.log(message)
    }
    // The login and the credential are good.
    const { is_good, error } = await asked.cert()
    assert.equal([is_good, error], [true, null])
  })

test('what was refused comes once the daemon is started with the role', async () => {
  const data = await temporary()
  const before = await start('testvo', data)
  for (const did of [overHttps, overRoot]) {
    await before.post(`/ds?ds_name=${did}`)
    await until(
      30,
      async () => (await lookAt(before, did)).unfinished[0]?.reason === 'refused',
      () => did,
    )
  }
  await before.daemon.end()
  const after = await start('testvo:/testvo/Role=production', data)
  for (const did of [overHttps, overRoot]) {
    // A file that was refused waits for its time; its sidecar is the user's to read, and the wait is short after one try.
    assert.match(await after.get(`/ds?ds_name=${did}&wait=60`), /"local"/)
    const { name } = await lookAt(after, did)
    for (const file of filesOf(seeded(), did))
      assert.ok(isGood(file, await sumsOf(join(data, name, file.name))), file.name)
  }
})

test.run()
