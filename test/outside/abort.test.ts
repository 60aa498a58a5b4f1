import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { orAbort, pause } from '../../src/outside/abort.ts'
import { rejects } from '../help/data.ts'

const test = suite('abort')

test('what is waited for comes, or the reason of the signal does, whichever is first', async () => {
  const stop = new AbortController()
  assert.is(await orAbort(Promise.resolve(7), stop.signal), 7)
  const why = new Error('told to end')
  const waiting = rejects(orAbort(new Promise(() => {}), stop.signal))
  stop.abort(why)
  assert.is(await waiting, why)
  assert.is(await rejects(orAbort(Promise.resolve(7), stop.signal)), why)
})

test('a pause ends with its signal, and at once where that has fired', async () => {
  const stop = new AbortController()
  const waiting = pause(60_000, stop.signal)
  stop.abort()
  await waiting
  await pause(60_000, stop.signal)
  await pause(1, new AbortController().signal)
})

test.run()
