import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Schemes } from '../../src/catalogue/schemes.ts'
import { parsePfn } from '../../src/words/pfn.ts'
import { Trouble } from '../../src/words/reason.ts'
import type { Replica } from '../../src/words/replica.ts'
import { closeAll, liar, never, open, split } from './open.ts'

const test = suite('schemes')
test.after(closeAll)

const minute = 60_000
const now = Date.parse('2026-03-01T10:00:00Z')

function replica(rse: string, scheme: string, priority: number): Replica {
  const pfn = parsePfn(`${scheme}://se.example.org/x`)
  if (pfn instanceof Trouble) throw pfn
  return { pfn, rse, type: 'DISK', priority, clientExtract: false }
}

test('at first everything is asked for, then one scheme of each storage', () => {
  const schemes = new Schemes()
  assert.ok(schemes.isAll(schemes.ask(false, now)))
  schemes.learn(
    ['ONE', 'TWO', 'NONE'],
    [replica('ONE', 'root', 1), replica('ONE', 'davs', 2), replica('TWO', 'root', 3)],
    now,
  )
  assert.equal(schemes.ask(false, now), ['davs', 'root'])
  assert.ok(schemes.isAll(schemes.ask(true, now)))
  assert.not(schemes.isNew(['ONE', 'TWO', 'NONE']))
  assert.ok(schemes.isNew(['ONE', 'THREE']))
})

test('of two schemes that are alike to us the one that the catalogue prefers is asked for', () => {
  const schemes = new Schemes()
  schemes.learn(
    ['ONE'],
    [replica('ONE', 'davs', 2), replica('ONE', 'https', 1), replica('ONE', 'srm', 0)],
    now,
  )
  assert.equal(schemes.ask(false, now), ['https'])
})

test('what was learned is learned anew after ten minutes, and when the clock was set back', () => {
  const schemes = new Schemes()
  schemes.learn(['ONE'], [replica('ONE', 'https', 1)], now)
  assert.equal(schemes.ask(false, now + 9 * minute), ['https'])
  assert.ok(schemes.isAll(schemes.ask(false, now + 10 * minute)))
  schemes.learn(['ONE'], [replica('ONE', 'https', 1)], now)
  assert.ok(schemes.isAll(schemes.ask(false, now - minute)))
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
