// One phase of a daemon's life: its wall time, CPU and peak memory, and what clients felt meanwhile. Never judges a figure save the peak.

import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../help/daemon.ts'

/** 300 MB, as VmHWM counts. */
export const mostMib = 286

export type Row = {
  readonly label: string
  readonly seconds: number
  readonly cpu: number
  /** MiB */
  readonly peak: number
  /** ms, sorted: each GET /status of the phase */
  readonly status: readonly number[]
  /** ms, sorted: each GET of `path` */
  readonly looks: readonly number[]
}

/** @param about.path asked for every two seconds besides; none when left out */
export async function phase(
  label: string,
  about: { readonly daemon: Daemon; readonly url: string; readonly path?: string },
  work: () => Promise<void>,
): Promise<Row> {
  const { daemon, url, path } = about
  // Sets VmHWM back to what the process has now.
  writeFileSync(`/proc/${daemon.pid}/clear_refs`, '5')
  const cpu = cpuOf(daemon.pid)
  const began = performance.now()
  const waits: number[] = []
  const looks: number[] = []
  let over = false
  const asking = (async () => {
    while (!over) {
      waits.push(await timed(() => ask(url, 'GET', '/status')))
      await sleep(100)
    }
  })()
  const looking = (async () => {
    while (!over && path !== undefined) {
      for (let n = 0; n < 20 && !over; n++) await sleep(100)
      if (!over) looks.push(await timed(() => ask(url, 'GET', path)))
    }
  })()
  try {
    await work()
  } finally {
    over = true
    await Promise.all([asking, looking])
  }
  const row = {
    label,
    seconds: (performance.now() - began) / 1000,
    cpu: cpuOf(daemon.pid) - cpu,
    peak: peakOf(daemon.pid),
    status: waits.sort((a, b) => a - b),
    looks: looks.sort((a, b) => a - b),
  }
  console.error(line(row))
  return row
}

/** All rows as a Markdown table, and what is over the limit. */
export function report(
  title: string,
  rows: readonly Row[],
): { readonly text: string; readonly tooBig: boolean } {
  const text = [
    `### ${title}`,
    '',
    '| phase | s | CPU s | peak RSS MiB | GET /status p50, p99, max ms | GET /datasets/NAME, longest ms |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(line),
    '',
  ].join('\n')
  return { text, tooBig: rows.some(row => row.peak > mostMib) }
}

function line({ label, seconds, cpu, peak, status, looks }: Row): string {
  const ms = [0.5, 0.99, 1].map(share => at(status, share).toFixed(0)).join(', ')
  const over = peak > mostMib ? ' (over)' : ''
  const longest = looks.at(-1)?.toFixed(0) ?? '-'
  return `| ${label} | ${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${peak.toFixed(0)}${over} | ${ms} | ${longest} |`
}

/** @param sorted ascending */
export function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil((sorted.length - 1) * share)] ?? Number.NaN
}

/** s of user and system time so far */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}

export async function ask(url: string, method: string, path: string): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${url}${path}`, { method })
    const json = await answer.json()
    if (answer.ok) return json
    // A look that took too long goes on, and who asks again has what it found.
    if (answer.status !== 503) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`)
    await sleep(1000)
  }
}

/** Resolves when the daemon has done next to nothing for two seconds. */
export async function idle(pid: number): Promise<void> {
  for (let before = cpuOf(pid); ; ) {
    await sleep(2000)
    const now = cpuOf(pid)
    // GET /status ten times a second, which this is measured with, takes some of it.
    if (now - before < 0.2) return
    before = now
  }
}
