// A daemon that is told to end in the middle of big files: within 5 s, with code 0, and what has come is kept and not fetched again.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSidecar } from '../../src/words/part.ts'
import { call, ds, openScene, type Scene, until } from './scene.ts'
import type { Known } from './universe.ts'

const test = suite('told to end')
const mib = 2 ** 20
let scene: Scene
test.before.each(async () => {
  scene = await openScene({ files: 6, bigMib: [40, 60] })
})
test.after.each(() => scene.close())

async function soFar(url: string, name: string): Promise<number> {
  const { body } = await call(url, '/datasets')
  const all = body['datasets'] as readonly {
    readonly name: string
    readonly bytes: { readonly so_far: number }
  }[]
  return all.find(each => each.name === name)?.bytes.so_far ?? 0
}

/** Bytes that sidecars count, and those of files that have their name. */
async function kept({ name, files }: Known): Promise<number> {
  const folder = join(scene.data, name, '.rucio', 'parts')
  let sum = 0
  for (const file of await readdir(folder))
    if (file.endsWith('.json'))
      for (const { from, to } of readSidecar(JSON.parse(await readFile(join(folder, file), 'utf8')))
        ?.ranges ?? [])
        sum += to - from
  for (const file of await readdir(join(scene.data, name))) sum += files.get(file)?.bytes ?? 0
  return sum
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal} keeps what has come since the last checkpoint`, async () => {
    const known = scene.dataset(0)
    await scene.setFaults({ rate: 5 * mib })
    // The usual time between checkpoints is 10 s: nothing has been counted when it is told to end.
    const daemon = scene.start({ checkpointSeconds: 10 })
    const url = await daemon.ready
    await ds(url, known, 'POST')
    const came = await until(
      'bytes',
      20_000,
      () => soFar(url, known.name),
      bytes => bytes > 12 * mib,
    )
    const began = performance.now()
    daemon.send(signal)
    assert.is((await daemon.ended).code, 0)
    assert.ok(performance.now() - began < 5000)
    const there = await kept(known)
    assert.ok(there >= came, `${there} of at least ${came} bytes were kept`)
    const sent = await scene.sentBytes()
    assert.ok(sent - there < 4 * mib, `${there} of ${sent} bytes that were sent were kept`)
    await scene.setFaults({ rate: 0 })
    const next = scene.start()
    const nextUrl = await next.ready
    await until(
      'whole',
      30_000,
      () => ds(nextUrl, known),
      ({ body }) => body['status'] === 'local',
    )
    const all = [...known.files.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    assert.ok((await scene.sentBytes()) - all < 4 * mib, 'what was kept came again')
    assert.is((await next.end()).code, 0)
  })

test.run()
