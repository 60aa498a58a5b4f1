import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { openLogs, readLog } from '../../src/disk/logs.ts'
import { Fenced } from '../../src/disk/put.ts'
import { type Accept, openAccept } from '../../src/wishes/accept.ts'
import { openWatchFolder } from '../../src/wishes/watch.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep } from '../help/data.ts'
import { didOf, missingText, openData, putWhole, stoppedWorld } from '../help/dataset.ts'

const test = suite('watch')
test.after(sweep)

async function open(accept?: (root: Root) => Accept) {
  const root = await openData()
  const world = stoppedWorld()
  const wishes = accept?.(root) ?? openAccept(root, world, () => undefined)
  const folder = openWatchFolder(root, world, wishes)
  return {
    root,
    world,
    wishes,
    folder,
    at: (file: string) => join(layout.watch(root), file),
    drop: (file: string, text: string | Buffer = '') => writeFile(join(layout.watch(root), file), text),
    files: async () => (await readdir(layout.watch(root))).sort(),
    requests: async () => (await readdir(layout.requests(root))).sort(),
    /** two looks 2 s apart */
    async settle() {
      await folder.look()
      world.move(2000)
      return await folder.look()
    },
  }
}

test('an empty folder waits for nothing', async () => {
  const { folder } = await open()
  assert.is(await folder.look(), undefined)
})

test('a file is taken when two looks 2 s apart agree, and not before', async () => {
  const { folder, world, drop, files, requests } = await open()
  await drop('mc16.x.one')
  assert.is(await folder.look(), 2000)
  world.move(1999)
  assert.is(await folder.look(), 1)
  assert.equal(await requests(), [])
  world.move(1)
  assert.is(await folder.look(), undefined)
  assert.equal(await requests(), ['mc16.x.one.json'])
  assert.equal(await files(), ['mc16.x.one.downloading'])
})

test('a file that is still being written waits, also when its size stays the same', async () => {
  const { folder, world, drop, at, requests } = await open()
  await drop('list.txt', 'mc16.x.o')
  await folder.look()
  world.move(2000)
  await drop('list.txt', 'mc16.x.one')
  assert.is(await folder.look(), 2000)
  world.move(2000)
  await utimes(at('list.txt'), 1, 1)
  assert.is(await folder.look(), 2000)
  assert.equal(await requests(), [])
  world.move(2000)
  await folder.look()
  assert.equal(await requests(), ['mc16.x.one.json'])
})

test('a clock that jumps back makes a file wait 2 s, not a year', async () => {
  const { folder, world, drop, requests } = await open()
  await drop('mc16.x.one')
  await folder.look()
  world.move(-31_536_000_000)
  assert.is(await folder.look(), 2000)
  world.move(2000)
  await folder.look()
  assert.equal(await requests(), ['mc16.x.one.json'])
})

test('the answer follows the dataset: downloading, local, not_on_server; and asking is over with the answer', async () => {
  const { root, folder, world, drop, settle, files, requests } = await open()
  await drop('mc16.x.one')
  await settle()
  await putWhole(root, didOf('mc16.x.one'), 2)
  world.move(1)
  await folder.look()
  assert.equal(await files(), ['mc16.x.one.local'])
  await rm(layout.request(root, 'mc16.x.one'))
  await rm(layout.dataset(root, 'mc16.x.one'), { recursive: true })
  world.move(1)
  await folder.look()
  assert.equal(await files(), ['mc16.x.one.not_on_server'])
  await settle()
  assert.equal(await requests(), [])
})

test('does_not_exist is an answer while it is fresh', async () => {
  const { root, world, folder, drop, settle, files } = await open()
  await writeFile(
    layout.answer(root, 'mc16.x.one'),
    missingText(didOf('mc16.x.one'), world.now() + 3_600_000),
  )
  await drop('mc16.x.one.txt')
  await settle()
  assert.equal(await files(), ['mc16.x.one.does_not_exist'])
  world.move(3_700_000)
  await folder.look()
  assert.equal(await files(), ['mc16.x.one.downloading'])
})

test('of several lines the worst counts, whatever an editor of Windows made of them', async () => {
  const { root, drop, settle, files, requests, at } = await open()
  await putWhole(root, didOf('mc16.x.whole'), 1)
  const text = '# mine\r\nmc16.x.whole\r\nother:mc16.x.one # this too'
  await drop('list.txt', Buffer.from(`\ufeff${text}`, 'utf16le'))
  await settle()
  assert.equal(await files(), ['list.downloading'])
  assert.equal(await requests(), ['other=3Amc16.x.one.json'])
  assert.equal(await readFile(at('list.downloading')), Buffer.from(`\ufeff${text}`, 'utf16le'))
})

test('a bad line is refused with its reason as a comment, and the good lines are taken all the same', async () => {
  const { drop, settle, files, requests, at } = await open()
  await drop('list', 'mc16.x.one\na:b:c\n../../etc\nmc16.x.two')
  await settle()
  assert.equal(await requests(), ['mc16.x.one.json', 'mc16.x.two.json'])
  assert.equal(await files(), ['list.refused'])
  const text = await readFile(at('list.refused'), 'utf8')
  assert.ok(text.startsWith('mc16.x.one\na:b:c\n../../etc\nmc16.x.two\n# refused: a:b:c: '))
  assert.match(text, /more than one colon/)
  await settle()
  assert.is(await readFile(at('list.refused'), 'utf8'), text)
})

test('a refused file that is mended is taken', async () => {
  const { drop, settle, files, requests, at } = await open()
  await drop('list', 'mc16.x.one\na:b:c\n')
  await settle()
  const text = await readFile(at('list.refused'), 'utf8')
  await writeFile(at('list.refused'), text.replace('a:b:c\n', 'a:mc16.x.two\n'))
  await settle()
  assert.equal(await files(), ['list.downloading'])
  assert.equal(await requests(), ['a=3Amc16.x.two.json', 'mc16.x.one.json'])
  assert.is(await readFile(at('list.downloading'), 'utf8'), 'mc16.x.one\na:mc16.x.two\n')
})

test('what is written into an answer is taken, and what was removed meanwhile is not asked for again', async () => {
  const { wishes, drop, settle, requests, at, root, files } = await open()
  await drop('list', 'mc16.x.one\n')
  await settle()
  await wishes.remove(didOf('mc16.x.one'))
  await rm(layout.request(root, 'mc16.x.one'))
  await writeFile(at('list.downloading'), 'mc16.x.one\nmc16.x.two\n')
  await settle()
  assert.equal(await requests(), ['mc16.x.two.json'])
  assert.equal(await files(), ['list.not_on_server'])
})

test('what is written between the reading of a file and its rename is taken too', async () => {
  let late = async () => undefined as unknown
  const { drop, settle, requests, at, files } = await open(root => {
    const accept = openAccept(root, stoppedWorld(), () => undefined)
    return {
      ...accept,
      async want(did) {
        const answer = await accept.want(did)
        await late()
        return answer
      },
    }
  })
  await drop('list', 'mc16.x.one\n')
  late = async () => {
    late = async () => undefined
    await writeFile(at('list'), 'mc16.x.one\nmc16.x.two\n')
  }
  await settle()
  await settle()
  assert.equal(await requests(), ['mc16.x.one.json', 'mc16.x.two.json'])
  assert.equal(await files(), ['list.downloading'])
})

test('a name that is none is refused with the reason inside', async () => {
  const { drop, settle, files, at } = await open()
  await drop('not a name.txt')
  await drop('user')
  await settle()
  assert.equal(await files(), ['not a name.refused', 'user.refused'])
  assert.match(await readFile(at('not a name.refused'), 'utf8'), /^# refused: not a name: /)
})

test('a file that is too big or no text is refused unread, and the reason lies and goes beside it', async () => {
  const { drop, settle, files, requests, at, folder } = await open()
  await drop('big', `${'mc16.x.one\n'.repeat(6000)}`)
  await drop('photo', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00]))
  await settle()
  assert.equal(await files(), [
    'big.refused',
    'big.refused.problem',
    'photo.refused',
    'photo.refused.problem',
  ])
  assert.match(await readFile(at('big.refused.problem'), 'utf8'), /65536 bytes/)
  assert.equal(await readFile(at('photo.refused')), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0x00]))
  assert.equal(await requests(), [])
  await rm(at('big.refused'))
  await folder.look()
  assert.equal(await files(), ['photo.refused', 'photo.refused.problem'])
})

test('a name too long for its suffix is cut, and the DID is written inside', async () => {
  const { root, world, drop, settle, files, requests, at, folder } = await open()
  const name = `mc16.${'x'.repeat(240)}`
  await drop(name)
  await settle()
  const [answer = ''] = await files()
  assert.match(answer, /^mc16\.x+\.downloading$/)
  assert.ok(answer.length <= 255)
  assert.is(await readFile(at(answer), 'utf8'), `mc16:${name}\n`)
  assert.is((await requests()).length, 1)
  await putWhole(root, didOf(name), 1)
  world.move(1)
  await folder.look()
  assert.match((await files())[0] ?? '', /\.local$/)
})

test('an answer of the same text goes for the newer one, another text is kept beside it', async () => {
  const { drop, settle, files, at } = await open()
  await drop('mc16.x.one')
  await settle()
  await drop('mc16.x.one')
  await settle()
  assert.equal(await files(), ['mc16.x.one.downloading'])
  await drop('mc16.x.one.txt', 'mc16.x.two\n')
  await settle()
  assert.equal(await files(), ['mc16.x.one.downloading', 'mc16.x.one~2.downloading'])
  await rm(at('mc16.x.one.downloading'))
  await drop('mc16.x.one.downloading', 'mc16.x.three\n')
  await drop('mc16.x.one')
  await settle()
  assert.equal(await files(), [
    'mc16.x.one.downloading',
    'mc16.x.one~2.downloading',
    'mc16.x.one~3.downloading',
  ])
  assert.is(await readFile(at('mc16.x.one~3.downloading'), 'utf8'), 'mc16:mc16.x.one\n')
})

test('links, folders, hidden and temporary files are left alone', async () => {
  const { root, drop, settle, files, requests, at } = await open()
  await writeFile(join(root.dir, 'secret'), 'mc16.x.secret\n')
  await symlink(join(root.dir, 'secret'), at('mc16.x.link'))
  await mkdir(at('mc16.x.folder'))
  for (const file of ['.mc16.x', 'mc16.x~', 'mc16.x.swp', 'Thumbs.db']) await drop(file)
  const before = await files()
  assert.is(await settle(), undefined)
  assert.equal(await files(), before)
  assert.equal(await requests(), [])
})

test('a link that was planted under the name of an answer is not written through', async () => {
  const { root, drop, settle, files, at } = await open()
  await writeFile(join(root.dir, 'victim'), 'whole')
  await symlink(join(root.dir, 'victim'), at('list.refused'))
  await drop('list', 'a:b:c\n')
  await settle()
  assert.equal(await files(), ['list.refused', 'list~2.refused'])
  assert.is(await readFile(join(root.dir, 'victim'), 'utf8'), 'whole')
})

test('a dataset whose name differs by letter case from one that is here is refused by name', async () => {
  const { root, drop, settle, files, at } = await open()
  await putWhole(root, didOf('mc16.X.ONE'), 1)
  await drop('mc16.x.one')
  await settle()
  assert.equal(await files(), ['mc16.x.one.refused'])
  assert.match(await readFile(at('mc16.x.one.refused'), 'utf8'), /mc16\.X\.ONE has this name already/)
})

test('with a full queue a file waits where it is; a full disk is told once in the log, and hinders no other file', async () => {
  let mode: 'full' | 'broken' | 'good' = 'full'
  const { root, drop, folder, world, settle, files } = await open(root => {
    const accept = openAccept(root, stoppedWorld(), () => undefined)
    return {
      ...accept,
      async want(did) {
        if (mode === 'full') return { kind: 'queue_full' }
        if (mode === 'broken' && did.name.endsWith('one')) throw new Trouble('disk_full', 'no room')
        return await accept.want(did)
      },
    }
  })
  await drop('mc16.x.one')
  await drop('mc16.x.two')
  assert.is(await settle(), 30_000)
  assert.equal(await files(), ['mc16.x.one', 'mc16.x.two'])
  mode = 'broken'
  const { flush } = openLogs(root, world)
  assert.is(await folder.look(), 30_000)
  assert.is(await folder.look(), 30_000)
  await flush()
  const lines = await readLog(root, 'rucio_downloader')
  assert.is(lines.length, 1)
  assert.match(lines[0] ?? '', /watch\/mc16\.x\.one: no room\. Free some space/)
  assert.equal(await files(), ['mc16.x.one', 'mc16.x.two.downloading'])
  mode = 'good'
  world.move(1)
  await folder.look()
  assert.equal(await files(), ['mc16.x.one.downloading', 'mc16.x.two.downloading'])
})

test('a watch folder that is a link is left alone and told; a lost data directory and a fault of ours end the look', async () => {
  const linked = await open()
  const { flush } = openLogs(linked.root, linked.world)
  await rm(layout.watch(linked.root), { recursive: true })
  await symlink('/tmp', layout.watch(linked.root))
  assert.is(await linked.folder.look(), 30_000)
  await flush()
  assert.match((await readLog(linked.root, 'rucio_downloader')).join(''), /watch\/: a link/)
  for (const thrown of [new Fenced('gone'), new TypeError('ours')]) {
    const { drop, folder, world } = await open(root => ({
      ...openAccept(root, stoppedWorld(), () => undefined),
      want: () => Promise.reject(thrown),
    }))
    await drop('mc16.x.one')
    await folder.look()
    world.move(2000)
    assert.is(await rejects(folder.look()), thrown)
  }
})

test('an answer that lay there at the start is looked at, and asks for nothing', async () => {
  const { root, drop, folder, files, requests } = await open()
  await putWhole(root, didOf('mc16.x.one'), 1)
  await drop('mc16.x.one.downloading')
  await drop('list.local', 'mc16.x.two\n')
  await folder.look()
  assert.equal(await files(), ['list.not_on_server', 'mc16.x.one.local'])
  assert.equal(await requests(), [])
})

test.run()
