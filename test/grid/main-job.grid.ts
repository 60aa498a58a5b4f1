// The daemon's whole work against a real Rucio server and real storages: every dataset that is seeded, whatever is the matter with it,
// first with a password alone, then with a proxy; and beside it what the official client brings.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filesOf } from '../contract/expect.ts'
import { sweep, temporary } from '../help/data.ts'
import { isGood, sumsOf } from './bytes.ts'
import { type Job, pathsOf, startJob, type Unfinished, until } from './job.ts'
import { seeded, type TrueFile, variable } from './seeded.ts'

const test = suite('main job, real grid')

const mc = 'mc16_13TeV:mc16_13TeV'
// The slow one has a test of its own; the benchmarks' data are no part of this.
const notHere = /\.slow|bench/
const facts = seeded()
const dids = [...facts.datasets.keys(), ...facts.containers.keys()].filter(did => !notHere.test(did))

/** Files that nobody can bring, and why. Everything else that is seeded must arrive. */
const never: Readonly<Record<string, string>> = {
  'mc16_13TeV:lost.04._000002.root': 'no_replica',
  'mc16_13TeV:onlybad.06._000001.root': 'corrupt',
  'mc16_13TeV:deadhost.07._000002.root': 'host_down',
  'mc16_13TeV:tape.11._000001.root': 'only_tape',
  // A storage that accepts and says nothing, and one that says 403 beside one that says 500.
  'mc16_13TeV:hopeless.13._000001.root': 'host_down',
  'mc16_13TeV:hopeless.13._000002.root': 'host_down',
}
/** Files that only a certificate opens. */
const guarded: Readonly<Record<string, string>> = {
  // Over https such a storage says that they may not be read, over XRootD that it wants to know who asks: that is told.
  'mc16_13TeV:xrd1only.09._000001.root': 'auth',
  'mc16_13TeV:xrd1only.09._000002.root': 'auth',
  'mc16_13TeV:tape.11._000002.root': 'auth',
  'mc16_13TeV:rootproxy.16._000001.root': 'auth',
}
/** Names that a disk, or a dataset's folder, cannot hold as they are. */
const rewritten: Readonly<Record<string, string>> = {
  'user.jdoe:CON.root': '=43ON.root',
  'user.jdoe:trailing.dot.': 'trailing.dot=2E',
  'user.jdoe:Case.root': 'Case.root~0fa184ee38b580b2',
  'user.jdoe:case.root': 'case.root~f85be7c0b1772a24',
  'user.jdoe:INCOMPLETE.txt': '=49NCOMPLETE.txt',
  'user.jdoe:requests': '=72equests',
  [`user.jdoe:user.jdoe.${'long'.repeat(50)}`]: `user.jdoe.${'long'.repeat(37)}lo~e3ee4afb97ba27ae`,
  'user.jdoe:user.jdoe/sub/one.root': 'user.jdoe=2Fsub=2Fone.root',
  'user.jdoe:/user.jdoe/sub/two.root': '=2Fuser.jdoe=2Fsub=2Ftwo.root',
  'user.jdoe:same.name.root': 'same.name.root~1f67a3414a05c677',
  'mc16_13TeV:same.name.root': 'same.name.root~28dc88a0fe929b51',
}

const jobs: Job[] = []
let withProxy: Job
test.after(async () => {
  for (const job of jobs) if (!job.daemon.hasEnded()) await job.daemon.end()
  await sweep()
})

async function start(data: string, cfg: Parameters<typeof startJob>[1]): Promise<Job> {
  const job = await startJob(data, cfg)
  jobs.push(job)
  return job
}

test('with a password alone all that anyone may read arrives, and each other file says why it does not', async () => {
  const job = await start(await temporary(), 'rucio.cfg')
  for (const did of dids) assert.is(await job.want(did), 'downloading')
  await arrives(job, { ...never, ...guarded })
  const ended = await job.daemon.end()
  assert.equal([ended.code, ended.ms < 5000], [0, true])
})

test('with a proxy the guarded storage gives its files too', async () => {
  withProxy = await start(await temporary(), 'rucio-x509.cfg')
  for (const did of dids) assert.is(await withProxy.want(did), 'downloading')
  await arrives(withProxy, never)
})

test('a name that does not exist is told so', async () => {
  assert.is(await withProxy.want('mc16_13TeV:no.such.dataset'), 'downloading')
  assert.is(await withProxy.word('mc16_13TeV:no.such.dataset', 30), 'does_not_exist')
})

test('the official client brings the same bytes, file by file', async () => {
  const out = await temporary()
  // Of the same name in two scopes, of a DID without files or without one good replica it brings nothing at all (and says 75, 1, …),
  // and each file takes it 0.1 s: of the thousand it fetches fifty.
  const nothing = [
    'user.jdoe:user.jdoe.samename.v1',
    ...['000001.empty_tid03', '000009.emptycontainer'].map(name => `${mc}.${name}`),
    ...['000004.onlybad_tid06', '000012.hopeless_tid13'].map(name => `${mc}.${name}`),
  ]
  const thousand = `${mc}.000008.thousand_tid10`
  const asked = dids.filter(did => did !== thousand && !nothing.includes(did))
  download(out, asked)
  download(out, [thousand, '--nrandom', '50'])
  // It takes a file only with a checksum.
  const notBrought = [...Object.keys(never), 'user.jdoe:user.jdoe.nochecksum.txt']
  let compared = 0
  for (const did of [...asked, thousand]) {
    const { name } = await withProxy.look(did)
    const paths = await pathsOf(withProxy.data, name)
    for (const [file, path] of paths) {
      const theirs = officialPath(out, did, file)
      if (!existsSync(theirs)) {
        assert.is(
          did === thousand || notBrought.includes(file),
          true,
          `the official client brought no ${file} of ${did}`,
        )
        continue
      }
      const cmp = spawnSync('cmp', ['--', join(withProxy.data, name, path), theirs], { encoding: 'utf8' })
      assert.is(cmp.status, 0, `${file} of ${did}: ${cmp.stdout}${cmp.stderr}`)
      compared += 1
    }
  }
  const seededFiles = asked
    .flatMap(did => filesOf(facts, did))
    .filter(file => !notBrought.includes(keyOf(file)))
  assert.is(compared, seededFiles.length + 50)
})

test.run()

/** Waits until every file is there but those that cannot come, and these say why; then reads each byte. */
async function arrives(job: Job, missing: Readonly<Record<string, string>>): Promise<void> {
  for (const did of dids) {
    const files = filesOf(facts, did)
    const waiting = files.filter(file => missing[keyOf(file)] !== undefined)
    const expected = waiting.map(file => `${keyOf(file)} ${missing[keyOf(file)]}`).sort()
    let seen: readonly Unfinished[] = []
    await until(
      180,
      async () => {
        seen = (await job.look(did)).unfinished
        return (
          JSON.stringify(seen.map(each => `${each.did} ${each.reason}`).sort()) === JSON.stringify(expected)
        )
      },
      () => `${did}: ${JSON.stringify(seen.slice(0, 5))}, not ${JSON.stringify(expected)}`,
    )
    const { name } = await job.look(did)
    const paths = await pathsOf(job.data, name)
    assert.is(paths.size, new Set(files.map(keyOf)).size, did)
    for (const file of files) await isRight(job, name, file, paths, missing)
    // INCOMPLETE.txt goes last, some writes after the last file.
    const incomplete = join(job.data, name, 'INCOMPLETE.txt')
    if (waiting.length === 0)
      await until(
        10,
        async () => !existsSync(incomplete),
        () => `${incomplete} is there`,
      )
    else assert.is(existsSync(incomplete), true, incomplete)
    assert.is(await job.word(did, 0), waiting.length === 0 ? 'local' : 'downloading', did)
  }
}

async function isRight(
  job: Job,
  name: string,
  file: TrueFile,
  paths: ReadonlyMap<string, string>,
  missing: Readonly<Record<string, string>>,
): Promise<void> {
  const path = paths.get(keyOf(file))
  assert.is(path, rewritten[keyOf(file)] ?? file.name)
  const there = await sumsOf(join(job.data, name, path ?? ''))
  if (missing[keyOf(file)] !== undefined) assert.is(there, undefined, `${path} has no final name`)
  else assert.is(isGood(file, there), true, `${path} of ${name}: ${JSON.stringify(there)}`)
}

function keyOf(file: { readonly scope: string; readonly name: string }): string {
  return `${file.scope}:${file.name}`
}

/** DIR/NAME/FILE; slashes of names are folders, and of a name that begins with one only its last part is left. */
function officialPath(out: string, did: string, file: string): string {
  const name = (text: string): string => text.slice(text.indexOf(':') + 1)
  const within = name(file).startsWith('/') ? basename(name(file)) : name(file)
  return join(out, name(did), within)
}

/** Its exit code tells whether everything came; what came is looked at instead. */
function download(out: string, args: readonly string[]): void {
  const done = spawnSync(
    'rucio',
    ['--legacy', 'download', '--dir', out, '--transfer-timeout', '5', ...args],
    {
      encoding: 'utf8',
      env: {
        ...process.env,
        RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/rucio-x509.cfg`,
        PYTHONWARNINGS: 'ignore',
      },
      timeout: 300_000,
      maxBuffer: 2 ** 26,
    },
  )
  if (done.error !== undefined) throw done.error
}
