// put() under a kernel that fails or kills at the n-th call of each kind, until a run is not hit any more (SQLite's
// I/O-error loop). Needs strace and the right to trace; says skipped without. About half a minute.

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { put } from '../../src/disk/put.ts'
import { codeOf, toTrouble } from '../../src/words/reason.ts'
import { dataDir } from '../disk/root.ts'
import { sweep } from '../help/data.ts'

const run = promisify(execFile)
const here = fileURLToPath(import.meta.url)

if (process.argv[1] === here) await putOnce()
else tests()

/** As a program: one put() in DIR, which tells how it ended. */
async function putOnce(): Promise<void> {
  const root: Root = { dir: process.argv[2] ?? '', id: 'test-id', bootId: 'boot-a', fenced: true }
  const said = await put(root, layout.request(root, 'a'), { text: 'new', filler: 'x'.repeat(5000) }).then(
    () => 'written',
    (error: unknown) => toTrouble(error).reason,
  )
  process.stdout.write(said)
}

type Seen = { readonly said: string; readonly text: string; readonly hit: boolean; readonly left: number }

/** One put() over a good record, with the fault at the n-th call of that kind that names something in `.rucio/staging`,
 *  `requests` or owner.json: a kill or error elsewhere would only say that node itself can fail. */
async function faulty(call: string, fault: string, n: number): Promise<Seen> {
  const root = await dataDir({ fenced: true })
  await put(root, layout.request(root, 'a'), { text: 'old' })
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:${fault}:when=${n}`]
  const staging = layout.staging(root)
  // -P names exact paths: the staged file is the first of its process.
  const places = [staging, `${staging}/1`, layout.requests(root), layout.request(root, 'a')]
  const log = `${root.dir}/trace`
  const args = [
    '-f',
    '-qq',
    '-o',
    log,
    ...inject,
    ...(call === 'openat' ? places.flatMap(p => ['-P', p]) : []),
  ]
  const { stdout } = await run('strace', [...args, process.execPath, here, root.dir], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }))
  const trace = await readFile(log, 'utf8')
  return {
    said: stdout,
    text: String((JSON.parse(await readFile(layout.request(root, 'a'), 'utf8')) as { text: string }).text),
    hit: /INJECTED|killed by SIGKILL/.test(trace),
    left: (await readdir(staging)).length,
  }
}

function tests(): void {
  const test = suite('put under faults')
  test.after(sweep)
  let canTrace = true
  test.before(async () => {
    try {
      await run('strace', ['-f', '-qq', '-o', '/dev/null', 'true'])
    } catch (error) {
      canTrace = false
      console.log(`skipped: no strace here (${codeOf(error) ?? 'it may not trace'})`)
    }
  })

  /** @returns how often it was hit */
  async function each(call: string, fault: string, check: (seen: Seen, n: number) => void): Promise<number> {
    for (let n = 1; ; n++) {
      const seen = await faulty(call, fault, n)
      if (!seen.hit) {
        assert.is(seen.said, 'written')
        assert.is(seen.text, 'new')
        return n - 1
      }
      check(seen, n)
    }
  }

  const errors: readonly (readonly [string, string, string])[] = [
    ['fsync', 'EIO', 'disk_error'],
    ['rename', 'EIO', 'disk_error'],
    ['rename', 'ENOSPC', 'disk_full'],
    ['rename', 'EROFS', 'read_only'],
    ['openat', 'EROFS', 'read_only'],
    ['openat', 'EMFILE', 'disk_error'],
    ['openat', 'ENOSPC', 'disk_full'],
  ]
  for (const [call, code, reason] of errors)
    test(`${call} that gives ${code} is told as ${reason}, and the record stays whole`, async () => {
      if (!canTrace) return
      const hits = await each(call, `error=${code}`, (seen, n) => {
        assert.is(seen.said, reason, `${call} ${n}`)
        assert.is(seen.left, 0, `${call} ${n} left a file in staging`)
        assert.ok(seen.text === 'old' || seen.text === 'new')
      })
      assert.ok(hits > 0, 'no call was hit')
    })

  test('a rename that is refused for a moment is tried again', async () => {
    if (!canTrace) return
    for (const code of ['EBUSY', 'EACCES', 'EPERM']) {
      // The first rename is write-file-atomic's own, within staging.
      const seen = await faulty('rename', `error=${code}`, 2)
      assert.ok(seen.hit)
      assert.is(seen.said, 'written', code)
      assert.is(seen.text, 'new')
    }
  })

  for (const call of ['fsync', 'rename', 'openat', 'unlink', 'mkdir'])
    test(`kill -9 at any ${call} leaves the old record or the new one`, async () => {
      if (!canTrace) return
      await each(call, 'error=EIO:signal=SIGKILL', seen => {
        assert.is(seen.said, '')
        assert.ok(seen.text === 'old' || seen.text === 'new')
      })
    })

  test.run()
}
