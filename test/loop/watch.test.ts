// The watch folder from end to end, and how soon what is written is taken up, with file events and without.

import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Clock, openClock } from '../help/clock.ts'
import {
  appears,
  type Dataset,
  dataset,
  endAll,
  goes,
  type Home,
  openHome,
  slowDataset,
} from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'
import { sideBySide } from '../help/side-by-side.ts'

const test = suite('watch/ by hand')
const all: Dataset[] = []
const one = <T extends Dataset>(made: T): T => {
  all.push(made)
  return made
}
const slow = one(slowDataset('hands.slow'))
const listed = [one(dataset('hands.one')), one(dataset('hands.two'))] as const
const withText = one(dataset('hands.with.text'))
const good = one(dataset('hands.good'))
const later = one(dataset('hands.later'))
const down = one(dataset('hands.down'))

let clock: Clock
let grid: PracticeChild
let home: Home

test.before(async () => {
  grid = await startPracticeChild({ seed: { datasets: all, containers: [] }, rses: ['FAST', slow.rse] })
  await grid.setFaults(slow.rse, { rate: 200_000 })
  clock = openClock(8)
  home = await openHome({ grid, world: clock.world })
})

const watch = (...names: string[]): string => home.path('watch', ...names)

sideBySide(test, {
  async 'NAME becomes NAME.downloading, then NAME.local'() {
    await writeFile(watch(slow.name), '')
    await appears(watch(`${slow.name}.downloading`))
    assert.not.ok((await readdir(watch())).includes(slow.name))
    await grid.setFaults(slow.rse, { rate: 0 })
    await appears(watch(`${slow.name}.local`))
    assert.not.ok((await readdir(watch())).includes(`${slow.name}.downloading`))
    assert.is(await home.ds('GET', slow.name), 'local')
  },

  async 'NAME.txt is read as NAME, and its comment is kept'() {
    await writeFile(watch(`${withText.name}.txt`), '# for the thesis\n')
    await appears(watch(`${withText.name}.local`))
    assert.is(await readFile(watch(`${withText.name}.local`), 'utf8'), '# for the thesis\n')
  },

  async 'what Rucio does not know becomes NAME.does_not_exist'() {
    await writeFile(watch('hands.nowhere'), '')
    await appears(watch('hands.nowhere.does_not_exist'))
  },

  async 'of several lines the worst counts until all are local'() {
    const [first, second] = listed
    await writeFile(watch('thesis'), `# mine\r\n${first.name}\r\nhands:${second.name}\r\n`)
    await appears(watch('thesis.local'))
    for (const each of listed) assert.is(await home.ds('GET', each.name), 'local')
  },

  async 'a bad line is refused with its reason, and the good ones are taken all the same'() {
    await writeFile(watch('mixed'), `${good.name}\nno good name\n`)
    await appears(watch('mixed.refused'))
    assert.match(await readFile(watch('mixed.refused'), 'utf8'), /\n# refused: no good name: .+\n$/)
    await home.says(good.name, 'local')
  },

  async 'a line that is added to an answer is taken, too'() {
    await writeFile(watch('growing'), `${good.name}\n`)
    await appears(watch('growing.local'))
    await appendFile(watch('growing.local'), `${later.name}\n`)
    await home.says(later.name, 'local')
    await appears(watch('growing.local'))
  },

  async 'what lay there while the daemon was down is taken at the start'() {
    const other = await openHome({ grid, world: clock.world })
    await other.end()
    await writeFile(other.path('watch', down.name), '')
    await other.again()
    await appears(other.path('watch', `${down.name}.local`))
    await goes(other.path('watch', `${down.name}.downloading`))
    await other.end()
  },
})

test('with file events it is taken up within 5 s, without them within 35 s, and so is a changed text', async () => {
  clock.close()
  const real = openClock(2)
  try {
    const [withEvents, without] = await Promise.all([
      openHome({ grid, world: real.world }),
      openHome({ grid, world: real.world, env: { DESKTOP_RUCIO_FILE_EVENTS: '0' } }),
    ])
    const problem = 'hands.late.json.problem'
    const took = async (at: Home, pushMs: number): Promise<number> => {
      const from = real.world.now()
      await writeFile(at.path('requests', 'hands.late.json'), '{"priority": "high"}')
      real.push(pushMs)
      await appears(at.path('requests', problem))
      return real.world.now() - from
    }
    const fast = took(withEvents, 0)
    const soon = await fast
    assert.ok(soon >= 2000 && soon < 5000, `it took ${soon} ms with file events`)
    const late = await took(without, 30_000)
    assert.ok(late >= 30_000 && late < 35_000, `it took ${late} ms without them`)
  } finally {
    real.close()
  }
})

test.after(() => endAll(grid, clock))

test.run()
