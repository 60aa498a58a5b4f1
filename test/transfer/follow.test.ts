import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { follow } from '../../src/transfer/follow.ts'

const test = suite('follow')

test('the first of several that fires gives its reason', () => {
  const [a, b] = [new AbortController(), new AbortController()]
  const { controller } = follow(a.signal, b.signal)
  b.abort('b')
  a.abort('a')
  assert.is(controller.signal.reason, 'b')
})

test('one that has fired already counts at once', () => {
  assert.ok(follow(AbortSignal.abort('gone')).controller.signal.aborted)
})

test('what was let go fires no more', () => {
  const a = new AbortController()
  const { controller, letGo } = follow(a.signal)
  letGo()
  a.abort()
  assert.not.ok(controller.signal.aborted)
})

test.run()
