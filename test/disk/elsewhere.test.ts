import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { proveAfar } from '../../src/disk/elsewhere.ts'
import { layout, type Root } from '../../src/disk/layout.ts'
import { ListingWriter } from '../../src/disk/lines.ts'
import { putPlaces, readPlaces } from '../../src/disk/places.ts'
import { makeDir, put } from '../../src/disk/put.ts'
import { wordOf } from '../../src/disk/word.ts'
import { freshRule, type PlaceLine, type RuleRecord } from '../../src/words/rule.ts'
import { toIso } from '../../src/words/world.ts'
import { sweep, temporary } from '../help/data.ts'
import { dataDir } from './root.ts'

const test = suite('a dataset at its destination')
test.after(sweep)

const now = Date.now()
const name = 's.set'
const did = `s:${name}`
const fetched = toIso(now - 1000)

type Scene = { readonly root: Root; readonly mount: string; readonly record: RuleRecord }

/** One file of four bytes, whose rule is OK, and which lies there. */
async function scene(parts: Partial<RuleRecord> = {}): Promise<Scene> {
  const root = await dataDir({ fenced: true })
  const mount = join(await temporary(), 'storage')
  await mkdir(mount)
  await writeFile(join(mount, 'x.root'), 'four')
  await makeDir(layout.dataset(root, name), root)
  await makeDir(layout.records(root, name))
  const writer = await ListingWriter.open(root)
  await writer.add({ did: 's:x.root', bytes: 4, adler32: '00000001' })
  await writer.commit(layout.listing(root, name), { did, type: 'DATASET', open: false, fetched })
  const record: RuleRecord = {
    ...freshRule(did, { rse: 'SITE', mount, lifetimeDays: 30 }),
    id: 'a'.repeat(32),
    state: 'OK',
    expires_at: toIso(now + 1000),
    looked_at: fetched,
    ...parts,
  }
  await put(root, layout.rule(root, name), record)
  await places({ root, mount, record })
  return { root, mount, record }
}

async function places(
  { root, mount }: Scene,
  more: { readonly fetched?: string; readonly mount?: string; readonly length?: number } = {},
): Promise<void> {
  const head = { format: 1, did, rse: 'SITE', mount, fetched, length: 1, ...more } as const
  await putPlaces(root, name, head, lines())
}

async function* lines(): AsyncGenerator<PlaceLine> {
  yield { path: 'x.root', bytes: 4, place: 'x.root' }
}

const kind = async ({ root }: Scene, wish?: Parameters<typeof proveAfar>[2]): Promise<string> =>
  (await proveAfar(root, name, wish, now)).kind

test('with a rule that is OK and its file in place it is whole, and local', async () => {
  const here = await scene()
  assert.is(await kind(here), 'whole')
  const said = await wordOf(here.root, name, now)
  assert.equal(said, { word: 'local', paths: [`${here.mount}/x.root`], isElsewhere: true })
})

test('with another state of the rule it is not, whatever lies there', async () => {
  for (const state of ['REPLICATING', 'STUCK', 'SUSPENDED', 'INJECT', 'WAITING_APPROVAL', null] as const)
    assert.is(await kind(await scene({ state })), 'pending', String(state))
  assert.is(await kind(await scene({ id: null })), 'pending')
})

test('after its end a rule counts only while it was seen since', async () => {
  assert.is(await kind(await scene({ expires_at: toIso(now - 500) })), 'pending')
  assert.is(await kind(await scene({ expires_at: toIso(now - 500), looked_at: toIso(now - 100) })), 'whole')
  assert.is(await kind(await scene({ expires_at: null })), 'whole')
})

test('a request that was edited since counts at once', async () => {
  const here = await scene()
  const to = (destination: { rse: string; mount?: string } | null): object => ({ destination })
  assert.is(await kind(here, {}), 'whole')
  assert.is(await kind(here, to({ rse: 'SITE' })), 'whole')
  assert.is(await kind(here, to({ rse: 'SITE', mount: here.mount })), 'whole')
  assert.is(await kind(here, to({ rse: 'OTHER' })), 'none')
  assert.is(await kind(here, to({ rse: 'SITE', mount: '/other' })), 'none')
  assert.is(await kind(here, to(null)), 'none')
})

test('places of another listing or mount, or not as many as their head says, do not count', async () => {
  const here = await scene()
  await places(here, { fetched: toIso(now) })
  assert.is(await kind(here), 'pending')
  await places(here, { mount: '/other' })
  assert.is(await kind(here), 'pending')
  await places(here, { length: 2 })
  assert.is(await kind(here), 'pending')
  assert.is(await readPlaces(here.root, name), undefined, 'it was set aside')
  await places(here)
  assert.is(await kind(here), 'whole')
})

test('a storage that goes away takes the word with it, and brings it back', async () => {
  const here = await scene()
  await rm(join(here.mount, 'x.root'))
  const empty = await proveAfar(here.root, name, undefined, now)
  assert.is(empty.kind === 'harmed' && empty.why.reason, 'disk_error')
  assert.is((await wordOf(here.root, name, now)).word, 'not_on_server')
  await rm(here.mount, { recursive: true })
  assert.is(await kind(here), 'harmed')
  await mkdir(here.mount)
  await writeFile(join(here.mount, 'x.root'), 'four')
  assert.is(await kind(here), 'whole')
})

test('a record that cannot be read is set aside, and found out again', async () => {
  const here = await scene()
  await writeFile(layout.rule(here.root, name), '{"format": 1, "did": "s:s.set", "id": "../x"}')
  assert.is(await kind(here), 'none')
})

test.run()
