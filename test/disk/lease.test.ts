import fs from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { Held, type Lease, type Times, takeLease } from '../../src/disk/lease.ts'
import { fence } from '../../src/disk/put.ts'
import { readOwner } from '../../src/words/owner.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, temporary, world } from '../help/data.ts'
import { type Holder, startHolder, stopHolder } from './holder.ts'
import { dataDir, own } from './root.ts'

const test = suite('lease')
const holders: Holder[] = []
test.after(async () => {
  for (const holder of holders) await stopHolder(holder)
  await sweep()
})

type Outcome = { readonly error?: unknown }
const bodies: (() => Promise<void>)[] = []
let outcomes: Promise<Outcome>[] = []
// Not before: the suites of other files sweep up all temporary directories when they end.
test.before(() => {
  outcomes = bodies.map(async body => {
    try {
      await body()
      return {}
    } catch (error) {
      return { error }
    }
  })
})

/** Each waits for clocks of a second, so all begin at once; each has a directory and processes of its own. */
function scenario(name: string, body: () => Promise<void>): void {
  const index = bodies.push(body) - 1
  test(name, async () => {
    const outcome = await outcomes[index]
    if (outcome === undefined || 'error' in outcome) throw outcome?.error
  })
}

// The shortest that proper-lockfile takes.
const quick: Times = { staleMs: 2000, updateMs: 1000, everyMs: 50, tries: 4 }
const silent = (): void => undefined

function start(root: Root, tries = 40): Holder {
  const holder = startHolder(root.dir, { tries })
  holders.push(holder)
  return holder
}

async function take(
  root: Root,
  told: string[] = [],
  times: Times = quick,
): Promise<Lease & { previous: string | undefined }> {
  const { lease, previous } = await takeLease(
    root,
    world,
    () => told.push('lost'),
    () => told.push('warn'),
    times,
  )
  return {
    renewedAt: () => lease.renewedAt(),
    announce: url => lease.announce(url),
    release: () => lease.release(),
    previous: previous?.boot_id,
  }
}

/** The lock as if nobody had renewed it for a minute. */
async function age(root: Root): Promise<void> {
  const then = Date.now() / 1000 - 60
  await utimes(layout.lease(root), then, then)
}

async function soon(what: () => Promise<boolean> | boolean, ms = 8000): Promise<void> {
  const end = Date.now() + ms
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

const another = (root: Root, bootId: string): Root => ({ ...root, bootId, fenced: true })
const isLocked = (root: Root) =>
  stat(layout.lease(root)).then(
    () => true,
    () => false,
  )

scenario(
  'owner.json says who, where and since when; a second one is told that, and gets in after the first let go',
  async () => {
    const root = await dataDir({ fenced: true })
    const first = await take(root)
    await first.announce('http://127.0.0.1:8000')
    const owner = readOwner(JSON.parse(await readFile(layout.owner(root), 'utf8')))
    assert.is(owner?.boot_id, 'boot-a')
    assert.is(owner?.pid, process.pid)
    assert.is(owner?.host, hostname())
    assert.ok(Math.abs(first.renewedAt() - Date.now()) < 5000)
    const refusal = await rejects(take(another(root, 'boot-b')))
    assert.instance(refusal, Held)
    assert.match(String(refusal), `process ${process.pid} on ${hostname()}, at http://127.0.0.1:8000`)
    assert.equal((refusal as Held).owner, owner)
    await first.release()
    assert.not.ok(await isLocked(root))
    const second = await take(another(root, 'boot-b'))
    assert.is(second.previous, 'boot-a')
    await second.release()
  },
)

scenario('of four that start at once one holds, and three say who it is', async () => {
  const root = await dataDir()
  const four = [1, 2, 3, 4].map(() => start(root, 2))
  const told = await Promise.all(four.map(each => each.next()))
  assert.equal(told.map(each => each['kind']).sort(), ['held', 'refused', 'refused', 'refused'])
  const holder = four[told.findIndex(each => each['kind'] === 'held')]
  for (const each of told) if (each['kind'] === 'refused') assert.is(each['pid'], holder?.child.pid)
})

scenario('after kill -9 the next waits until the lock is stale, and then goes on', async () => {
  const root = await dataDir()
  const first = start(root)
  const { bootId } = await first.next()
  await stopHolder(first)
  assert.instance(await rejects(take(another(root, 'boot-b'))), Held)
  await age(root)
  const second = await take(another(root, 'boot-b'))
  assert.is(second.previous, bootId)
  await second.release()
})

scenario(
  'one that was asleep while another took over writes nothing, says that it lost, and leaves the lock alone',
  async () => {
    const root = await dataDir()
    const first = start(root)
    assert.is((await first.next())['kind'], 'held')
    first.child.kill('SIGSTOP')
    await age(root)
    const told: string[] = []
    const second = await take(another(root, 'boot-b'), told)
    first.child.kill('SIGCONT')
    first.send('put')
    const words = [(await first.next())['kind'], (await first.next())['kind']].sort()
    assert.equal(words, ['fenced', 'lost'])
    first.send('exit')
    assert.is((await first.next())['kind'], 'end')
    assert.ok(await isLocked(root))
    await fence(another(root, 'boot-b'))
    assert.equal(told, [])
    await second.release()
  },
)

scenario('one that ends when another owns the directory leaves the lock, noticed or not', async () => {
  const root = await dataDir()
  for (const [how, last] of [
    ['exit', 'end'],
    ['release', 'released'],
  ] as const) {
    const holder = start(root)
    assert.is((await holder.next())['kind'], 'held')
    await own(root, 'boot-b')
    holder.send(how)
    let told = await holder.next()
    if (told['kind'] === 'lost') told = await holder.next()
    assert.is(told['kind'], last)
    assert.ok(await isLocked(root), how)
    await age(root)
  }
})

scenario('one that ends as the owner takes its lock away, also by exit alone', async () => {
  const root = await dataDir()
  const holder = start(root)
  await holder.next()
  holder.send('exit')
  assert.is((await holder.next())['kind'], 'end')
  assert.not.ok(await isLocked(root))
})

scenario('a lock that somebody removed is taken anew, and the work goes on', async () => {
  const root = await dataDir({ fenced: true })
  const told: string[] = []
  const lease = await take(root, told)
  await rmdir(layout.lease(root))
  await soon(() => isLocked(root))
  await rm(layout.lock(root), { recursive: true })
  await soon(() => isLocked(root))
  await fence(root)
  assert.equal(told, [])
  await lease.release()
  assert.not.ok(await isLocked(root))
})

scenario('what a file manager left in the lock hinders neither the next one nor the release', async () => {
  const root = await dataDir({ fenced: true })
  await mkdir(join(layout.lease(root), '.AppleDouble'), { recursive: true })
  await writeFile(join(layout.lease(root), '.DS_Store'), 'x')
  await age(root)
  const lease = await take(root)
  await writeFile(join(layout.lease(root), '.DS_Store'), 'x')
  await lease.release()
  assert.equal(await readdir(layout.lock(root)), [])
})

scenario('where another’s boot id stands in owner.json, that is told once', async () => {
  const root = await dataDir({ fenced: true })
  const told: string[] = []
  const lease = await take(root, told)
  await own(root, 'boot-b')
  await age(root)
  await soon(() => told.length > 0)
  assert.equal(told, ['lost'])
  await lease.release()
  assert.ok(await isLocked(root))
})

scenario(
  'a data directory that is away for a while is waited for: no verdict, nothing made in its place',
  async () => {
    const root = await dataDir({ fenced: true })
    const told: string[] = []
    const lease = await take(root, told)
    const elsewhere = await temporary()
    await cp(root.dir, elsewhere, { recursive: true })
    await rm(layout.own(root), { recursive: true })
    await soon(() => Date.now() - lease.renewedAt() > 1300)
    assert.equal(await readdir(root.dir), ['requests'])
    await cp(elsewhere, root.dir, { recursive: true })
    await age(root)
    await soon(() => Date.now() - lease.renewedAt() < 900)
    await fence(root)
    assert.equal(told, [])
    await lease.release()
  },
)

scenario(
  'where no mtime can be set owner.json alone guards: that is told, and the last to start wins',
  async () => {
    const root = await dataDir({ fenced: true })
    const { utimes: real } = fs
    const deny = (path: string, atime: Date, mtime: Date, done: (error: Error | null) => void): void =>
      path.startsWith(root.dir)
        ? done(Object.assign(new Error('no'), { code: 'EPERM', syscall: 'utime' }))
        : real(path, atime, mtime, done)
    fs.utimes = deny as unknown as typeof fs.utimes
    try {
      const told: string[] = []
      const first = await take(root, told)
      assert.is(first.renewedAt(), 0)
      assert.equal(told, ['warn'])
      const second = await take(another(root, 'boot-b'))
      await soon(() => told.length > 1)
      assert.equal(told, ['warn', 'lost'])
      await first.release()
      await second.release()
    } finally {
      fs.utimes = real
    }
  },
)

scenario('a directory of a newer format is not held', async () => {
  const root: Root = { ...(await dataDir()), readOnly: true }
  const { lease } = await takeLease(root, world, silent, silent, quick)
  await lease.announce('http://127.0.0.1:1')
  await lease.release()
  assert.equal((await readdir(layout.own(root))).sort(), ['format.json'])
})

test('what cannot write owner.json gives the lock back at once, with the reason of the disk', async () => {
  const root = await dataDir()
  await mkdir(layout.lock(root), { recursive: true })
  // A file in the place of the staging folder: the lock can be made, owner.json cannot.
  await rm(layout.stagings(root), { recursive: true, force: true })
  await writeFile(layout.stagings(root), '')
  const error = await rejects(take(root))
  assert.ok(error instanceof Trouble && error.reason === 'refused', String(error))
  await rm(layout.stagings(root))
  const lease = await take(root, [], { ...quick, tries: 0 })
  await lease.release()
})

test.run()
