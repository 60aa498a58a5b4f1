// The contract of /replicas/list: which copies are told, in which order, and which are left out without a word.

import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { didOf, fileOf, filesOf, keysOf, type Line, list, rucioError } from './expect.ts'
import * as names from './names.ts'
import { type Answer, call, type SeededFile, type Subject } from './subject.ts'

type Did = { readonly scope: string; readonly name: string }
type Pfn = { readonly rse: string; readonly type: string; readonly domain: string; readonly priority: number }

const schemes = ['davs', 'https', 'root']

export function replicaContract(test: Test, subject: () => Subject): void {
  const ask = (dids: readonly Did[], more: object = { schemes }): Promise<Answer> =>
    call(subject(), '/replicas/list', { body: { dids, ...more } })

  test('a dataset and a container give each file once, with its checksums and every PFN in order', async () => {
    for (const did of [names.small, names.nested, names.odd]) {
      const lines = list(await ask([did]))
      isReplicas(subject(), lines, filesOf(subject().facts, names.key(did)), schemes)
    }
  })

  test('files may be asked for one by one, twice, beside their dataset and beside unknown ones: each known file comes once', async () => {
    const twice = list(await ask([names.firstFile, names.firstFile, names.nobody]))
    assert.equal(twice.map(didOf), [names.key(names.firstFile)])
    const mixed = list(await ask([names.firstFile, names.small]))
    isReplicas(subject(), mixed, filesOf(subject().facts, names.key(names.small)), schemes)
  })

  test('schemes choose among the protocols; with one that nobody has, the line has no PFN', async () => {
    const [davs] = list(await ask([names.firstFile], { schemes: ['davs'] }))
    isReplicas(subject(), [davs ?? {}], [fileOf(subject().facts, names.firstFile)], ['davs'])
    const [none] = list(await ask([names.firstFile], { schemes: ['s3'] }))
    assert.equal(none?.['pfns'], {})
    assert.equal(none?.['rses'], {})
  })

  test('without schemes each RSE gives one PFN', async () => {
    const [line] = list(await ask([names.firstFile], {}))
    const given = pfnsOf(line ?? {}).map(([, at]) => at.rse)
    assert.equal(given.sort(), Object.keys(fileOf(subject().facts, names.firstFile).places).sort())
  })

  test('a file without a usable replica is not in the answer, nor is an unknown DID or an empty dataset', async () => {
    const lines = list(await ask([names.lost]))
    const usable = filesOf(subject().facts, names.key(names.lost)).filter(file => usableAt(file).length > 0)
    assert.is(usable.length, 1)
    assert.equal(lines.map(didOf), usable.map(didOf))
    for (const did of [names.nobody, names.empty]) assert.equal(list(await ask([did])), [])
    assert.equal(list(await ask([])), [])
  })

  test('a replica on tape is told by its type alone, and an RSE expression leaves tape out', async () => {
    const lines = list(await ask([names.tape]))
    isReplicas(subject(), lines, filesOf(subject().facts, names.key(names.tape)), schemes)
    const disk = list(await ask([names.tape], { schemes, rse_expression: '*\\istape=true' }))
    assert.is(disk.length, 1)
    for (const [, at] of pfnsOf(disk[0] ?? {})) assert.is(at.type, 'DISK')
  })

  test('the domain is wan unless lan is asked for', async () => {
    for (const [more, domain] of [
      [{}, 'wan'],
      [{ domain: 'wan' }, 'wan'],
      [{ domain: 'lan' }, 'lan'],
    ] as const) {
      const [line] = list(await ask([names.firstFile], { schemes, ...more }))
      for (const [, at] of pfnsOf(line ?? {})) assert.is(at.domain, domain)
    }
  })

  test('one name in two scopes is two files', async () => {
    const lines = list(await ask([names.sameName]))
    assert.is(lines.length, 2)
    isReplicas(subject(), lines, filesOf(subject().facts, names.key(names.sameName)), schemes)
  })

  test('a PFN keeps the slashes of a name, a leading one too', async () => {
    const [line] = list(await ask([names.slashFile]))
    for (const [url] of pfnsOf(line ?? {})) assert.is(url.endsWith(`/${names.slashFile.name}`), true, url)
  })

  test('an RSE expression that finds nothing is a 500, an unknown sort a 400: the class tells', async () => {
    const expression = await ask([names.small], { rse_expression: 'NOSUCH' })
    rucioError(expression, 500, 'InvalidRSEExpression', 'RSE Expression resulted in an empty set.')
    rucioError(await ask([names.small], { schemes, sort: 'closeness' }), 400, 'SortingAlgorithmNotSupported')
  })

  test('a body of the wrong shape is InvalidObject', async () => {
    rucioError(await call(subject(), '/replicas/list', { body: { dids: 3 } }), 400, 'InvalidObject')
  })

  test('1000 DIDs are answered, 1001 are refused', async () => {
    const many = Array.from({ length: 1001 }, () => names.firstFile)
    rucioError(await ask(many), 400, 'InvalidObject')
    assert.is(list(await ask(many.slice(1))).length, 1)
  })
}

/** RSEs where the catalogue has a replica that may be used, whatever lies there. */
export function usableAt(file: SeededFile): string[] {
  return Object.entries(file.places)
    .filter(([, state]) => state !== 'unavailable')
    .map(([rse]) => rse)
}

/** The PFNs of a line; it fails when there is none, so that no check of each can pass over nothing. */
export function pfnsOf(line: Line): [string, Pfn][] {
  const pfns = Object.entries((line['pfns'] ?? {}) as Record<string, Pfn>)
  assert.is(pfns.length > 0, true, `a PFN of ${didOf(line)}`)
  return pfns
}

function isReplicas(
  { facts }: Subject,
  lines: readonly Line[],
  files: readonly SeededFile[],
  asked: readonly string[],
): void {
  assert.equal(lines.map(didOf).sort(), files.map(didOf).sort())
  for (const line of lines) {
    const file = fileOf(facts, line)
    const keys = ['adler32', 'bytes', 'md5', 'name', 'pfns', 'rses', 'scope', 'states']
    assert.equal(keysOf(line), keys)
    assert.is(line['bytes'], file.bytes)
    assert.is(line['adler32'], file.adler32)
    assert.is(line['md5'], file.md5)
    const pfns = pfnsOf(line)
    // The order of use is the order of the keys, numbered from 1.
    assert.equal(
      pfns.map(([, at]) => at.priority),
      pfns.map((_, i) => i + 1),
    )
    const expected = usableAt(file).flatMap(rse =>
      (facts.schemes[rse] ?? []).filter(scheme => asked.includes(scheme)).map(scheme => `${rse} ${scheme}`),
    )
    const given = pfns.map(([url, at]) => `${at.rse} ${url.slice(0, url.indexOf(':'))}`)
    assert.equal(given.sort(), expected.sort(), file.name)
    for (const [url, at] of pfns) {
      assert.equal(keysOf(at), pfnKeys)
      assert.is(at.type, at.rse.startsWith('TAPE') ? 'TAPE' : 'DISK')
      // Two slashes after host and port: the path of root is absolute.
      if (url.startsWith('root:')) assert.match(url, /^root:\/\/[^/]+:\d+\/\//)
      else assert.match(url, /^[a-z]+:\/\/[^/]+:\d+\/[^/]/)
    }
    const states = (line['states'] ?? {}) as Record<string, string>
    assert.equal(Object.keys(states).sort(), usableAt(file).sort())
    for (const state of Object.values(states)) assert.is(state, 'AVAILABLE')
  }
}

const pfnKeys = ['client_extract', 'domain', 'priority', 'rse', 'rse_id', 'type', 'volatile']
