// Which NAMEs /status lists, when finding them takes long.

import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
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

test.run()
