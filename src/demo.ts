// The demo: a practice grid on this machine, a daemon of its own, and one dataset over a bad line. Never touches what the user has:
// everything lies in one fresh temporary directory, and nothing of the user's own configuration is read.

import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Daemon, startDaemon } from './demo-daemon.ts'
import { openScreen, type Screen } from './demo-screen.ts'
import { megabytes, readSeen } from './demo-seen.ts'
import { demoCorruptFile, demoDataset, demoFaults, demoRses, demoSeed } from './practice/demo-seed.ts'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from './practice/grid.ts'
import { asObject } from './words/text.ts'

const usage = `npm run demo [-- --once] [-- --keep]

Starts a practice grid and a daemon in a temporary directory, and asks for a dataset of 12 files over a bad line.
  --once   end when all is there; exit code 0 only if every byte was right
  --keep   leave the directory where it is at the end
`
const lookMs = 250
/** With --once: a machine that needs longer has a fault worth a look. */
const patienceMs = 300_000

const did = `${demoDataset.scope}:${demoDataset.name}`
const files = demoSeed.datasets.find(each => each.name === demoDataset.name)?.files ?? []
const ending = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ending.abort())

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } },
    strict: true,
  })
  if (values.help === true) {
    process.stdout.write(usage)
    return 0
  }
  const screen = openScreen(process.stdout, Date.now)
  const dir = await mkdtemp(join(tmpdir(), 'desktop-rucio-demo-'))
  const dataDir = join(dir, 'data')
  await mkdir(dataDir)
  const grid = await startPracticeGrid({ seed: demoSeed, rses: demoRses })
  for (const rse of demoRses) await grid.setFaults(rse, demoFaults[rse])
  let daemon: Daemon | undefined
  try {
    daemon = await startDaemon(await writeConfig(dir, grid), dataDir)
    screen.say(`practice grid   ${grid.url} and ${demoRses.map(grid.rse).join(', ')}`)
    screen.say(`daemon          ${daemon.url}`)
    screen.say(`its directory   ${dataDir}\n`)
    screen.say(`POST ${daemon.url}/ds?ds_name=${did}\n`)
    const isRight = await bring(daemon, grid, dataDir, screen, values.once === true)
    if (values.once !== true) await stay(daemon, dataDir, screen)
    return isRight ? 0 : 1
  } catch (error) {
    if (ending.signal.aborted) return 130
    screen.say(`\n${error instanceof Error ? error.message : error}`)
    return 1
  } finally {
    await daemon?.stop()
    await grid.stop()
    if (values.keep === true) screen.say(`left where it is: ${dir}`)
    else await rm(dir, { recursive: true, force: true })
  }
}

/** A rucio.cfg as the official client has it. @returns its path */
async function writeConfig(dir: string, grid: PracticeGrid): Promise<string> {
  const ca = join(dir, 'practice-ca.pem')
  await writeFile(ca, grid.caPem)
  const path = join(dir, 'rucio.cfg')
  const lines = [
    '[client]',
    `rucio_host = ${grid.url}`,
    `auth_host = ${grid.url}`,
    `ca_cert = ${ca}`,
    'auth_type = userpass',
    'username = jdoe',
    'password = jdoe-secret',
    'account = jdoe',
  ]
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 })
  return path
}

/** Asks, follows, checks. @returns true when every byte lies there as the grid has it */
async function bring(
  daemon: Daemon,
  grid: PracticeGrid,
  dataDir: string,
  screen: Screen,
  isOnce: boolean,
): Promise<boolean> {
  const signal = isOnce ? AbortSignal.any([ending.signal, AbortSignal.timeout(patienceMs)]) : ending.signal
  const query = `ds_name=${encodeURIComponent(did)}`
  const startedAt = Date.now()
  await daemon.ask('POST', `/ds?${query}`, signal)
  const died = daemon.ended.then(text => {
    throw new Error(text)
  })
  let linesSaid = 0
  for (;;) {
    const look = daemon.ask('GET', `/datasets/${encodeURIComponent(did)}`, signal)
    const seen = readSeen(await Promise.race([look, died]), files)
    const log = await daemon.ask('GET', '/logs?name=rucio_downloader', signal)
    const lines = Array.isArray(log) ? log.map(String) : []
    // What it says of the whole dataset stands on the screen already.
    for (const line of lines.slice(linesSaid))
      if (!line.includes(demoDataset.name)) screen.say(`log: ${line.trimEnd().replace(/^\S+Z /, '')}`)
    linesSaid = lines.length
    screen.show(seen)
    if (seen.state === 'whole') break
    await Promise.race([sleep(lookMs, undefined, { signal }), died])
  }
  screen.settle()
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  const { status, filelist } = asObject(await daemon.ask('GET', `/ds?${query}`, signal)) ?? {}
  const paths = Array.isArray(filelist) ? filelist.map(String) : []
  screen.say(`\nGET /ds says ${status} after ${seconds} s, with ${paths.length} files.`)
  tellTroubles(grid, screen)
  let right = 0
  for (const file of files) {
    const path = paths.find(each => each.endsWith(`/${file.name}`))
    const wrong = path === undefined ? 'is not in the filelist' : await wrongWith(file, join(dataDir, path))
    if (wrong === undefined) right += 1
    else screen.say(`${file.name} ${wrong}`)
  }
  screen.say(
    `Read back and compared with the grid, byte for byte: ${right} of ${files.length} files are right.`,
  )
  return status === 'local' && paths.length === files.length && right === files.length
}

/** What the grid itself counted: how often it cut the line, and what it had to send again. */
function tellTroubles(grid: PracticeGrid, screen: Screen): void {
  const sent = grid.sent()
  const bytes = sent.reduce((sum, { from, to }) => sum + to - from, 0)
  const total = files.reduce((sum, file) => sum + file.bytes, 0)
  for (const rse of demoRses) {
    const here = sent.filter(each => each.rse === rse).reduce((sum, { from, to }) => sum + to - from, 0)
    screen.say(`  ${rse} sent ${megabytes(here)} and cut ${grid.cuts(rse)} connections in mid-file`)
  }
  const [north] = demoRses
  const bad = sent.filter(each => each.rse === north && each.did.endsWith(`:${demoCorruptFile}`))
  const badBytes = bad.reduce((sum, { from, to }) => sum + to - from, 0)
  if (badBytes > 0)
    screen.say(`  ${north} sent ${megabytes(badBytes)} of a copy of ${demoCorruptFile} that has a wrong byte`)
  screen.say(`  ${megabytes(bytes)} came over the line for ${megabytes(total)} of data`)
}

async function wrongWith(file: SeedFile, path: string): Promise<string | undefined> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    if (size !== file.bytes) return `has ${size} bytes in place of ${file.bytes}`
    const slice = Buffer.alloc(2 ** 20)
    for (let at = 0; at < file.bytes; ) {
      const { bytesRead } = await handle.read(slice, 0, slice.length, at)
      if (bytesRead === 0 || !slice.subarray(0, bytesRead).equals(bytesOf(file, at, at + bytesRead)))
        return `differs between bytes ${at} and ${at + bytesRead}`
      at += bytesRead
    }
    return undefined
  } finally {
    await handle.close()
  }
}

async function stay(daemon: Daemon, dataDir: string, screen: Screen): Promise<void> {
  const other = demoSeed.datasets.find(each => each.name !== demoDataset.name && each.files.length > 0)
  const container = demoSeed.containers[0]
  screen.say(`
The files lie in
  ${join(dataDir, demoDataset.name)}

Try, in another terminal:
  curl '${daemon.url}/ds?ds_name=${demoDataset.name}'
  curl -X POST '${daemon.url}/ds?ds_name=${other?.name}'
  curl '${daemon.url}/dsfiles?ds_name=${container?.name}&wait=10'
  curl '${daemon.url}/datasets'
  curl -X DELETE '${daemon.url}/ds?ds_name=${demoDataset.name}'
  touch '${join(dataDir, 'watch', `${other?.name}`)}'

Ctrl-C ends the grid and the daemon, and removes the directory.`)
  await Promise.race([
    daemon.ended.then(text => {
      // After Ctrl-C it is meant to end.
      if (!ending.signal.aborted) screen.say(text)
    }),
    new Promise<void>(resolve => ending.signal.addEventListener('abort', () => resolve(), { once: true })),
  ])
}
