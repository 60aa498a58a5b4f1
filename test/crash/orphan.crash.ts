// A daemon is killed where nothing ends its programs with it: they write on. The next one ends them before it begins, so that nothing of
// theirs lies about, takes the line or the disk, or stands beside what it brings itself.

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { age } from './life.ts'
import { type Played, playPrograms } from './played.ts'
import { ds, openScene, type Scene, until } from './scene.ts'

const test = suite('programs that outlive a killed daemon')
const mib = 2 ** 20
let scene: Scene | undefined
let played: Played | undefined
test.after.each(async () => {
  await played?.kill()
  await scene?.close()
})

type Way = { readonly engine: 'auto' | 'rucio'; readonly scheme: string; readonly programs: number }
const ways: Readonly<Record<string, Way>> = {
  'an xrdcp': { engine: 'auto', scheme: 'root', programs: 1 },
  'the official client': { engine: 'rucio', scheme: 'davs', programs: 1 },
  'the official client and its xrdcp': { engine: 'rucio', scheme: 'root', programs: 2 },
}

for (const [what, { engine, scheme, programs }] of Object.entries(ways))
  test(`${what}: the next daemon ends it, and brings the file`, async () => {
    const here = await openScene({
      files: 3,
      bigMib: [16, 17],
      schemes: [scheme],
      env: async dir => {
        played = await playPrograms(dir)
        return played.withoutGuard
      },
    })
    scene = here
    const { data, looks } = here
    const running = async (): Promise<readonly number[]> => (await played?.running()) ?? []
    const known = here.dataset(0)
    await here.setFaults({ rate: mib })
    // The first one makes the data directory; what config.json says holds from the start of the next, so every byte comes by the program.
    const maker = here.start()
    await maker.ready
    assert.is((await maker.end()).code, 0)
    await writeFile(join(data, 'config.json'), JSON.stringify({ reserve_bytes: 0, files_at_once: 1, engine }))
    const first = here.start()
    const url = await first.ready
    await ds(url, known, 'POST')
    await until(
      'programs and bytes',
      30_000,
      async () => [(await running()).length, await here.sentBytes()] as const,
      ([count, bytes]) => count >= programs && bytes > mib / 2,
    )
    await first.kill()
    const orphans = await running()
    assert.ok(orphans.length >= programs, `${orphans.length} of them outlived their daemon`)
    await age(data, true)
    const second = here.start()
    const again = await second.ready
    const still = await running()
    assert.equal(
      orphans.filter(pid => still.includes(pid)),
      [],
    )
    assert.is((await readdir(join(data, '.rucio', 'staging'))).length, 1)
    await here.setFaults({ rate: 0 })
    await until(
      'whole',
      60_000,
      () => ds(again, known),
      ({ body }) => body['status'] === 'local',
    )
    assert.equal(await looks.missing(known), [])
    assert.is((await second.end()).code, 0)
    assert.equal(await running(), [])
  })

test.run()
