// What it costs to have us running with nothing to do, over 1,000 whole datasets, beside other daemons that wait for orders. The counters
// are the kernel's, of every thread; nothing is asked of a daemon while it is measured.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { variable } from '../grid/seeded.ts'
import { startDaemon } from '../help/daemon.ts'
import { sweep } from '../help/data.ts'
import { didOf, openData, putWhole } from '../help/dataset.ts'

const settleMs = Number(process.env['SETTLE'] ?? 60) * 1000
const windowMs = Number(process.env['SECONDS'] ?? 120) * 1000
const datasets = 1000
const filesEach = 3
/** clock ticks a second in /proc/PID/stat: 100 on Linux, whatever the kernel's own timer is */
const ticks = 100

type Counters = { readonly cpuMs: number; readonly switches: number }

const root = await openData()
for (let i = 0; i < datasets; i++) await putWhole(root, didOf(`user.jdoe:user.jdoe.idle.${i}`), filesEach)
const scratch = mkdtempSync(join(tmpdir(), 'desktop-rucio-idle-'))
const others: ChildProcess[] = []

const daemon = startDaemon({
  data: root.dir,
  env: { RUCIO_CONFIG: variable('RUCIO_CONFIG'), X509_CERT_DIR: variable('X509_CERT_DIR') },
})
const url = await daemon.ready
await mustBeLocal()
const pids = new Map([['desktop-rucio, 1,000 whole datasets', daemon.pid]])
if (has('aria2c'))
  run('aria2c --enable-rpc', [
    'aria2c',
    '-q',
    '--enable-rpc',
    `--rpc-listen-port=${await freePort()}`,
    '-d',
    scratch,
  ])
if (has('transmission-daemon'))
  run('transmission-daemon', [
    ...['transmission-daemon', '-f', '-g', join(scratch, 'transmission'), '-w', scratch, '--log-error'],
    ...['-p', String(await freePort()), '-P', String(await freePort())],
    ...['-r', '127.0.0.1', '-i', '127.0.0.1', '--no-portmap', '--no-dht', '--no-lpd', '--no-utp'],
  ])

await sleep(settleMs)
const before = new Map([...pids].map(([label, pid]) => [label, countersOf(pid)]))
await sleep(windowMs)
const rows = [...pids].map(([label, pid]) => {
  const [from, to] = [before.get(label), countersOf(pid)]
  if (from === undefined) throw new Error(`nothing of ${label}`)
  const minutes = windowMs / 60_000
  const cpu = ((to.cpuMs - from.cpuMs) / minutes).toFixed(0)
  return `| ${label} | ${cpu} | ${((to.switches - from.switches) / minutes).toFixed(0)} | ${residentMiB(pid)} |`
})
await mustBeLocal()
console.log(
  [
    `### idle, ${settleMs / 1000} s after the start, over ${windowMs / 1000} s`,
    '',
    '| daemon | CPU ms a minute | wake-ups a minute | RSS MiB |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n'),
)

for (const each of others) each.kill('SIGKILL')
await daemon.end()
rmSync(scratch, { recursive: true, force: true })
await sweep()

function run(label: string, [program = '', ...args]: readonly string[]): void {
  const child = spawn(program, args, { stdio: 'ignore' })
  others.push(child)
  if (child.pid !== undefined) pids.set(label, child.pid)
}

/** It must be at work on what it is said to hold, or its idleness is worth nothing. */
async function mustBeLocal(): Promise<void> {
  const answer = await fetch(`${url}/ds?ds_name=user.jdoe.idle.${datasets - 1}`)
  const { status } = (await answer.json()) as { readonly status: string }
  if (status !== 'local') throw new Error(`its last dataset is ${status}`)
}

/** CPU time and voluntary switches (each is a sleep that ended) of all threads that live. */
function countersOf(pid: number): Counters {
  let [cpuMs, switches] = [0, 0]
  // Behind the name, which may hold anything, stand the fields from the third on; 14 and 15 are user and system time, threads included.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  cpuMs = ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
    switches += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
  }
  return { cpuMs, switches }
}

function residentMiB(pid: number): string {
  const kib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return (kib / 1024).toFixed(0)
}

function has(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}
