import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openGate } from '../../src/disk/gate.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'

const test = suite('a gate before slow disks')

/** Work that ends when it is told to. */
function hanging(): { readonly work: () => Promise<string>; readonly end: () => void } {
  let end = (): void => {}
  const ended = new Promise<string>(resolve => {
    end = () => resolve('at last')
  })
  return { work: () => ended, end }
}

test('what answers is passed on, and so is its error', async () => {
  const gate = openGate(1, 1000)
  assert.is(await gate.run('disk', async () => 7), 7)
  const error = new Error('no')
  assert.is(await rejects(gate.run('disk', () => Promise.reject(error))), error)
  assert.is(await gate.run('disk', async () => undefined), undefined)
})

test('what hangs is told in time, and never takes more than its places', async () => {
  const gate = openGate(2, 40)
  const hung = [hanging(), hanging()]
  let begun = 0
  const late = [...hung, hanging(), hanging()].map(each =>
    rejects(
      gate.run('/storage', () => {
        begun++
        return each.work()
      }),
    ),
  )
  for (const error of await Promise.all(late)) {
    assert.instance(error, Trouble)
    assert.match((error as Trouble).message, /disk_error: \/storage does not answer within 0.04 s/)
  }
  assert.is(begun, 2)
  // Who asks while both hang is told at once.
  const from = performance.now()
  assert.instance(await rejects(gate.run('/storage', async () => 'soon')), Trouble)
  assert.ok(performance.now() - from < 30)
  // When the mount is back its places are free, and what nobody waits for any more is not begun.
  for (const each of hung) each.end()
  await sleep(1)
  assert.is(await gate.run('/storage', async () => 'well'), 'well')
  assert.is(begun, 2)
})

test('no more than its places are at work at a time, and all have their turn', async () => {
  const gate = openGate(3, 5000)
  let now = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 50 }, () =>
      gate.run('disk', async () => {
        most = Math.max(most, ++now)
        await sleep(1)
        now--
      }),
    ),
  )
  assert.equal([most, now], [3, 0])
})

test.run()
