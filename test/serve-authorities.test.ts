import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AuthoritiesKeeper, openAuthorities } from '../src/credential/authorities.ts'
import type { UpdateOptions } from '../src/credential/update.ts'
import { layout } from '../src/disk/layout.ts'
import { closeRoot, openRoot } from '../src/disk/root.ts'
import { keepAuthorities, warningsOf } from '../src/serve-authorities.ts'
import { type AuthoritiesState, readAuthoritiesState } from '../src/words/authorities.ts'
import { sweep, temporary, world } from './help/data.ts'
import { until } from './help/home.ts'
import { authority } from './help/issue.ts'

const test = suite('authorities while the daemon runs')
const ca = authority('One')
const hour = 3_600_000
test.after(sweep)

/** A daemon's part of it, on a data directory and a directory of authorities of its own. */
async function bench(files: Readonly<Record<string, string>> = {}) {
  const [dir, place] = [await temporary(), await temporary()]
  await writeFile(join(place, '1a.0'), ca.pem)
  for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text)
  const { root } = await openRoot({ dir, fenced: false, world })
  await mkdir(join(dir, '.rucio', 'status'), { recursive: true })
  const lines: string[] = []
  const log = (_: string, text: string): void => void lines.push(text)
  const ground = { root, world, log, changed: () => {} }
  const state = async (): Promise<AuthoritiesState | undefined> =>
    readAuthoritiesState(
      JSON.parse(await readFile(layout.status(root, 'authorities'), 'utf8').catch(() => '0')), // not written yet
    )
  async function run(
    options: Partial<UpdateOptions>,
    check: (keeper: AuthoritiesKeeper) => Promise<void>,
  ): Promise<void> {
    const stop = new AbortController()
    const keeper = openAuthorities({ caDir: place }, world)
    const running = keepAuthorities(
      ground,
      keeper,
      { off: false, dir: place, listsDir: place, env: { PATH: '/usr/bin:/bin' }, ...options },
      stop.signal,
    )
    try {
      await check(keeper)
    } finally {
      stop.abort()
      await running
    }
  }
  const says = (what: string, is: (state: AuthoritiesState) => boolean): Promise<void> =>
    until(async () => {
      const now = await state()
      return (now !== undefined && is(now)) || `not ${what}: ${JSON.stringify(now)}`
    }, 5_000)
  return { root, place, lines, run, says, state, close: () => closeRoot(root) }
}

test('a command brings a list, which counts at once and is not asked for again the same day', async () => {
  const { place, lines, run, says, close } = await bench()
  const source = join(await temporary(), 'list')
  await writeFile(source, ca.crl(['0a']))
  const command = ['cp', '-v', source, join(place, '1a.r0')]
  await run({ command }, async keeper => {
    await says('good', ({ update, crl }) => update.ended !== null && crl?.fresh === 1)
    assert.equal((await keeper.look()).revocations?.counts(Date.now()), { fresh: 1, stale: 0, missing: 0 })
  })
  assert.match(
    lines.join('\n'),
    /have no revocation list[\s\S]*CERT_UPDATE_COMMAND: '.*' -> '[\s\S]*ended well[\s\S]*all is well again/,
  )
  lines.length = 0
  // Another start within the day.
  await run({ command }, () => says('still good', ({ update, crl }) => !update.running && crl?.fresh === 1))
  assert.equal(lines, [])
  await close()
})

test('a failure is told and tried again after an hour; the next start keeps to that', async () => {
  const { lines, run, says, state, close } = await bench({ '1a.r0': ca.crl([]) })
  await run({ command: ['false'] }, () => says('failed', ({ update }) => update.error !== null))
  const { update, warnings } = (await state()) as AuthoritiesState
  const [ended, next] = [Date.parse(update.ended ?? ''), Date.parse(update.next ?? '')]
  assert.is(next - ended, hour)
  assert.match(warnings.join(), 'The last renewal failed: CERT_UPDATE_COMMAND ended with code 1')
  await run({ command: ['true'] }, () => says('failed as before', each => each.update.ended === update.ended))
  assert.is(lines.filter(each => each.includes('ended with code 1;')).length >= 1, true)
  assert.is(lines.join().includes('ended well'), false)
  await close()
})

test('fetch-crl that ends well and brings nothing has failed', async () => {
  const { run, says, close } = await bench()
  const bin = await temporary()
  await writeFile(join(bin, 'fetch-crl'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  await run({ env: { PATH: `${bin}:/usr/bin:/bin` } }, () =>
    says('failed', ({ update }) => /has brought no revocation list/.test(update.error ?? '')),
  )
  await close()
})

test('a list that somebody else has renewed today is not fetched; an old one is', async () => {
  const { run, says, close } = await bench({ '1a.r0': ca.crl([]) })
  await run({ env: { PATH: '/nowhere' } }, () =>
    says(
      'waiting',
      ({ update }) => update.ended === null && Date.parse(update.next ?? '') > Date.now() + 23 * hour,
    ),
  )
  await close()
})

test('without fetch-crl the warning says what to install, and only where lists are missing', async () => {
  const { run, says, close } = await bench()
  await run({ env: { PATH: '/nowhere' } }, () =>
    says(
      'missing',
      ({ update, warnings }) => update.by === null && /Install fetch-crl/.test(warnings.join()),
    ),
  )
  await close()
  const missing = { error: 'there is no fetch-crl on this machine', wasMissing: true }
  assert.equal(warningsOf({ fresh: 80, stale: 0, missing: 0 }, missing, false), [])
  assert.equal(warningsOf(null, missing, false), [])
  assert.match(
    warningsOf({ fresh: 0, stale: 1, missing: 2 }, null, true).join(),
    /^Of 3 .* 2 have .* 1 one .*CERT_UPDATE=0/,
  )
})

test('a program that runs when the daemon ends is ended, and its time does not count as a renewal', async () => {
  const { run, says, state, close } = await bench()
  const began = performance.now()
  await run({ command: ['sleep', '60'] }, () => says('running', ({ update }) => update.running))
  assert.is(performance.now() - began < 4_000, true)
  assert.is((await state())?.update.ended, null)
  await close()
})

test.run()
