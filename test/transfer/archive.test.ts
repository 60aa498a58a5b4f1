// Members of an archive that is fetched over https: once, resumable, gone when nothing of it is wanted any more.

import { readdir, readFile } from 'node:fs/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { bytesOf, type SeedFile } from '../../src/practice/grid.ts'
import { pathOf } from '../../src/practice/seed.ts'
import type { Fetched, Job } from '../../src/transfer/engine.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { defaultConfig } from '../../src/words/config.ts'
import { type Pfn, parsePfn } from '../../src/words/pfn.ts'
import type { FileReplicas, Replica } from '../../src/words/replica.ts'
import { sweep } from '../help/data.ts'
import { zipOf } from '../help/zip.ts'
import { endScenes, MiB, never, openScene, type Scene, until } from './scene.ts'

const test = suite('archive members')
test.after.each(endScenes)
test.after(sweep)

const scope = 'user.test'
const members = ['x/one.root', 'two.root', 'three.root'].map(name => {
  const bytes = bytesOf({ scope, name, bytes: MiB + 11, checksums: [], replicas: {} }, 0, MiB + 11)
  return { name, bytes, adler32: printAdler32(adler32(1, bytes)) }
})
const archive = zipOf(members.map((each, i) => ({ ...each, packed: i === 1 })))

type Play = {
  readonly scene: Scene
  readonly unfinished: Set<string>
  fetch(name: string, signal?: AbortSignal, config?: Partial<Job['config']>): Promise<Fetched>
  isRight(name: string): Promise<boolean>
  parts(): Promise<string[]>
}

/** @param known what the catalogue says of the archive's own DID; undefined = nothing */
async function play(
  options: {
    readonly content?: Uint8Array
    readonly at?: readonly string[]
    readonly faults?: NonNullable<Parameters<typeof openScene>[1]>['faults']
    readonly known?: Partial<FileReplicas>
    /** the catalogue has no checksum of any member */
    readonly noSums?: boolean
  } = {},
): Promise<Play> {
  const content = options.content ?? archive
  const at = options.at ?? ['A']
  const scene = await openScene({ A: 'good', B: 'good' }, { faults: options.faults ?? {} })
  const file: SeedFile = {
    scope,
    name: 'all.zip',
    bytes: content.length,
    checksums: [],
    replicas: { A: 'good', B: 'good' },
    content,
  }
  scene.grid.setSeed({ datasets: [{ scope, name: 'ds', open: false, files: [file] }], containers: [] })
  const at1 = (rse: string, query: string, i: number, clientExtract: boolean): Replica => ({
    pfn: parsePfn(`davs://${scene.grid.rse(rse)}/rucio/${pathOf(scope, 'all.zip')}${query}`) as Pfn,
    rse,
    type: 'DISK',
    priority: i + 1,
    clientExtract,
  })
  const unfinished = new Set(members.map(each => `${scope}:${each.name}`))
  const pathFor = (name: string): string => name.replace('/', '=2F')
  return {
    scene,
    unfinished,
    async fetch(name, signal = never, config = {}) {
      const member = members.find(each => each.name === name)
      const sum = options.noSums === true ? {} : { adler32: member?.adler32 ?? '00000001' }
      const did = `${scope}:${name}`
      const size = member?.bytes.length ?? 5
      const query = `?xrdcl.unzip=${encodeURIComponent(name)}`
      const fetched = await scene.transfer.fetchFile(
        {
          name: 'user.test.ds',
          line: { did, path: pathFor(name), bytes: size, ...sum },
          replicas: { did, bytes: size, refused: 0, replicas: at.map((rse, i) => at1(rse, query, i, true)) },
          log: scene.log,
          config: { ...defaultConfig, ...config },
          replicasOf: async asked =>
            asked === `${scope}:all.zip` && options.known !== undefined
              ? {
                  did: asked,
                  bytes: content.length,
                  refused: 0,
                  replicas: ['A', 'B'].map((rse, i) => at1(rse, '', i, false)),
                  ...options.known,
                }
              : { did: asked, bytes: 0, replicas: [], refused: 0 },
          async *unfinished() {
            yield* unfinished
          },
        },
        signal,
      )
      if (fetched.kind === 'finished') unfinished.delete(did)
      return fetched
    },
    async isRight(name) {
      const there = await readFile(layout.file(scene.root, 'user.test.ds', pathFor(name)))
      return Buffer.compare(there, members.find(each => each.name === name)?.bytes ?? Buffer.alloc(0)) === 0
    },
    parts: () => readdir(layout.parts(scene.root, 'user.test.ds')),
  }
}

test('several members come, and the archive over the line once; with the last of them it goes', async () => {
  const { scene, fetch, isRight, parts } = await play()
  const fetched = await Promise.all(members.map(each => fetch(each.name)))
  assert.equal(
    fetched.map(each => each.kind),
    ['finished', 'finished', 'finished'],
  )
  for (const { name } of members) assert.ok(await isRight(name), name)
  // Of the storage that was asked for its size too, which is one byte.
  assert.is(scene.sent(), archive.length + 1)
  assert.equal(await parts(), [])
})

test('one member leaves the archive for the others, and a new start goes on with what lies there', async () => {
  const { scene, fetch, isRight, parts } = await play()
  assert.is((await fetch('two.root')).kind, 'finished')
  assert.is((await parts()).length, 2)
  await scene.transfer.close()
  await scene.restart()
  scene.grid.forgetSent()
  assert.is((await fetch('x/one.root')).kind, 'finished')
  assert.ok(await isRight('x/one.root'))
  assert.is(scene.sent(), 1)
  assert.is((await fetch('three.root')).kind, 'finished')
  assert.equal(await parts(), [])
})

test('where the catalogue knows the archive it comes from all its storages, and its size is asked of none', async () => {
  const { scene, fetch } = await play({ known: {}, faults: { A: { status: 503 } } })
  assert.is((await fetch('two.root')).kind, 'finished')
  assert.is(scene.sent('B'), archive.length)
})

test('an archive that is not what the catalogue says is thrown away before a member is taken', async () => {
  const { fetch, parts } = await play({ known: { adler32: '0badcafe' } })
  const fetched = await fetch('two.root')
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'corrupt')
  assert.match(
    fetched.kind === 'failed' ? fetched.failure.message : '',
    /gave of user\.test:all\.zip are wrong/,
  )
  const sidecar = (await parts()).find(each => each.startsWith('~zip.') && each.endsWith('.json'))
  assert.ok(sidecar !== undefined)
})

test('what is no archive is thrown away, and the next storage is asked', async () => {
  const { fetch, parts } = await play({ content: Buffer.from('<html>no</html>') })
  const fetched = await fetch('two.root')
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'corrupt')
  assert.equal(
    (await parts()).filter(each => each.startsWith('~')),
    [],
  )
})

function damaged(): Buffer {
  const content = Buffer.from(zipOf(members))
  const at = content.indexOf(Buffer.from(members[2]?.bytes.subarray(0, 64) ?? [])) + 1000
  content[at] = (content[at] ?? 0) ^ 1
  return content
}

test('a member for which the catalogue has no checksum is held to that of the archive, and a damaged archive is fetched anew', async () => {
  const { scene, fetch, isRight, parts } = await play({ content: damaged(), noSums: true })
  assert.is((await fetch('two.root')).kind, 'finished')
  const once = scene.sent()
  const fetched = await fetch('three.root')
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'corrupt')
  assert.match(fetched.kind === 'failed' ? fetched.failure.message : '', 'CRC-32')
  assert.ok(await isRight('two.root'))
  assert.equal(
    (await parts()).filter(each => each.startsWith('~')),
    [],
  )
  await fetch('three.root')
  assert.ok(scene.sent() > once + MiB, `${scene.sent()} bytes were sent, ${once} before`)
})

test('an archive that is what the catalogue says is kept when a member of it is damaged', async () => {
  const content = damaged()
  const { scene, fetch } = await play({
    content,
    noSums: true,
    known: { adler32: printAdler32(adler32(1, content)) },
  })
  assert.is((await fetch('three.root')).kind, 'failed')
  const once = scene.sent()
  assert.is((await fetch('three.root')).kind, 'failed')
  assert.is(scene.sent(), once)
})

test('a member with wrong bytes is found out like any other file', async () => {
  const { fetch } = await play({ content: damaged() })
  assert.is((await fetch('two.root')).kind, 'finished')
  const fetched = await fetch('three.root')
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'corrupt')
})

test('a file that is not wanted any more ends the archive, unless another waits for it', async () => {
  const { scene, fetch, isRight } = await play({ faults: { A: { rate: 2 * MiB } } })
  const one = new AbortController()
  const two = new AbortController()
  const first = fetch('two.root', one.signal)
  const second = fetch('three.root', two.signal)
  await until(async () => scene.sent() > MiB / 2)
  one.abort()
  assert.is((await first).kind, 'stopped')
  await scene.grid.setFaults('A', { rate: 0 })
  assert.is((await second).kind, 'finished')
  assert.ok(await isRight('three.root'))
})

test('an archive for which there is no room is not begun', async () => {
  const { scene, fetch } = await play({ known: {} })
  const fetched = await fetch('two.root', never, { reserve_bytes: 2 ** 50 })
  assert.is(fetched.kind === 'failed' && fetched.failure.reason, 'disk_full')
  assert.is(scene.sent(), 0)
})

test.run()
