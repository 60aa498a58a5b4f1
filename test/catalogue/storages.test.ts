import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Storages } from '../../src/catalogue/storages.ts'
import { parsePfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { Replica } from '../../src/words/replica.ts'
import { closeAll, liar, never, open, split } from './open.ts'

const test = suite('storages')
test.after(closeAll)

const minute = 60_000
const now = Date.parse('2026-03-01T10:00:00Z')

function replica(rse: string, scheme: string, priority: number): Replica {
  const pfn = parsePfn(`${scheme}://se.example.org/x`)
  if (pfn instanceof Trouble) throw pfn
  return { pfn, rse, type: 'DISK', priority, clientExtract: false }
}

test('at first everything is asked for, then one scheme of each storage, unsorted', () => {
  const storages = new Storages()
  assert.ok(storages.isAll(storages.ask(false, now)))
  const replicas = [replica('ONE', 'root', 1), replica('ONE', 'davs', 2), replica('TWO', 'root', 3)]
  storages.learn(['ONE', 'TWO', 'NONE'], replicas, now)
  assert.equal(storages.ask(false, now), { schemes: ['davs', 'root'], sort: 'random' })
  assert.ok(storages.isAll(storages.ask(true, now)))
})

test('of two schemes that are alike to us the one that the catalogue prefers is asked for', () => {
  const storages = new Storages()
  storages.learn(
    ['ONE'],
    [replica('ONE', 'srm', 0), replica('ONE', 'https', 1), replica('ONE', 'davs', 2)],
    now,
  )
  assert.equal(storages.ask(false, now).schemes, ['https'])
})

test('what comes unsorted is put as the catalogue put it before, where it has put those side by side', () => {
  const storages = new Storages()
  storages.learn(
    ['C', 'A', 'B'],
    [replica('B', 'https', 1), replica('A', 'root', 2), replica('C', 'https', 3)],
    now,
  )
  storages.learn(['D'], [replica('D', 'https', 1)], now)
  const arranged = storages.arrange(
    ['C', 'B'],
    [replica('C', 'https', 1), replica('B', 'root', 2), replica('B', 'https', 3)],
  )
  assert.equal(
    arranged?.map(({ rse, pfn, priority }) => `${rse} ${pfn.scheme} ${priority}`),
    ['B https 1', 'B root 2', 'C https 3'],
  )
  assert.equal(storages.arrange(['D'], []), [])
  assert.is(storages.arrange(['A', 'D'], [replica('A', 'https', 1)]), undefined)
  assert.is(storages.arrange(['NEW'], []), undefined)
})

test('what was learned is learned anew after ten minutes, and when the clock was set back', () => {
  const storages = new Storages()
  storages.learn(['ONE'], [replica('ONE', 'https', 1)], now)
  assert.not(storages.isAll(storages.ask(false, now + 9 * minute)))
  assert.ok(storages.isAll(storages.ask(false, now + 10 * minute)))
  storages.learn(['ONE'], [replica('ONE', 'https', 1)], now)
  assert.ok(storages.isAll(storages.ask(false, now - minute)))
})

test('a thousand kinds of sites are not remembered for ever', () => {
  const storages = new Storages()
  for (let i = 0; i < 1000; i++) storages.learn([`S${i}`], [replica(`S${i}`, 'https', 1)], now)
  assert.is(storages.arrange(['S0'], []), undefined)
  assert.equal(storages.arrange(['S999'], []), [])
})

/** A catalogue of storages ONE (https, root) and, for files that begin with `t`, TWO (root). @returns what it was asked for */
async function catalogue(): Promise<{ url: string; asked: { dids: string[]; all: boolean }[] }> {
  const asked: { dids: string[]; all: boolean }[] = []
  const url = await liar((request, response) => {
    const { dids, schemes } = JSON.parse(request.body) as {
      dids: { scope: string; name: string }[]
      schemes: string[]
    }
    asked.push({ dids: dids.map(each => each.name), all: schemes.length > 5 })
    for (const { scope, name } of dids) {
      const rse = name.startsWith('t') ? 'TWO' : 'ONE'
      const pfns = (rse === 'ONE' ? ['https', 'root'] : ['root'])
        .filter(each => schemes.includes(each))
        .map((each, i) => [
          `${each}://se.example.org/${name}`,
          { rse, type: 'DISK', priority: i + 1, client_extract: false },
        ])
      const line = {
        scope,
        name,
        bytes: 1,
        adler32: null,
        md5: null,
        pfns: Object.fromEntries(pfns),
        states: { [rse]: 'AVAILABLE' },
      }
      response.write(`${JSON.stringify(line)}\n`)
    }
    response.end()
  })
  return { url, asked }
}

test('a file at a storage that was not met before is asked for in full, and no other', async () => {
  const { url, asked } = await catalogue()
  const { rucio } = open(url)
  const one = await rucio.replicas([split('s:o1')], never)
  assert.is(one.get('s:o1')?.replicas.length, 2)
  const both = await rucio.replicas([split('s:o2'), split('s:t1')], never)
  assert.equal(
    [...both.values()].map(each => each.replicas.map(({ pfn }) => pfn.scheme)),
    [['https'], ['root']],
  )
  await rucio.replicas([split('s:t2'), split('s:o3')], never)
  assert.equal(asked, [
    { dids: ['o1'], all: true },
    { dids: ['o2', 't1'], all: false },
    { dids: ['t1'], all: true },
    { dids: ['t2', 'o3'], all: false },
  ])
})

test('who asks for everything is told every way', async () => {
  const { url, asked } = await catalogue()
  const { rucio } = open(url)
  await rucio.replicas([split('s:o1')], never)
  const again = await rucio.replicas([split('s:o1')], never, true)
  assert.is(again.get('s:o1')?.replicas.length, 2)
  assert.equal(
    asked.map(each => each.all),
    [true, true],
  )
})

test.run()
