// What a container of 2,000 datasets and 200,000 files costs: the peak of the daemon's memory while it is listed, while its first files
// come, with nearly all of them there, and how long GET /status takes meanwhile. The daemon is the process that users have.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bytesOf } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { type Daemon, startDaemon } from '../help/daemon.ts'
import { practiceEnv } from '../help/practice-env.ts'
import { bigFile, container, fileBytes, scope } from './big-seed.ts'

const datasets = Number(process.env['BIG_DATASETS'] ?? 2000)
const filesEach = Number(process.env['BIG_FILES'] ?? 100)
/** as many come over the wire before the rest is laid down by hand; as many again at the end */
const fetched = Number(process.env['BIG_FETCHED'] ?? 3000)
const total = datasets * filesEach

const place = mkdtempSync(join(tmpdir(), 'desktop-rucio-big-'))
const data = join(place, 'data')
mkdirSync(data)
const server = fork(
  fileURLToPath(new URL('big-server.js', import.meta.url)),
  [String(datasets), String(filesEach)],
  { execArgv: [] },
)
const rows: string[] = []
try {
  const [grid] = (await once(server, 'message')) as [{ url: string; caPem: string }]
  const env = await practiceEnv(grid, place)
  await first(startDaemon({ data, env }))
  layDown()
  await second(startDaemon({ data, env }))
  const head = [
    '| phase | s | CPU s | peak RSS MiB | GET /status p50, p99, max ms | GET /datasets/NAME ms |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  console.log([`### big: ${datasets} datasets, ${total} files`, '', ...head, ...rows, ''].join('\n'))
} finally {
  server.disconnect()
  rmSync(place, { recursive: true, force: true })
}

async function first(daemon: Daemon): Promise<void> {
  const url = await daemon.ready
  await phase('listing', daemon, url, async () => {
    await ask(url, 'POST', `/ds?ds_name=${scope}:${container}`)
    await until(async () => sizeOf(join(data, container, '.rucio', 'listing.jsonl')) > 0)
  })
  await phase(`the first ${fetched} files`, daemon, url, () => until(async () => verified() >= fetched))
  await daemon.end()
}

async function second(daemon: Daemon): Promise<void> {
  const url = await daemon.ready
  const before = verified()
  await phase(`start over ${before} files`, daemon, url, () => until(async () => verified() > before))
  await phase(`the last ${total - before} files`, daemon, url, () =>
    until(async () => sizeOf(join(data, container, '.rucio', 'complete')) > 0),
  )
  await phase('GET /ds, whole', daemon, url, async () => {
    const { filelist, status } = (await ask(url, 'GET', `/ds?ds_name=${scope}:${container}`)) as {
      readonly status: string
      readonly filelist: readonly string[]
    }
    if (status !== 'local' || filelist.length !== total)
      throw new Error(`${status}, ${filelist.length} files`)
  })
  await daemon.end()
}

/** One row: peak of the process's memory and what clients felt while `work` ran. */
async function phase(label: string, daemon: Daemon, url: string, work: () => Promise<void>): Promise<void> {
  // Sets VmHWM back to what the process has now.
  writeFileSync(`/proc/${daemon.pid}/clear_refs`, '5')
  const cpu = cpuOf(daemon.pid)
  const began = performance.now()
  const waits: number[] = []
  let looks: number[] = []
  let over = false
  const asking = (async () => {
    for (let n = 0; !over; n++) {
      waits.push(await timed(() => ask(url, 'GET', '/status')))
      if (n % 20 === 19) looks.push(await timed(() => ask(url, 'GET', `/datasets/${container}`)))
      await sleep(100)
    }
  })()
  try {
    await work()
  } finally {
    over = true
    await asking
  }
  const sorted = waits.sort((a, b) => a - b)
  looks = looks.sort((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const row = `| ${label} | ${seconds} | ${(cpuOf(daemon.pid) - cpu).toFixed(1)} | ${peakOf(daemon.pid)} | ${at(0.5)}, ${at(0.99)}, ${at(1)} | ${looks.at(-1)?.toFixed(0) ?? '-'} |`
  console.error(row)
  rows.push(row)
}

/** The rest as an earlier run would have left it, save the last files: bytes under their names, and their verified lines. */
function layDown(): void {
  const log = join(data, container, '.rucio', 'verified.jsonl')
  const there = new Set(
    readFileSync(log, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap(line => /"path":"([^"]+)"/.exec(line)?.[1] ?? []),
  )
  const lines: string[] = []
  const now = new Date().toISOString()
  for (let n = 0; n < total - fetched; n++) {
    const file = bigFile(Math.floor(n / filesEach), n % filesEach)
    if (there.has(file.name)) continue
    const bytes = bytesOf(file, 0, fileBytes)
    writeFileSync(join(data, container, file.name), bytes)
    const sum = printAdler32(adler32(1, bytes))
    lines.push(JSON.stringify({ path: file.name, bytes: fileBytes, adler32: sum, mtime: now, at: now }))
  }
  writeFileSync(log, lines.map(line => `${line}\n`).join(''), { flag: 'a' })
}

function verified(): number {
  try {
    return readFileSync(join(data, container, '.rucio', 'verified.jsonl')).reduce(
      (sum, byte) => (byte === 10 ? sum + 1 : sum),
      -1,
    )
  } catch {
    // Not there yet.
    return 0
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakOf(pid: number): string {
  const kib = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return (kib / 1024).toFixed(0)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

async function ask(url: string, method: string, path: string): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, { method })
  return await answer.json()
}

async function until(look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 900_000
  while (!(await look())) {
    if (performance.now() > end) {
      const log = await readFile(join(data, '.rucio', 'logs', 'rucio_downloader.log'), 'utf8')
      throw new Error(log.split('\n').slice(-5).join('\n'))
    }
    await sleep(200)
  }
}
