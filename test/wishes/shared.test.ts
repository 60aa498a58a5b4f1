import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { shared } from '../../src/wishes/shared.ts'
import { rejects } from '../help/data.ts'

const test = suite('shared')

function open() {
  const ends: ((value: string) => void)[] = []
  const fails: ((error: Error) => void)[] = []
  const look = shared(
    () =>
      new Promise<string>((resolve, reject) => {
        ends.push(resolve)
        fails.push(reject)
      }),
  )
  return { look, ends, fails }
}

test('who asks during a look gets the next one, all of them the same', async () => {
  const { look, ends } = open()
  const first = look()
  const others = [look(), look(), look()]
  assert.is(ends.length, 1)
  ends[0]?.('old')
  assert.is(await first, 'old')
  assert.is(ends.length, 2)
  const last = look()
  ends[1]?.('new')
  assert.equal(await Promise.all(others), ['new', 'new', 'new'])
  await new Promise(setImmediate)
  assert.is(ends.length, 3)
  ends[2]?.('newest')
  assert.is(await last, 'newest')
})

test('a look that fails fails for its own, and the next one begins', async () => {
  const { look, ends, fails } = open()
  const first = rejects(look())
  const second = look()
  fails[0]?.(new Error('EIO'))
  assert.match(String(await first), /EIO/)
  await new Promise(setImmediate)
  ends[1]?.('good')
  assert.is(await second, 'good')
})

test.run()
