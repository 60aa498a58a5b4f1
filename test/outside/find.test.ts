// Where a program lies: by PATH, once a minute at most.

import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { programFinder } from '../../src/outside/find.ts'
import { sweep, temporary } from '../help/data.ts'

const test = suite('find')
test.after(sweep)

test('who asks while the first look goes on waits for it', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'tool'), '')
  await chmod(join(dir, 'tool'), 0o755)
  const find = programFinder('tool', `/nonexistent:${dir}`)
  assert.equal(await Promise.all([find(), find()]), [join(dir, 'tool'), join(dir, 'tool')])
})

test('what may not be run, and what a relative PATH leads to, is none', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'tool'), '')
  assert.is(await programFinder('tool', `${dir}:.:`)(), undefined)
  assert.is(await programFinder('tool', undefined)(), undefined)
})

test.run()
