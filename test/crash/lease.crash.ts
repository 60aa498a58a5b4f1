// The lease with the times that a daemon has: half a minute, so not among the quick tests.

import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startHolder, stopHolder } from '../disk/holder.ts'
import { dataDir } from '../disk/root.ts'
import { sweep } from '../help/data.ts'

const test = suite('lease in real time')
test.after(sweep)

const real = { staleMs: 0 }

test('after kill -9 of the holder a new daemon is at work within 10 s', async () => {
  const root = await dataDir()
  const first = startHolder(root.dir, real)
  assert.is((await first.next())['kind'], 'held')
  const ended = once(first.child, 'exit')
  first.child.kill('SIGKILL')
  await ended
  const killedAt = performance.now()
  const second = startHolder(root.dir, real)
  assert.is((await second.next())['kind'], 'held')
  const tookMs = performance.now() - killedAt
  await stopHolder(second)
  assert.ok(tookMs < 10_000, `${tookMs} ms`)
  console.log(`${Math.round(tookMs)} ms`)
})

test('a living holder is not waited away, and one that sleeps longer than the lease loses it', async () => {
  const root = await dataDir()
  const first = startHolder(root.dir, real)
  assert.is((await first.next())['kind'], 'held')
  const second = startHolder(root.dir, real)
  const refusal = await second.next()
  assert.is(refusal['kind'], 'refused')
  assert.is(refusal['pid'], first.child.pid)
  first.child.kill('SIGSTOP')
  const third = startHolder(root.dir, real)
  assert.is((await third.next())['kind'], 'held')
  first.child.kill('SIGCONT')
  first.send('put')
  assert.equal([(await first.next())['kind'], (await first.next())['kind']].sort(), ['fenced', 'lost'])
  third.send('put')
  assert.is((await third.next())['kind'], 'written')
  for (const holder of [first, second, third]) await stopHolder(holder)
})

test.run()
