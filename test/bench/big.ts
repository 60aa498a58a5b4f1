// What a container of 2,000 datasets and 200,000 files costs, phase by phase: the peak of the daemon's memory, and how long GET /status
// takes meanwhile. The daemon is the process that users have. Exit code 1 when a peak is over 300 MB.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Daemon, startDaemon } from '../help/daemon.ts'
import { practiceEnv } from '../help/practice-env.ts'
import {
  fetchedOf,
  isQueued,
  isThere,
  layDown,
  makeForeign,
  makeStale,
  touchAll,
  verifiedOf,
} from './big-lay.ts'
import { ask, idle, mostMib, phase, type Row, report } from './big-phase.ts'
import { container, scope } from './big-seed.ts'

const datasets = Number(process.env['BIG_DATASETS'] ?? 2000)
const filesEach = Number(process.env['BIG_FILES'] ?? 100)
/** so many come over the wire: at the start, over a half, and at the end */
const fetched = Number(process.env['BIG_FETCHED'] ?? 500)
const total = datasets * filesEach
const ds = `/ds?ds_name=${scope}:${container}`
const longest = 1_800_000

const place = mkdtempSync(join(tmpdir(), 'desktop-rucio-big-'))
const data = join(place, 'data')
mkdirSync(data)
const server = fork(
  fileURLToPath(new URL('big-server.js', import.meta.url)),
  [String(datasets), String(filesEach)],
  { execArgv: [] },
)
const rows: Row[] = []
// Then the daemon that it started ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const said: string[] = []
try {
  const [grid] = (await once(server, 'message')) as [{ url: string; caPem: string }]
  const env = await practiceEnv(grid, place)
  await life('', env, begin)
  layDown(data, total / 2, filesEach)
  await life('half of it', env, half)
  layDown(data, total - fetched, filesEach)
  await life(`${verifiedOf(data)} files`, env, end)
  await life('the whole', env, questions)
  makeStale(data)
  await life('the whole, of an old listing', env, anew)
  touchAll(data, total, filesEach)
  await life('', env, doubt)
  makeForeign(data)
  await life('', env, foreign)
} finally {
  server.disconnect()
  rmSync(place, { recursive: true, force: true })
  const { text, tooBig } = report(`big: ${datasets} datasets, ${total} files`, rows)
  console.log([text, ...said, ''].join('\n'))
  if (tooBig) {
    console.error(`A peak is over ${mostMib} MiB.`)
    process.exitCode = 1
  }
}

type Step = (label: string, work: () => Promise<void>) => Promise<void>

/** One process of the daemon, from its start to SIGTERM. */
async function life(
  over: string,
  env: Readonly<Record<string, string>>,
  steps: (step: Step, url: string, daemon: Daemon) => Promise<void>,
): Promise<void> {
  const daemon = startDaemon({ data, env })
  const url = await daemon.ready
  const looks = `/datasets/${container}`
  await steps(
    async (label, work) => {
      rows.push(
        await phase(label, { daemon, url, ...(label.startsWith('GET') ? {} : { path: looks }) }, work),
      )
    },
    url,
    daemon,
  )
  const { ms } = await daemon.end()
  if (over !== '')
    said.push(`Over ${over}: at work after ${daemon.readyMs()?.toFixed(0)} ms, ended in ${ms.toFixed(0)} ms.`)
}

async function begin(step: Step, url: string): Promise<void> {
  await step('listing', async () => {
    await ask(url, 'POST', ds)
    await until(() => isThere(data, 'listing.jsonl'))
  })
  await step(`the first ${fetched} files`, () => until(() => verifiedOf(data) >= fetched))
}

async function half(step: Step): Promise<void> {
  const before = verifiedOf(data)
  await step(`start over ${before} files`, () => until(() => verifiedOf(data) > before))
  await step(`${fetched} files more`, () => until(() => verifiedOf(data) >= before + fetched))
}

async function end(step: Step, _: string, daemon: Daemon): Promise<void> {
  const before = verifiedOf(data)
  await step(`start over ${before} files`, () => until(() => verifiedOf(data) > before))
  await step(`the last ${total - before} files, complete`, () => until(() => isThere(data, 'complete')))
  await step('at rest after it', () => idle(daemon.pid))
}

async function questions(step: Step, url: string, daemon: Daemon): Promise<void> {
  await step('start over the whole, audit, at rest', () => idle(daemon.pid))
  await step('GET /ds, the whole', async () => {
    const { filelist, status } = (await ask(url, 'GET', ds)) as { status: string; filelist: unknown[] }
    if (status !== 'local' || filelist.length !== total)
      throw new Error(`${status}, ${filelist.length} files`)
  })
  await step('GET /dsfiles, the whole', async () => {
    const { files, status } = (await ask(url, 'GET', ds.replace('/ds', '/dsfiles'))) as {
      status: string
      files: unknown[]
    }
    if (status !== 'OK' || files.length !== total) throw new Error(`${status}, ${files?.length} files`)
  })
  await step('GET /datasets', async () => void (await ask(url, 'GET', '/datasets')))
  await step('GET /datasets/NAME', async () => {
    const { datasets: members } = (await ask(url, 'GET', `/datasets/${container}`)) as { datasets: unknown[] }
    if (members.length !== datasets) throw new Error(`${members.length} datasets of it`)
  })
}

async function anew(step: Step, url: string, daemon: Daemon): Promise<void> {
  await idle(daemon.pid)
  const before = fetchedOf(data)
  await step('listed again, whole', async () => {
    await ask(url, 'POST', ds)
    await until(() => fetchedOf(data) !== before)
    await until(() => !isQueued(data))
  })
}

/** The audit reads each of them, and writes a new line. */
async function doubt(step: Step): Promise<void> {
  const before = verifiedOf(data)
  await step('audit, each file in doubt and read', () => until(() => verifiedOf(data) >= before + total))
}

async function foreign(step: Step): Promise<void> {
  await step('a folder from elsewhere, each file read', () => until(() => isThere(data, 'complete')))
}

async function until(look: () => boolean): Promise<void> {
  const end = performance.now() + longest
  while (!look()) {
    if (performance.now() > end) {
      const log = readFileSync(join(data, '.rucio', 'logs', 'rucio_downloader.log'), 'utf8')
      throw new Error(log.split('\n').slice(-5).join('\n'))
    }
    await sleep(200)
  }
}
