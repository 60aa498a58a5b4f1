// Which NAMEs /status lists, when finding them takes long.

import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { openDownloading } from '../../src/web/downloading.ts'
import type { Kept } from '../../src/wishes/kept.ts'
import type { Said } from '../../src/wishes/words.ts'
import { sweep } from '../help/data.ts'
import { didOf, openData, putListed } from '../help/dataset.ts'

const test = suite('downloading')
test.after(sweep)

test('who polls often has the last list at once, and who comes after a while the list of now', async () => {
  const root = await openData()
  const name = await putListed(root, didOf('mc16:mc16.a'), 3)
  let word: Said['word'] = 'downloading'
  const words: Kept<Said> = {
    async get() {
      await sleep(100)
      return { word, paths: [] }
    },
    drop() {},
  }
  const downloading = openDownloading(root, words)
  assert.equal(await downloading.get(), [name])
  word = 'local'
  const trueNow = performance.now.bind(performance)
  try {
    performance.now = () => trueNow() + 4000
    assert.equal(await downloading.get(), [name], 'it is being found anew')
    await sleep(200)
    assert.equal(await downloading.get(), [])
    word = 'downloading'
    performance.now = () => trueNow() + 3_600_000
    assert.equal(await downloading.get(), [name])
  } finally {
    performance.now = trueNow
  }
})

test('where a look takes long it answers with what it has found so far, wishes first', async () => {
  const root = await openData()
  for (let i = 0; i < 17; i++) await putListed(root, didOf(`mc16:mc16.${i}`), 1)
  await writeFile(layout.request(root, 'mc16.wanted'), '')
  let goOn: () => void = () => {}
  const held = new Promise<void>(resolve => {
    goOn = resolve
  })
  let asked = 0
  const words: Kept<Said> = {
    async get(name) {
      // Sixteen are asked for at a time: the second handful hangs.
      if (++asked > 16) await held
      return { word: name === 'mc16.wanted' ? 'downloading' : 'local', paths: [] }
    },
    drop() {},
  }
  const downloading = openDownloading(root, words, 300)
  assert.equal(await downloading.get(), ['mc16.wanted'])
  downloading.note('mc16.new', 'downloading')
  assert.equal(await downloading.get(), ['mc16.new', 'mc16.wanted'])
  goOn()
})

test.run()
