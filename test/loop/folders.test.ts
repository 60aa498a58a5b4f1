// What a person does with the folders of datasets, and what follows.

import {
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
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
  layFile,
  openHome,
  slowDataset,
  until,
} from '../help/home.ts'
import { type PracticeChild, startPracticeChild } from '../help/practice-child.ts'
import { sideBySide } from '../help/side-by-side.ts'

const test = suite('folders by hand')
const all: Dataset[] = []
const one = (name: string, options: Parameters<typeof dataset>[1] = {}): Dataset => {
  const made = dataset(name, options)
  all.push(made)
  return made
}
const slowly: ReturnType<typeof slowDataset>[] = []
const slow = (name: string): ReturnType<typeof slowDataset> => {
  const made = slowDataset(name)
  all.push(made)
  slowly.push(made)
  return made
}
const speed = 8
const env = { DESKTOP_RUCIO_AUDIT_EVERY: '3', DESKTOP_RUCIO_AUDIT_SECOND_LOOK: '1' }
/** real ms in which several audits end */
const auditsMs = 1500

let clock: Clock
let grid: PracticeChild
let home: Home
/** a data directory whose audit is as rare as it is for users */
let quiet: Home

const did = (of: Dataset): string => `${of.scope}:${of.name}`
const first = (of: Dataset): string => of.files[0]?.name ?? ''

async function fetchWhole(at: Home, of: Dataset, name = of.name): Promise<void> {
  await at.ds('POST', did(of))
  await at.says(did(of), 'local')
  assert.is(await isRight(at.path(name), of), true)
  await goes(at.path('requests', `${name}.json`))
  await goes(at.path(name, 'INCOMPLETE.txt'))
}

/** bytes of its files that left the storage */
async function sent(of: Dataset, file?: string): Promise<number> {
  return (await grid.sent())
    .filter(each =>
      of.files.some(
        known => each.did === `${known.scope}:${known.name}` && (file ?? known.name) === known.name,
      ),
    )
    .reduce((sum, { from, to }) => sum + to - from, 0)
}

const size = (of: Dataset): number => of.files.reduce((sum, file) => sum + file.bytes, 0)

/** The audit asks for it again, and it comes to be whole. */
async function isMended(of: Dataset): Promise<void> {
  await home.says(did(of), 'local')
  assert.is(await isRight(home.path(of.name), of), true)
  await goes(home.path('requests', `${of.name}.json`))
  await goes(home.path(of.name, 'INCOMPLETE.txt'))
}

const gone = one('hands.gone')
const renamed = one('hands.renamed')
const goneEarly = slow('hands.gone.early')
const lost = one('hands.lost')
const cut = one('hands.cut')
const changed = one('hands.changed')
const touched = one('hands.touched')
const lostWhileDown = one('hands.lost.while.down')
const gone2 = one('hands.gone.in.repair')
const rucio = one('hands.of.rucio', { scope: 'other' })
const slashes = one('hands/with/slashes')
const leading = one('/hands.primary/leading/AOD', { folder: '/store/hands/' })
/** A file that is asked for by itself. */
const single = one('hands.single', { files: 1, scope: 'hands.files' })
const mixed = one('hands.mixed')
const copied = one('hands.copied')
const copiedHarmed = one('hands.copied.harmed')
const unasked = one('hands.unasked')
const emptied = slow('hands.emptied')
const whole = one('hands.emptied.whole')
const swept = slow('hands.swept')
const sweptWhole = one('hands.swept.whole')

test.before(async () => {
  grid = await startPracticeChild({
    seed: { datasets: all, containers: [] },
    rses: ['FAST', ...slowly.map(each => each.rse)],
  })
  for (const { rse } of slowly) await grid.setFaults(rse, { rate: 200_000 })
  clock = openClock(speed)
  home = await openHome({ grid, world: clock.world, env })
  quiet = await openHome({ grid, world: clock.world })
})

sideBySide(test, {
  async 'a whole dataset whose folder was deleted is gone, and not fetched again'() {
    await fetchWhole(home, gone)
    await rm(home.path(gone.name), { recursive: true })
    await home.says(did(gone), 'not_on_server')
    await sleep(auditsMs)
    assert.not.ok(await isThere(home.path(gone.name)))
    assert.is(await sent(gone), size(gone))
    await fetchWhole(home, gone)
  },

  async 'one whose folder was renamed is gone, and there again when it is renamed back; nothing is fetched for either name'() {
    const mine = `${renamed.name}.mine`
    await fetchWhole(home, renamed)
    await rename(home.path(renamed.name), home.path(mine))
    await home.says(did(renamed), 'not_on_server')
    await home.says(`${renamed.scope}:${mine}`, 'not_on_server')
    await sleep(auditsMs)
    const { json } = await home.get('/status')
    const { downloading } = json['rucio_download'] as { readonly downloading: readonly string[] }
    assert.equal(
      downloading.filter(each => each.startsWith(renamed.name)),
      [],
    )
    await rename(home.path(mine), home.path(renamed.name))
    await home.says(did(renamed), 'local')
    assert.is(await sent(renamed), size(renamed))
  },

  async 'of one that is still asked for the fetching begins anew'() {
    await home.ds('POST', did(goneEarly))
    await until(async () => (await sent(goneEarly)) > 200_000 || 'it does not come')
    await rm(home.path(goneEarly.name), { recursive: true, maxRetries: 5 })
    await grid.setFaults(goneEarly.rse, { rate: 0 })
    await appears(home.path(goneEarly.name, 'INCOMPLETE.txt'))
    await appears(home.path(goneEarly.name, '.rucio', 'listing.jsonl'))
    await home.says(did(goneEarly), 'local')
    assert.is(await isRight(home.path(goneEarly.name), goneEarly), true)
  },

  async 'a deleted file of a whole dataset is asked for again, and it alone is fetched'() {
    await fetchWhole(home, lost)
    await unlink(home.path(lost.name, first(lost)))
    assert.is(await home.ds('GET', did(lost)), 'downloading')
    await isMended(lost)
    assert.is(await sent(lost), size(lost) + (lost.files[0]?.bytes ?? 0))
  },

  async 'a cut file is fetched again, and the cut one is kept aside'() {
    await fetchWhole(home, cut)
    await truncate(home.path(cut.name, first(cut)), 1000)
    await home.says(did(cut), 'downloading')
    await isMended(cut)
    assert.is(await sent(cut), size(cut) + (cut.files[0]?.bytes ?? 0))
    const [aside = ''] = await readdir(home.path(cut.name, '.rucio', 'aside'))
    assert.is((await stat(home.path(cut.name, '.rucio', 'aside', aside))).size, 1000)
  },

  async 'a changed file is fetched again, and the changed one is kept aside'() {
    await fetchWhole(home, changed)
    const path = home.path(changed.name, first(changed))
    const handle = await open(path, 'r+')
    await handle.write('changed by hand', 100)
    await handle.close()
    await utimes(path, new Date(), new Date(Date.now() + 10_000))
    await home.says(did(changed), 'downloading')
    await isMended(changed)
    assert.is(await sent(changed), size(changed) + (changed.files[0]?.bytes ?? 0))
    const [aside = ''] = await readdir(home.path(changed.name, '.rucio', 'aside'))
    assert.match(
      await readFile(home.path(changed.name, '.rucio', 'aside', aside), 'latin1'),
      /changed by hand/,
    )
  },

  async 'a touched file is read, not fetched'() {
    await fetchWhole(home, touched)
    const path = home.path(touched.name, first(touched))
    await utimes(path, new Date(), new Date(Date.now() - 3_600_000))
    await until(async () => (await home.ds('GET', did(touched))) === 'local' || 'it is not local again')
    await sleep(auditsMs)
    assert.is(await home.ds('GET', did(touched)), 'local')
    assert.is(await sent(touched), size(touched))
    assert.not.ok(await isThere(home.path('requests', `${touched.name}.json`)))
  },

  async 'a folder deleted while its repair waits withdraws the repair'() {
    await fetchWhole(home, gone2)
    const kept = await readFile(home.path(gone2.name, '.rucio', 'request.json'), 'utf8')
    await rm(home.path(gone2.name), { recursive: true })
    await writeFile(
      home.path('requests', `${gone2.name}.json`),
      JSON.stringify({ ...JSON.parse(kept), repair: true }),
    )
    await goes(home.path('requests', `${gone2.name}.json`))
    assert.is(await home.ds('GET', did(gone2)), 'not_on_server')
    assert.not.ok(await isThere(home.path(gone2.name)))
    assert.is(await sent(gone2), size(gone2))
  },

  async 'what rucio download left in a folder of the bare name is taken, and not a byte fetched'() {
    await mkdir(quiet.path(rucio.name))
    for (const file of rucio.files) await layFile(quiet.path(rucio.name, file.name), file)
    await fetchWhole(quiet, rucio, `other=3A${rucio.name}`)
    assert.is(await sent(rucio), 0)
    assert.not.ok(await isThere(quiet.path(rucio.name)))
  },

  async 'a name with slashes lies in folders, as rucio download makes them'() {
    await mkdir(quiet.path('hands', 'with', 'slashes'), { recursive: true })
    for (const file of slashes.files) await layFile(quiet.path(slashes.name, file.name), file)
    await fetchWhole(quiet, slashes, 'hands=3Ahands=2Fwith=2Fslashes')
    assert.is(await sent(slashes), 0)
  },

  async 'of a file with a leading slash rucio download leaves the last part'() {
    const folder = quiet.path('hands.primary', 'leading', 'AOD')
    await mkdir(folder, { recursive: true })
    for (const file of leading.files) await layFile(join(folder, file.name.split('/').at(-1) ?? ''), file)
    await fetchWhole(quiet, leading, 'hands=3A=2Fhands.primary=2Fleading=2FAOD')
    assert.is(await sent(leading), 0)
  },

  async 'a file that was asked for by itself lies in a folder of its scope'() {
    const [file] = single.files
    if (file === undefined) throw new Error('no file')
    await mkdir(quiet.path('hands.files'))
    await layFile(quiet.path('hands.files', file.name), file)
    await quiet.ds('POST', `hands.files:${file.name}`)
    await quiet.says(`hands.files:${file.name}`, 'local')
    assert.is(await sent(single), 0)
  },

  async 'of a folder that is whole in part only the rest is fetched, and wrong bytes go aside'() {
    await mkdir(quiet.path(mixed.name))
    const [right, wrong] = mixed.files
    if (right === undefined || wrong === undefined) throw new Error('no files')
    await layFile(quiet.path(mixed.name, right.name), right)
    await writeFile(quiet.path(mixed.name, wrong.name), Buffer.alloc(wrong.bytes, 'x'))
    await writeFile(quiet.path(mixed.name, 'notes.txt'), 'mine')
    await fetchWhole(quiet, mixed)
    assert.is(await sent(mixed, right.name), 0)
    assert.is(await sent(mixed), size(mixed) - right.bytes)
    assert.is((await readdir(quiet.path(mixed.name, '.rucio', 'aside'))).length, 1)
    assert.is(await readFile(quiet.path(mixed.name, 'notes.txt'), 'utf8'), 'mine')
  },

  async 'a copy from another data directory is taken when it is asked for, and not a byte fetched'() {
    await fetchWhole(home, copied)
    await cp(home.path(copied.name), quiet.path(copied.name), { recursive: true })
    assert.is.not(await quiet.ds('GET', did(copied)), 'local')
    await fetchWhole(quiet, copied)
    assert.is(await sent(copied), size(copied))
  },

  async 'of a copy that was harmed only the harm is fetched'() {
    await fetchWhole(home, copiedHarmed)
    await cp(home.path(copiedHarmed.name), quiet.path(copiedHarmed.name), { recursive: true })
    await unlink(quiet.path(copiedHarmed.name, first(copiedHarmed)))
    await fetchWhole(quiet, copiedHarmed)
    assert.is(await sent(copiedHarmed), size(copiedHarmed) + (copiedHarmed.files[0]?.bytes ?? 0))
  },

  async 'a copy that nobody asked for is left as it is'() {
    await fetchWhole(quiet, unasked)
    await cp(quiet.path(unasked.name), home.path(unasked.name), { recursive: true })
    await unlink(home.path(unasked.name, first(unasked)))
    await sleep(auditsMs)
    assert.not.ok(await isThere(home.path('requests', `${unasked.name}.json`)))
    assert.is(await sent(unasked), size(unasked))
  },

  async 'what was lost while the daemon was down is found after the start'() {
    const third = await openHome({ grid, world: clock.world, env })
    await fetchWhole(third, lostWhileDown)
    await third.end()
    await unlink(third.path(lostWhileDown.name, first(lostWhileDown)))
    await third.again()
    assert.is(await third.ds('GET', did(lostWhileDown)), 'downloading')
    await third.says(did(lostWhileDown), 'local')
    assert.is(await sent(lostWhileDown), size(lostWhileDown) + (lostWhileDown.files[0]?.bytes ?? 0))
    await third.end()
  },

  async 'while DATA is missing nothing is written and everything says so; it goes on when it is back'() {
    const third = await openHome({
      grid,
      world: clock.world,
      env: { DESKTOP_RUCIO_CHECKPOINT_EVERY: '0.1' },
    })
    await fetchWhole(third, whole)
    await third.ds('POST', did(emptied))
    await grid.setFaults(emptied.rse, { rate: 1_000_000 })
    // Bytes are written by the MiB, and count when they were synced.
    await appears(third.path(emptied.name, '.rucio', 'parts', `${first(emptied)}.json`))
    await grid.setFaults(emptied.rse, { rate: 1 })
    const away = `${third.dir}.away`
    await rename(third.dir, away)
    await mkdir(third.dir)
    await until(async () => {
      const { state } = (await third.get('/status')).json
      return state === 'data_dir_missing' || `the state is ${state}`
    })
    assert.is(await third.ds('GET', did(whole)), '503 data_dir_missing')
    assert.is(await third.ds('POST', did(whole)), '503 data_dir_missing')
    assert.is((await third.get('/datasets')).status, 503)
    assert.is((await third.get(`/dsfiles?ds_name=${did(whole)}`)).status, 503)
    assert.is((await third.get('/logs')).status, 200)
    await sleep(1500)
    assert.equal(await readdir(third.dir), [])
    const then = await sent(emptied)
    await rm(third.dir, { recursive: true })
    await rename(away, third.dir)
    await grid.setFaults(emptied.rse, { rate: 0 })
    await third.says(did(whole), 'local')
    await third.says(did(emptied), 'local')
    assert.ok(
      (await sent(emptied)) - then < 3_500_000,
      `it began anew: ${then} bytes, then ${await sent(emptied)}`,
    )
    assert.is(await isRight(third.path(emptied.name), emptied), true)
    // File events are those of the directory that is back.
    await rm(third.path(whole.name), { recursive: true })
    await writeFile(third.path('requests', `${whole.name}.json`), '')
    const from = clock.world.now()
    await appears(third.path(whole.name, '.rucio', 'listing.jsonl'))
    assert.ok(clock.world.now() - from < 25_000, `after ${clock.world.now() - from} ms`)
    await third.end()
  },

  async 'rm -r DATA/* ends all wishes; nothing comes back, and the next wish is taken'() {
    const third = await openHome({ grid, world: clock.world })
    await fetchWhole(third, sweptWhole)
    await third.ds('POST', did(swept))
    await until(async () => (await sent(swept)) > 200_000 || 'it does not come')
    for (const name of await readdir(third.dir))
      if (!name.startsWith('.')) await rm(join(third.dir, name), { recursive: true, maxRetries: 5 })
    await third.says(did(swept), 'not_on_server')
    // The loop ends the transfer with its next look, a busy machine a little later.
    await until(async () => {
      const then = await sent(swept)
      await sleep(500)
      return (await sent(swept)) === then || 'bytes still come'
    })
    await fetchWhole(third, sweptWhole)
    await third.end()
  },
})

test.after(() => endAll(grid, clock))

test.run()
