// requests/ as it counts: when a text has settled, when a file is gone, what stands in a file's way. On a clock that is moved by hand.

import { writeFileSync } from 'node:fs'
import { mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { put } from '../../src/disk/put.ts'
import { openRequestBook, type RequestBook } from '../../src/loop/requests.ts'
import { breakPaths } from '../help/broken-disk.ts'
import { rejects, sweep } from '../help/data.ts'
import { openData, stoppedWorld } from '../help/dataset.ts'

const test = suite('requests/ as it counts')

type Desk = {
  readonly root: Root
  readonly book: RequestBook
  readonly world: ReturnType<typeof stoppedWorld>
  file(name: string): string
  wishes(): string[]
  oddities(): string[]
}

/** With an empty requests/ that was looked at once. */
async function openDesk(): Promise<Desk> {
  const root = await openData()
  const world = stoppedWorld()
  const book = openRequestBook(root, world)
  await book.scan()
  return {
    root,
    book,
    world,
    file: name => join(layout.requests(root), name),
    wishes: () =>
      book.wishes().map(each => {
        const { priority, paused } = each.request
        return `${each.name} ${priority}${paused ? ' paused' : ''}${each.broken ? ' broken' : ''}`
      }),
    oddities: () => book.oddities().map(each => `${each.kind} ${each.file}`),
  }
}

test('a text counts when two looks 2 s apart agree', async () => {
  const { book, world, file, wishes } = await openDesk()
  await writeFile(file('mc16.a.json'), '{"priority": 1}')
  assert.is(await book.scan(), 2000)
  assert.equal(wishes(), [])
  world.move(1999)
  assert.is(await book.scan(), 1)
  assert.equal(wishes(), [])
  world.move(1)
  assert.is(await book.scan(), undefined)
  assert.equal(wishes(), ['mc16.a 1'])
})

test('a text that is written slowly counts 2 s after its last change, and never half', async () => {
  const { book, world, file, wishes, oddities } = await openDesk()
  for (const text of ['{', '{"prio', '{"priority": 4', '{"priority": 4}']) {
    await writeFile(file('mc16.a.json'), text)
    await book.scan()
    world.move(1900)
    await book.scan()
    assert.equal(wishes(), [])
    assert.equal(oddities(), [])
  }
  world.move(100)
  await book.scan()
  assert.equal(wishes(), ['mc16.a 4'])
})

test('what is truncated or broken keeps its last good reading', async () => {
  const { book, world, file, wishes, oddities } = await openDesk()
  await writeFile(file('mc16.a.json'), '{"priority": 4}')
  await book.scan()
  world.move(2000)
  await book.scan()
  await writeFile(file('mc16.a.json'), '{"pri')
  await book.scan()
  assert.equal(wishes(), ['mc16.a 4'])
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), ['mc16.a 4 broken'])
  assert.equal(oddities(), ['problem mc16.a.json'])
})

test('a broken text of which no good reading is known waits as if it were paused', async () => {
  const { book, world, file, wishes } = await openDesk()
  await writeFile(file('mc16.a.json'), '{"pri')
  await book.scan()
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), ['mc16.a 0 paused broken'])
})

test('a file is gone when two looks 2 s apart miss it', async () => {
  const { root, book, world, file, wishes } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 1 })
  await book.scan()
  await rename(file('mc16.a.json'), file('mc16.a.json~'))
  assert.is(await book.scan(), 2000)
  assert.equal(wishes(), ['mc16.a 1'])
  await writeFile(file('mc16.a.json'), '{"priority": 2}')
  await book.scan()
  assert.equal(wishes(), ['mc16.a 1'])
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), ['mc16.a 2'])
  await unlink(file('mc16.a.json'))
  await book.scan()
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), [])
})

test('what the daemon wrote itself counts at once', async () => {
  const { root, book, file, wishes } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 7 })
  assert.is(await book.scan(), undefined)
  assert.equal(wishes(), ['mc16.a 7'])
})

test('at the start an old text counts at once, a new one when it has settled', async () => {
  const root = await openData()
  const world = stoppedWorld()
  await writeFile(join(layout.requests(root), 'mc16.old.json'), '')
  const before = new Date(world.now() - 60_000)
  await utimes(join(layout.requests(root), 'mc16.old.json'), before, before)
  await writeFile(join(layout.requests(root), 'mc16.new.json'), '')
  const book = openRequestBook(root, world)
  assert.is(await book.scan(), 2000)
  assert.equal(
    book.wishes().map(each => each.name),
    ['mc16.old'],
  )
})

test('a clock that is set back does not make a text wait for it', async () => {
  const { book, world, file, wishes } = await openDesk()
  await writeFile(file('mc16.a.json'), '')
  await book.scan()
  world.move(-3_600_000)
  assert.is(await book.scan(), 2000)
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), ['mc16.a 0'])
  await unlink(file('mc16.a.json'))
  await book.scan()
  world.move(-3_600_000)
  await book.scan()
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), [])
})

test('a file whose NAME is taken waits, and is renamed when the other has gone', async () => {
  const { root, book, world, file, wishes, oddities } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 1 })
  await put(root, file('mc16:mc16.a.json'), { priority: 2 })
  await book.scan()
  assert.equal(oddities(), ['problem mc16:mc16.a.json'])
  book.noted(
    'mc16:mc16.a.json',
    book.oddities().flatMap(each => ('message' in each ? [each.message] : []))[0],
  )
  await writeFile(file('mc16:mc16.a.json.problem'), 'why')
  await book.scan()
  assert.equal(oddities(), [], 'it was told already')
  await unlink(file('mc16.a.json'))
  await book.scan()
  assert.equal(oddities(), [], 'an editor may have renamed it away')
  assert.equal(wishes(), ['mc16.a 1'])
  world.move(2000)
  await book.scan()
  assert.equal(oddities(), ['rename mc16:mc16.a.json'])
})

test('what has been renamed is not renamed again while its old name is still missed', async () => {
  const { root, book, world, file, wishes, oddities } = await openDesk()
  await put(root, file('mc16:mc16.a.json'), { priority: 2 })
  await book.scan()
  assert.equal(oddities(), ['rename mc16:mc16.a.json'])
  await rename(file('mc16:mc16.a.json'), file('mc16.a.json'))
  await book.scan()
  assert.equal(oddities(), [])
  world.move(2000)
  await book.scan()
  assert.equal(oddities(), [])
  assert.equal(wishes(), ['mc16.a 2'])
})

test('a .problem that somebody took away is written again while it is true', async () => {
  const { root, book, file, oddities } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 'high' })
  await book.scan()
  assert.equal(oddities(), ['problem mc16.a.json'])
  const [first] = book.oddities()
  book.noted('mc16.a.json', first !== undefined && 'message' in first ? first.message : '')
  await writeFile(file('mc16.a.json.problem'), 'why')
  await book.scan()
  assert.equal(oddities(), [])
  await unlink(file('mc16.a.json.problem'))
  await book.scan()
  assert.equal(oddities(), ['problem mc16.a.json'])
})

test('a link, a folder and a name that is none get a .problem, and other programs’ files are left alone', async () => {
  const { book, world, file, wishes, oddities } = await openDesk()
  await symlink('/etc/passwd', file('mc16.link.json'))
  await mkdir(file('mc16.folder.json'))
  await writeFile(file('mc16..json'), '')
  await writeFile(file('a b.json'), '')
  await writeFile(file('mc16.txt'), '')
  for (const name of ['.mc16.a.json.swp', 'mc16.a.json~', 'mc16.a.json.tmp', '#mc16.a.json#', 'Thumbs.db'])
    await writeFile(file(name), '')
  await book.scan()
  world.move(2000)
  await book.scan()
  assert.equal(wishes(), [])
  assert.equal(oddities().sort(), [
    'problem a b.json',
    'problem mc16.folder.json',
    'problem mc16.link.json',
    'problem mc16.txt',
    'rename mc16..json',
  ])
  await rm(file('mc16.folder.json'), { recursive: true })
  await writeFile(file('mc16.folder.json'), '')
  await book.scan()
  world.move(2000)
  await book.scan()
  assert.ok(wishes().includes('mc16.folder 0'))
})

test('a disk that does not answer takes no request away, and calls none of them odd', async () => {
  const { root, book, file, wishes, oddities } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 7 })
  await book.scan()
  const mend = breakPaths('lstat', 'EIO', path => path.endsWith('mc16.a.json'))
  try {
    assert.match(String(await rejects(book.scan())), 'disk_error')
  } finally {
    mend()
  }
  assert.equal(wishes(), ['mc16.a 7'])
  assert.equal(oddities(), [])
})

test('a request that may not be read gets a .problem, and hinders no other', async () => {
  const { root, book, file, wishes, oddities } = await openDesk()
  await put(root, file('mc16.a.json'), { priority: 7 })
  await put(root, file('mc16.b.json'), { priority: 8 })
  const mend = breakPaths('open', 'EACCES', path => path.endsWith('mc16.a.json'))
  try {
    await book.scan()
  } finally {
    mend()
  }
  assert.equal(wishes(), ['mc16.a 0 paused broken', 'mc16.b 8'])
  assert.equal(oddities(), ['problem mc16.a.json'])
  await book.scan()
  assert.equal(wishes(), ['mc16.a 7', 'mc16.b 8'], 'the right was given')
})

test('a text that is written between the look and its reading has not settled', async () => {
  const { book, world, file, wishes } = await openDesk()
  await writeFile(file('mc16.a.json'), '{"priority": 4}')
  await book.scan()
  world.move(2000)
  let truncate = true
  const mend = breakPaths('open', 'EIO', path => {
    if (truncate && path.endsWith('mc16.a.json')) writeFileSync(file('mc16.a.json'), '')
    truncate = false
    return false
  })
  try {
    assert.is(await book.scan(), 2000)
  } finally {
    mend()
  }
  assert.equal(wishes(), [])
})

test.after(sweep)
test.run()
