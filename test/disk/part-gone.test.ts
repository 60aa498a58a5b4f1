import { mkdir, readdir, rm } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { Part } from '../../src/disk/part.ts'
import { statRegular } from '../../src/disk/read.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects, sweep } from '../help/data.ts'
import { fileOf, list, never } from './dataset.ts'
import { dataDir } from './root.ts'

const test = suite('part that goes')
test.after(sweep)

const text = 'some bytes'
const bytes = Buffer.from(text)
const range = { from: 0, to: bytes.length, adler32: printAdler32(adler32(1, bytes)) }

async function start() {
  const root = await dataDir()
  const { name, lines } = await list(root, 's:s.ds', [fileOf('s:a', text)])
  const [line] = lines
  if (line === undefined) throw new Error('no line')
  const open = () =>
    Part.open({ root, name, line, known: new Map(), guard: async () => {}, tell: () => {} }, never)
  return { root, name, open }
}

test('a checkpoint of a part that somebody deleted counts nothing, though its folder is there again', async () => {
  const { root, name, open } = await start()
  const part = await open()
  await part.write(bytes, [range])
  await rm(layout.dataset(root, name), { recursive: true })
  await mkdir(layout.parts(root, name), { recursive: true })
  const error = await rejects(part.checkpoint())
  assert.instance(error, Trouble)
  assert.equal(await readdir(layout.parts(root, name)), [])
  assert.instance(await rejects(part.write(bytes, [range])), Trouble)
  await part.close()
})

test('a part in whose place lies another one does not count its bytes', async () => {
  const { root, name, open } = await start()
  const old = await open()
  await old.write(bytes, [range])
  await rm(layout.part(root, name, 'a'))
  const other = await open()
  assert.is.not(other.ino, old.ino)
  assert.instance(await rejects(old.record(sidecar => ({ ...sidecar, tries: 3 }))), Trouble)
  await old.close()
  await other.write(bytes, [range])
  await other.checkpoint()
  await other.seal()
  await other.close()
  assert.is((await statRegular(root, layout.part(root, name, 'a')))?.size, bytes.length)
})

test.run()
