import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../src/decide/action.ts'
import { decide } from '../../src/decide/decide.ts'
import type { DatasetSeen, Observation, RunningSeen, WishSeen } from '../../src/decide/observation.ts'
import { type RuleSeen, ruleTimes } from '../../src/decide/rule.ts'
import { defaultConfig } from '../../src/words/config.ts'
import { freshRule } from '../../src/words/rule.ts'

const test = suite('decide')

const now = 1_800_000_000_000
const hour = 3_600_000
const MiB = 2 ** 20

function seen(parts: Partial<Observation>): Observation {
  return {
    data: 'ready',
    wishes: [],
    oddities: [],
    queries: [],
    trash: [],
    running: [],
    holds: new Set(),
    freeBytes: 2 ** 40,
    catalogue: { until: 0 },
    ...parts,
  }
}

function wish(dataset: DatasetSeen, parts: Partial<WishSeen> = {}): WishSeen {
  return { name: 'a', did: 's:a', priority: 0, createdAt: now - 1000, kind: 'want', dataset, ...parts }
}

const listing = {
  open: false,
  type: 'DATASET',
  fetchedAt: now - 1000,
  hopeless: false,
  refreshAfter: 0,
} as const
const old = { ...listing, type: 'CONTAINER', fetchedAt: now - 2 * hour } as const
const unlisted: DatasetSeen = { kind: 'unlisted', nextTryAt: 0 }

function loaded(parts: Partial<Extract<DatasetSeen, { kind: 'loaded' }>> = {}): DatasetSeen {
  const ready = parts.ready ?? []
  return {
    kind: 'loaded',
    listing,
    toAdopt: 0,
    ready,
    readyCount: ready.length,
    nextTryAt: null,
    left: ready.length,
    ...parts,
  }
}

function files(count: number, bytes: number): { path: string; bytes: number }[] {
  return Array.from({ length: count }, (_, i) => ({ path: `f${i}`, bytes }))
}

function running(parts: Partial<RunningSeen>): RunningSeen {
  return { kind: 'fetch', name: 'a', bytes: 0, priority: 0, ending: false, ...parts }
}

/** Kinds and names, short enough to read in a table. */
function short(action: Action): string {
  if (action.kind === 'fetch') return `fetch ${action.name} x${action.paths.length}`
  if (action.kind === 'probe') return 'probe'
  return `${action.kind} ${'name' in action && action.kind !== 'rename' ? action.name : 'file' in action ? action.file : ''}`
}

const ruleSeen: RuleSeen = {
  wanted: { rse: 'SITE', mount: '/m', lifetimeDays: 30 },
  record: undefined,
  placed: false,
  sight: undefined,
  times: ruleTimes,
}
const ruleMade = freshRule('s:a', { rse: 'SITE', mount: '/m', lifetimeDays: 30 })

const rows: {
  because: string
  seen: Observation
  does: string[]
  waits?: string
  wakeAt?: number
  config?: Partial<typeof defaultConfig>
}[] = [
  { because: 'nothing is wanted: an idle daemon sleeps', seen: seen({}), does: [] },
  { because: 'a new wish is listed first', seen: seen({ wishes: [wish(unlisted)] }), does: ['list a'] },
  {
    because: 'two listings at a time are enough for a central server',
    seen: seen({ wishes: ['a', 'b', 'c'].map(name => wish(unlisted, { name, did: `s:${name}` })) }),
    does: ['list a', 'list b'],
  },
  {
    because: 'a listing that failed waits for its time',
    seen: seen({ wishes: [wish({ kind: 'unlisted', nextTryAt: now + 5000 })] }),
    does: [],
    wakeAt: now + 5000,
  },
  {
    because: 'what does not exist is asked for again when the answer is no longer fresh',
    seen: seen({ wishes: [wish({ kind: 'none', until: now - 1 })] }),
    does: ['list a'],
    waits: 'no_such_did',
  },
  {
    because: 'listings that failed before go behind those that did not, the one that waits longest first',
    seen: seen({
      wishes: [
        wish({ kind: 'unlisted', nextTryAt: now - 1 }, { name: 'late', priority: 9 }),
        wish({ kind: 'unlisted', nextTryAt: now - 2 }, { name: 'early' }),
        wish(unlisted, { name: 'new', createdAt: now }),
      ],
    }),
    does: ['list new', 'list early'],
  },
  {
    because: 'a question that failed before does not keep others from their answer either',
    seen: seen({
      queries: [
        { name: 'a', did: 's:a', nextTryAt: now - 1 },
        { name: 'b', did: 's:b', nextTryAt: now - 1 },
        { name: 'c', did: 's:c', nextTryAt: 0 },
      ],
    }),
    does: ['list c', 'list a'],
  },
  {
    because: 'what does not exist is not asked for before',
    seen: seen({ wishes: [wish({ kind: 'none', until: now + hour })] }),
    does: [],
    waits: 'no_such_did',
    wakeAt: now + hour,
  },
  {
    because: 'a listed dataset is looked at before anything is fetched',
    seen: seen({ wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 })] }),
    does: ['load a'],
  },
  {
    because: 'what may lie there is read before anything is fetched',
    seen: seen({ wishes: [wish(loaded({ toAdopt: 2, ready: files(3, MiB) }))] }),
    does: ['adopt a'],
  },
  {
    because: 'what the disk does not let be looked at waits and says why; its lanes go on, and so do others',
    seen: seen({
      wishes: [
        wish({ kind: 'unseen', reason: 'read_only', detail: 'lstat gave EACCES' }, { kind: 'repair' }),
        wish(unlisted, { name: 'b', did: 's:b' }),
      ],
      running: [running({})],
    }),
    does: ['list b'],
    waits: 'read_only',
    wakeAt: now + 5000,
  },
  {
    because: 'what is held takes no lane, no place and no listing from the others',
    seen: seen({
      wishes: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, i) =>
        wish(
          [
            loaded({ toAdopt: 2, left: 2 }),
            loaded({ ready: files(9, 100 * MiB) }),
            { kind: 'listed' as const, listing, nextTryAt: 0 },
            unlisted,
            unlisted,
            unlisted,
            loaded({ ready: files(1, MiB) }),
          ][i] ?? unlisted,
          { name, did: `s:${name}`, priority: 9 - i },
        ),
      ),
      holds: new Set(['adopt a', 'fetch b', 'load c', 'list d', 'list e']),
    }),
    does: ['list f', 'fetch g x1'],
  },
  {
    because: 'a hold of one kind of action holds up no other',
    seen: seen({ wishes: [wish(unlisted, { kind: 'remove' })], holds: new Set(['fetch a', 'complete a']) }),
    does: ['remove a'],
  },
  {
    because: 'a folder that was deleted is listed anew only when its lanes have ended',
    seen: seen({ wishes: [wish(unlisted)], running: [running({}), running({})] }),
    does: ['stop a'],
  },
  {
    because: 'lanes that are ending are waited for before the dataset is looked at anew',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 })],
      running: [running({ ending: true })],
    }),
    does: [],
  },
  {
    because: 'a container in work that is asked for again after an hour is listed anew: its lanes end first',
    seen: seen({
      wishes: [wish(loaded({ listing: old, ready: files(6, MiB) }), { createdAt: now - 3 * hour })],
      queries: [{ name: 'a', did: 's:a', nextTryAt: 0 }],
      running: [running({}), running({ ending: true })],
    }),
    does: ['yield a'],
  },
  {
    because: 'and listed when they have ended, for its request and not only for who asked',
    seen: seen({
      wishes: [wish(loaded({ listing: old, ready: files(6, MiB) }), { createdAt: now - 3 * hour })],
      queries: [{ name: 'a', did: 's:a', nextTryAt: 0 }],
    }),
    does: ['list a'],
  },
  {
    because: 'four big files take four lanes',
    seen: seen({ wishes: [wish(loaded({ ready: files(6, 100 * MiB) }))] }),
    does: ['fetch a x1', 'fetch a x1', 'fetch a x1', 'fetch a x1'],
  },
  {
    because: 'small files share a lane in equal parts',
    seen: seen({ wishes: [wish(loaded({ ready: files(100, MiB) }))] }),
    does: ['fetch a x25', 'fetch a x25', 'fetch a x25', 'fetch a x25'],
  },
  {
    because: 'lanes that are taken are not given twice',
    seen: seen({
      wishes: [wish(loaded({ ready: files(6, 100 * MiB) }))],
      running: [running({}), running({}), running({})],
    }),
    does: ['fetch a x1'],
  },
  {
    because: 'an older wish goes before a younger one of the same priority',
    seen: seen({
      wishes: [
        wish(loaded({ ready: files(4, 100 * MiB) }), { name: 'young', createdAt: now - 1 }),
        wish(loaded({ ready: files(4, 100 * MiB) }), { name: 'old', createdAt: now - 2 }),
      ],
    }),
    does: ['fetch old x1', 'fetch old x1', 'fetch old x1', 'fetch old x1'],
  },
  {
    because: 'a third dataset waits while two are in work',
    seen: seen({
      wishes: ['a', 'b', 'c'].map((name, i) =>
        wish(loaded({ ready: files(1, 100 * MiB) }), { name, createdAt: now - 10 + i }),
      ),
    }),
    does: ['fetch a x1', 'fetch b x1'],
  },
  {
    because: 'a more urgent wish makes the least urgent one end after the file it is at',
    seen: seen({
      wishes: [
        wish(loaded({ ready: files(4, 100 * MiB), left: 8 }), { name: 'low' }),
        wish(loaded({ ready: files(1, 100 * MiB) }), { name: 'high', priority: 5 }),
      ],
      running: [1, 2, 3, 4].map(() => running({ name: 'low' })),
    }),
    does: ['yield low'],
  },
  {
    because: 'a file that would eat into the reserve is not begun, and its dataset says why',
    seen: seen({ wishes: [wish(loaded({ ready: files(1, 100 * MiB) }))], freeBytes: 1.05 * 2 ** 30 }),
    does: [],
    waits: 'disk_full',
    wakeAt: now + 60_000,
  },
  {
    because: 'space that running fetches will use is not promised twice',
    seen: seen({
      wishes: [wish(loaded({ ready: files(1, 100 * MiB), left: 2 }))],
      freeBytes: 2 ** 30 + 150 * MiB,
      running: [running({ bytes: 100 * MiB })],
    }),
    does: [],
    waits: 'disk_full',
  },
  {
    because: 'when all files are verified the dataset is completed',
    seen: seen({ wishes: [wish(loaded({ left: 0 }))] }),
    does: ['complete a'],
  },
  {
    because: 'an empty dataset is whole at once',
    seen: seen({ wishes: [wish(loaded({ left: 0, ready: [] }))] }),
    does: ['complete a'],
  },
  {
    because: 'files that failed wait for their next try',
    seen: seen({ wishes: [wish(loaded({ left: 1, nextTryAt: now + 7000 }))] }),
    does: [],
    wakeAt: now + 7000,
  },
  {
    because: 'a paused wish is not worked on, and what runs for it stops',
    seen: seen({ wishes: [wish(unlisted, { kind: 'paused' })], running: [running({})] }),
    does: ['stop a'],
  },
  {
    because: 'a request whose file has gone stops its transfer',
    seen: seen({ running: [running({}), running({})] }),
    does: ['stop a'],
  },
  {
    because:
      'a folder that somebody deleted is listed anew when nothing is under way that still writes to the old one',
    seen: seen({ wishes: [wish(unlisted)], running: [running({}), running({ ending: true })] }),
    does: ['stop a'],
  },
  {
    because: 'what ends already is waited for',
    seen: seen({ wishes: [wish(unlisted)], running: [running({ ending: true })] }),
    does: [],
  },
  {
    because: 'records are not read anew while something works with the old ones',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 })],
      running: [running({ kind: 'adopt' })],
    }),
    does: ['stop a'],
  },
  {
    because: 'a removal waits until nothing runs for its name',
    seen: seen({ wishes: [wish(unlisted, { kind: 'remove' })], running: [running({})] }),
    does: ['stop a'],
  },
  {
    because: 'then it is removed',
    seen: seen({ wishes: [wish(unlisted, { kind: 'remove' })] }),
    does: ['remove a'],
  },
  {
    because: 'nothing is fetched into a name whose removal has not ended: it would be removed with it',
    seen: seen({ wishes: [wish(unlisted)], trash: ['a'] }),
    does: ['clean a'],
  },
  {
    because: 'a removal that was interrupted goes on by its own wish',
    seen: seen({ wishes: [wish(unlisted, { kind: 'remove' })], trash: ['a'] }),
    does: ['remove a'],
  },
  {
    because: 'a repair whose folder has lost its listing is withdrawn: somebody is deleting',
    seen: seen({ wishes: [wish(unlisted, { kind: 'repair' })] }),
    does: ['withdraw a'],
  },
  {
    because: 'while the catalogue is at rest nobody asks it',
    seen: seen({
      wishes: [wish(unlisted), wish(loaded({ ready: files(1, MiB) }), { name: 'b' })],
      catalogue: { until: now + 9000, reason: 'offline', detail: 'no line' },
    }),
    does: [],
    waits: 'offline',
    wakeAt: now + 9000,
  },
  {
    because: 'after its rest one probe is made for all',
    seen: seen({
      wishes: [wish(unlisted), wish(unlisted, { name: 'b', did: 's:b' })],
      catalogue: { until: now - 1, reason: 'host_down', detail: 'down' },
    }),
    does: ['probe'],
    waits: 'host_down',
  },
  {
    because: 'what lies there is adopted without any line',
    seen: seen({
      wishes: [wish(loaded({ toAdopt: 1, ready: files(1, MiB) }))],
      catalogue: { until: now + 9000, reason: 'offline', detail: 'no line' },
    }),
    does: ['adopt a'],
  },
  {
    because: 'a wish newer than an old listing of an open dataset asks again',
    seen: seen({
      wishes: [wish(loaded({ left: 0, listing: { ...listing, open: true, fetchedAt: now - 2 * hour } }))],
    }),
    does: ['list a'],
  },
  {
    because: 'an open dataset whose listing bears the time of a clock that ran ahead is asked again',
    seen: seen({
      wishes: [wish(loaded({ left: 0, listing: { ...listing, open: true, fetchedAt: now + 9000 * hour } }))],
    }),
    does: ['list a'],
  },
  {
    because: 'a wish older than the listing does not, however long the fetching takes',
    seen: seen({
      wishes: [
        wish(
          loaded({
            left: 1,
            ready: files(1, MiB),
            listing: { ...listing, open: true, fetchedAt: now - 2 * hour },
          }),
          { createdAt: now - 3 * hour },
        ),
      ],
    }),
    does: ['fetch a x1'],
  },
  {
    because: 'a closed dataset is asked again when a file has had no replica for a day',
    seen: seen({
      wishes: [
        wish(loaded({ left: 1, listing: { ...listing, hopeless: true, fetchedAt: now - 25 * hour } })),
      ],
    }),
    does: ['list a'],
  },
  {
    because: 'GET /dsfiles has its listings made after those of requests',
    seen: seen({
      wishes: [wish(unlisted)],
      queries: ['x', 'y'].map(name => ({ name, did: `s:${name}`, nextTryAt: 0 })),
    }),
    does: ['list a', 'list x'],
  },
  {
    because: 'on a disk that has gone everything stops',
    seen: seen({ data: 'missing', wishes: [wish(unlisted)], running: [running({})], trash: ['b'] }),
    does: ['stop a'],
  },
  {
    because: 'on a disk that cannot be written nothing is begun',
    seen: seen({ data: 'read_only', wishes: [wish(unlisted)] }),
    does: [],
    waits: 'read_only',
  },
  {
    because: 'with a config.json that never parsed nothing is fetched',
    seen: seen({ data: 'no_limits', wishes: [wish(unlisted)] }),
    does: [],
  },
  {
    because: 'what Rucio shall bring to a site is listed first, as everything is',
    seen: seen({ wishes: [wish(unlisted, { kind: 'elsewhere', rule: ruleSeen })] }),
    does: ['list a'],
  },
  {
    because: 'and then its rule is made, and nothing of it is fetched',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 }, { kind: 'elsewhere', rule: ruleSeen })],
    }),
    does: ['rule a'],
  },
  {
    because: 'what was being fetched of it is stopped, and its rule waits for the end of that',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 }, { kind: 'elsewhere', rule: ruleSeen })],
      running: [running({})],
    }),
    does: ['stop a'],
  },
  {
    because: 'two rules at a time are enough for a central server',
    seen: seen({
      wishes: ['a', 'b', 'c'].map(name =>
        wish({ kind: 'listed', listing, nextTryAt: 0 }, { name, kind: 'elsewhere', rule: ruleSeen }),
      ),
      running: [running({ kind: 'rule', name: 'a' })],
    }),
    does: ['rule b'],
  },
  {
    because: 'while the catalogue is at rest no rule is made, and one probe is made for all',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing, nextTryAt: 0 }, { kind: 'elsewhere', rule: ruleSeen })],
      catalogue: { until: now - 1, reason: 'host_down', detail: 'gone' },
    }),
    does: ['probe'],
    waits: 'host_down',
  },
  {
    because: 'a listing that somebody waits for is asked for before the rule is looked at',
    seen: seen({
      wishes: [wish({ kind: 'listed', listing: old, nextTryAt: 0 }, { kind: 'elsewhere', rule: ruleSeen })],
    }),
    does: ['list a'],
  },
  {
    because: 'a removal ends the rule first, and then what is here',
    seen: seen({
      wishes: [
        wish(unlisted, { kind: 'remove', rule: { ...ruleSeen, wanted: undefined, record: ruleMade } }),
        wish(unlisted, { name: 'b', kind: 'remove' }),
      ],
    }),
    does: ['rule a', 'remove b'],
  },
  {
    because: 'what shall lie here after all has its rule ended before anything is fetched',
    seen: seen({
      wishes: [
        wish(loaded({ ready: files(1, MiB) }), {
          rule: { ...ruleSeen, wanted: undefined, record: ruleMade },
        }),
      ],
    }),
    does: ['rule a'],
  },
  {
    because: 'a misnamed request is renamed, a broken one gets its sentence, once each',
    seen: seen({
      oddities: [
        { kind: 'rename', file: 'x.json', name: 'y' },
        { kind: 'problem', file: 'z.json', message: 'no' },
      ],
      running: [running({ kind: 'odd', name: 'z.json' })],
    }),
    does: ['rename x.json'],
  },
  {
    because: 'one dataset at a time when config.json says so',
    seen: seen({
      wishes: ['a', 'b'].map((name, i) =>
        wish(loaded({ ready: files(1, MiB) }), { name, createdAt: now - 9 + i }),
      ),
    }),
    does: ['fetch a x1'],
    config: { datasets_at_once: 1 },
  },
]

for (const row of rows)
  test(row.because, () => {
    const decision = decide(row.seen, now, { ...defaultConfig, ...row.config })
    assert.equal(decision.actions.map(short), row.does)
    if (row.waits !== undefined)
      assert.ok([...decision.waiting.values()].some(each => each.reason === row.waits))
    if (row.wakeAt !== undefined) assert.is(decision.wakeAt, row.wakeAt)
  })

test('batches never promise more than the space that is free', () => {
  const decision = decide(
    seen({ wishes: [wish(loaded({ ready: files(100, 10 * MiB) }))], freeBytes: 2 ** 30 + 95 * MiB }),
    now,
    defaultConfig,
  )
  const bytes = decision.actions.reduce((sum, each) => sum + (each.kind === 'fetch' ? each.bytes : 0), 0)
  assert.ok(bytes > 0 && bytes <= 95 * MiB)
})

test.run()
