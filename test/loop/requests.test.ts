// What a person does in requests/, and what follows.

import { watch } from 'node:fs'
import { appendFile, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Clock, openClock } from '../help/clock.ts'
import {
  appears,
  type Dataset,
  dataset,
  endAll,
  goes,
  type Home,
  isRight,
  isThere,
  openHome,
  slowDataset,
  until,
} from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'
import { sideBySide } from '../help/side-by-side.ts'

const test = suite('requests/ by hand')
const all: Dataset[] = []
const one = (name: string, options: Parameters<typeof dataset>[1] = {}): Dataset => {
  const made = dataset(`hands.${name}`, options)
  all.push(made)
  return made
}
const slowly: ReturnType<typeof slowDataset>[] = []
const slow = (name: string): ReturnType<typeof slowDataset> => {
  const made = slowDataset(`hands.${name}`)
  all.push(made)
  slowly.push(made)
  return made
}
const speed = 8
/** real ms: a person's text has settled, and the loop has passed */
const settledMs = 2600 / speed

let clock: Clock
let grid: PracticeChild
let home: Home
/** every name that was ever seen in requests/ */
const everSeen = new Set<string>()
let watcher: ReturnType<typeof watch>

const request = (of: { readonly name: string }): string => home.path('requests', `${of.name}.json`)
const did = (of: Dataset): string => `${of.scope}:${of.name}`

async function isWhole(of: Dataset): Promise<void> {
  await home.says(did(of), 'local')
  assert.is(await isRight(home.path(of.name), of), true)
  await goes(request(of))
}

async function sent(of: Dataset): Promise<number> {
  const dids = new Set(of.files.map(file => `${file.scope}:${file.name}`))
  return (await grid.sent())
    .filter(each => dids.has(each.did))
    .reduce((sum, { from, to }) => sum + to - from, 0)
}

async function hurries(of: { readonly rse: string }): Promise<void> {
  await grid.setFaults(of.rse, { rate: 0 })
}

async function comes(of: Dataset): Promise<void> {
  await until(async () => (await sent(of)) > 150_000 || `${of.name} does not come`)
}

async function view(of: Dataset): Promise<Record<string, unknown>> {
  return (await home.get(`/datasets/${of.name}`)).json
}

/** Not a byte more, for as long as a text takes to settle twice. */
async function standsStill(of: Dataset): Promise<void> {
  let last = -1
  await until(async () => {
    const before = last
    last = await sent(of)
    await sleep(settledMs)
    return last === before || `${of.name} still comes`
  })
}

test.before(async () => {
  grid = await startPracticeChild({
    seed: { datasets: all, containers: [] },
    rses: ['FAST', ...slowly.map(each => each.rse)],
  })
  for (const { rse } of slowly) await grid.setFaults(rse, { rate: 200_000 })
  clock = openClock(speed)
  home = await openHome({ grid, world: clock.world })
  watcher = watch(home.path('requests'), (_, name) => void everSeen.add(String(name)))
})

const empty = one('empty')
const urgent = one('urgent')
const paused = slow('paused')
const deleted = slow('deleted')
const odd = one('odd')
const withDid = one('with.did')
const twice = one('twice')
const half = one('half')
const encodings = [one('bom'), one('crlf'), one('utf16le'), one('utf16be')] as const
const typed = slow('typed')
const renamedOver = slow('renamed.over')
const renamedAway = slow('renamed.away')
const broken = one('broken')
const brokenLater = slow('broken.later')
const removed = one('removed')
const cancelled = slow('cancelled')
const brokenRemoval = one('broken.removal')

sideBySide(test, {
  async 'an empty file asks for a dataset'() {
    await writeFile(request(empty), '')
    await isWhole(empty)
    assert.is(await readFile(home.path(empty.name, '.rucio', 'request.json'), 'utf8'), '')
  },

  async 'a priority is taken from the text, and its other keys are kept'() {
    await writeFile(request(urgent), '{"priority": 5, "mine": [1, 2]}')
    await appears(home.path(urgent.name))
    assert.is((await view(urgent))['priority'], 5)
    await isWhole(urgent)
    const kept = await readFile(home.path(urgent.name, '.rucio', 'request.json'), 'utf8')
    assert.is(kept, '{"priority": 5, "mine": [1, 2]}')
  },

  async 'a request edited to paused stops, and goes on from there when it is edited back'() {
    await writeFile(request(paused), '{}')
    await comes(paused)
    await writeFile(request(paused), '{"paused": true}')
    await standsStill(paused)
    assert.is((await view(paused))['state'], 'paused')
    assert.is(await home.ds('GET', did(paused)), 'downloading')
    await writeFile(request(paused), '{"paused": false, "priority": 2}')
    await hurries(paused)
    await isWhole(paused)
    assert.ok((await sent(paused)) < 4_500_000, `${await sent(paused)} bytes`)
  },

  async 'a deleted request stops the transfer; what has come stays, and counts when it is asked for again'() {
    await writeFile(request(deleted), '{}')
    await comes(deleted)
    await unlink(request(deleted))
    await standsStill(deleted)
    assert.is(await home.ds('GET', did(deleted)), 'not_on_server')
    const parts = home.path(deleted.name, '.rucio', 'parts')
    assert.equal((await readdir(parts)).sort(), [
      `${deleted.files[0]?.name}.json`,
      `${deleted.files[0]?.name}.part`,
    ])
    assert.is(await home.ds('POST', did(deleted)), 'downloading')
    await hurries(deleted)
    await isWhole(deleted)
    assert.ok((await sent(deleted)) < 4_500_000, `${await sent(deleted)} bytes`)
    assert.equal(await readdir(parts), [])
  },

  async 'scope:name.json is taken and renamed to NAME.json'() {
    await writeFile(home.path('requests', `hands:${odd.name}.json`), '{"priority": 1}')
    await isWhole(odd)
    await goes(home.path('requests', `hands:${odd.name}.json`))
    const told = (await home.log()).split('\n').filter(line => line.endsWith(`is ${odd.name}.json`))
    assert.is(told.length, 1, told.join('\n'))
  },

  async 'a file whose did says another NAME is renamed to that'() {
    await writeFile(home.path('requests', 'what I want.json'), `{"did": "${did(withDid)}"}`)
    await isWhole(withDid)
  },

  async 'where NAME.json is there already the other gets a .problem, and is taken when that has gone'() {
    const other = home.path('requests', `hands:${twice.name}.json`)
    await writeFile(request(twice), '{"paused": true}')
    await writeFile(other, '{"priority": 3}')
    await appears(`${other}.problem`)
    assert.match(await readFile(`${other}.problem`, 'utf8'), /is there already/)
    assert.is(await readFile(other, 'utf8'), '{"priority": 3}')
    assert.is((await view(twice))['state'], 'paused')
    await unlink(request(twice))
    await isWhole(twice)
    await goes(`${other}.problem`)
  },

  async 'a text that is half written waits until it is whole'() {
    await writeFile(request(half), '{"priority"')
    await sleep(30)
    await appendFile(request(half), ': 4')
    await sleep(30)
    await appendFile(request(half), '}\n')
    await isWhole(half)
  },

  async 'a BOM, CRLF and UTF-16 are read'() {
    const [bom, crlf, little, big] = encodings
    const text = '{"priority": 7}\r\n'
    await writeFile(request(bom), `\ufeff${text}`)
    await writeFile(request(crlf), `{\r\n  "priority": 7\r\n}\r\n`)
    await writeFile(request(little), Buffer.from(`\ufeff${text}`, 'utf16le'))
    await writeFile(request(big), Buffer.from(`\ufeff${text}`, 'utf16le').swap16())
    for (const each of encodings) {
      await isWhole(each)
      assert.not.ok(everSeen.has(`${each.name}.json.problem`))
    }
  },

  async 'a text that is truncated and written slowly does not disturb what comes'() {
    await writeFile(request(typed), '{}')
    await comes(typed)
    const handle = await open(request(typed), 'r+')
    await handle.truncate(0)
    for (const character of '{"priority": 9, "note": "slow"}') {
      await handle.write(character)
      await sleep(10)
    }
    await handle.close()
    await until(async () => (await view(typed))['priority'] === 9 || 'the priority is not 9')
    await hurries(typed)
    await isWhole(typed)
    assert.ok((await sent(typed)) < 4_100_000, `${await sent(typed)} bytes: it was begun anew`)
  },

  async 'an editor that writes a new file and renames it over the old one does not disturb what comes'() {
    await writeFile(request(renamedOver), '{}')
    await comes(renamedOver)
    await writeFile(`${request(renamedOver)}.tmp`, '{"priority": 6}')
    await rename(`${request(renamedOver)}.tmp`, request(renamedOver))
    await until(async () => (await view(renamedOver))['priority'] === 6 || 'the priority is not 6')
    await hurries(renamedOver)
    await isWhole(renamedOver)
    assert.ok((await sent(renamedOver)) < 4_100_000, `${await sent(renamedOver)} bytes: it was begun anew`)
  },

  async 'an editor that renames the old file away and writes a new one does not disturb what comes'() {
    await writeFile(request(renamedAway), '{}')
    await comes(renamedAway)
    await rename(request(renamedAway), `${request(renamedAway)}~`)
    await sleep(500 / speed)
    await writeFile(request(renamedAway), '{"priority": 6}')
    await until(async () => (await view(renamedAway))['priority'] === 6 || 'the priority is not 6')
    await hurries(renamedAway)
    await isWhole(renamedAway)
    assert.ok((await sent(renamedAway)) < 4_100_000, `${await sent(renamedAway)} bytes: it was begun anew`)
    assert.ok(await isThere(`${request(renamedAway)}~`))
  },

  async 'a broken request gets a .problem with a sentence, and is taken once it is mended'() {
    await writeFile(request(broken), '{"priority": "high"}')
    await appears(`${request(broken)}.problem`)
    assert.match(await readFile(`${request(broken)}.problem`, 'utf8'), /"priority" is a number.*\.\n$/)
    assert.is(await home.ds('GET', did(broken)), 'downloading')
    await writeFile(request(broken), '{"priority": 1}')
    await isWhole(broken)
    await goes(`${request(broken)}.problem`)
  },

  async 'a request that breaks while its dataset comes keeps its last good reading'() {
    await writeFile(request(brokenLater), '{"priority": 1}')
    await comes(brokenLater)
    await writeFile(request(brokenLater), '{"priority": 1')
    await appears(`${request(brokenLater)}.problem`)
    await hurries(brokenLater)
    await home.says(did(brokenLater), 'local')
    await unlink(request(brokenLater)).catch(() => {}) // it may have moved into the folder
    await goes(`${request(brokenLater)}.problem`)
  },

  async '"remove": true takes what is Rucio’s, and leaves what is not'() {
    await writeFile(request(removed), '{}')
    await isWhole(removed)
    await writeFile(home.path(removed.name, 'notes.txt'), 'mine')
    await writeFile(request(removed), '{"remove": true}')
    await goes(request(removed))
    assert.equal(await readdir(home.path(removed.name)), ['notes.txt'])
    assert.is(await home.ds('GET', did(removed)), 'not_on_server')
  },

  async 'DELETE stops what comes and removes it; a POST after it begins anew'() {
    await writeFile(request(cancelled), '{}')
    await comes(cancelled)
    assert.is(await home.ds('DELETE', did(cancelled)), 'not_on_server')
    await goes(request(cancelled))
    assert.not.ok(await isThere(home.path(cancelled.name)))
    assert.equal(
      (await readdir(home.path('.rucio', 'trash'))).filter(name => name === cancelled.name),
      [],
    )
    assert.is(await home.ds('POST', did(cancelled)), 'downloading')
    await hurries(cancelled)
    await isWhole(cancelled)
  },

  async 'a removal whose text breaks while it waits is ended once it is mended, and nothing spins'() {
    await writeFile(request(brokenRemoval), '{}')
    await isWhole(brokenRemoval)
    await writeFile(request(brokenRemoval), '{"remove": tru')
    await appears(`${request(brokenRemoval)}.problem`)
    assert.ok(await isThere(home.path(brokenRemoval.name, brokenRemoval.files[0]?.name ?? '')))
    await writeFile(request(brokenRemoval), '{"remove": true}')
    await goes(home.path(brokenRemoval.name))
    await goes(`${request(brokenRemoval)}.problem`)
  },
})

test.after(async () => {
  watcher?.close()
  await endAll(grid, clock)
})

test.run()
