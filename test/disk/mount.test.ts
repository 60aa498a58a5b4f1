import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookAtMount, lookUnder } from '../../src/disk/mount.ts'
import { sweep, temporary } from '../help/data.ts'

const test = suite('files under a mount')
test.after(sweep)

async function storage(): Promise<{ top: string; mount: string }> {
  const top = await temporary()
  const mount = join(top, 'storage')
  await mkdir(join(mount, 'mc16', 'b0'), { recursive: true })
  await writeFile(join(mount, 'mc16', 'b0', 'x.root'), 'four')
  return { top, mount }
}

const x = { place: 'mc16/b0/x.root', bytes: 4 }

test('a mount that is absent, empty or no folder is not there', async () => {
  const { top, mount } = await storage()
  await mkdir(join(top, 'empty'))
  assert.equal(await lookAtMount(join(top, 'absent')), { kind: 'absent' })
  assert.equal(await lookAtMount(join(top, 'empty')), { kind: 'empty' })
  assert.is((await lookAtMount(join(mount, 'mc16/b0/x.root'))).kind === 'open', false)
  assert.equal(await lookAtMount(mount), { kind: 'open', real: mount })
})

test('the way to a mount may lead over links, as /storage often does', async () => {
  const { top, mount } = await storage()
  await symlink(mount, join(top, 'link'))
  const seen = await lookAtMount(join(top, 'link'))
  assert.equal(seen, { kind: 'open', real: mount })
  assert.equal(await lookUnder(join(top, 'link'), mount, [x]), ['seen'])
})

test('each file has its own word, in order', async () => {
  const { mount } = await storage()
  await mkdir(join(mount, 'mc16', 'b0', 'folder'))
  const files = [x, { ...x, bytes: 5 }, { ...x, place: 'mc16/b0/y.root' }, { ...x, place: 'no/such/dir' }]
  const more = [
    { ...x, place: 'mc16/b0/folder' },
    { ...x, place: 'mc16/b0/x.root/below' },
  ]
  assert.equal(await lookUnder(mount, mount, [...files, ...more]), [
    'seen',
    'size',
    'absent',
    'absent',
    'no file',
    'absent',
  ])
})

test('a link is followed inside the mount, and never out of it', async () => {
  const { top, mount } = await storage()
  await writeFile(join(top, 'secret'), 'four')
  await writeFile(join(`${mount}-twin`), 'four')
  await mkdir(join(top, 'outside'))
  await writeFile(join(top, 'outside', 'x.root'), 'four')
  await symlink(join(mount, 'mc16/b0/x.root'), join(mount, 'in'))
  await symlink('../secret', join(mount, 'out'))
  await symlink(`${mount}-twin`, join(mount, 'twin'))
  await symlink(join(top, 'outside'), join(mount, 'dir'))
  await symlink('round', join(mount, 'round'))
  await symlink('nowhere', join(mount, 'dangling'))
  const places = ['in', 'out', 'twin', 'dir/x.root', 'round', 'dangling']
  assert.equal(
    await lookUnder(
      mount,
      mount,
      places.map(place => ({ place, bytes: 4 })),
    ),
    ['seen', 'outside', 'outside', 'outside', 'outside', 'absent'],
  )
})

test('a folder without the right to look is told so', async () => {
  // Root may look everywhere.
  if (process.getuid?.() === 0) return
  const { mount } = await storage()
  await chmod(join(mount, 'mc16'), 0o000)
  try {
    assert.equal(await lookUnder(mount, mount, [x]), ['no right'])
  } finally {
    await chmod(join(mount, 'mc16'), 0o700)
  }
})

test('a thousand files are looked at two at a time, and all are told', async () => {
  const { mount } = await storage()
  const found = await lookUnder(
    mount,
    mount,
    Array.from({ length: 1000 }, () => x),
  )
  assert.is(found.filter(each => each === 'seen').length, 1000)
  await rename(join(mount, 'mc16'), join(mount, 'mc17'))
  assert.equal(await lookUnder(mount, mount, [x]), ['absent'])
})

test.run()
