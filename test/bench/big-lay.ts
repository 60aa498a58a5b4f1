// The big container's files as an earlier run would have left them: bytes under their names, and their verified lines. What a user or
// another program does to them by hand. Never touches a daemon's memory; it runs while none is at work.

import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesOf } from '../../src/practice/grid.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { bigFile, container, fileBytes } from './big-seed.ts'

/** The first `count` files, save those that are there. */
export function layDown(data: string, count: number, filesEach: number): void {
  const log = recordOf(data, 'verified.jsonl')
  const there = new Set(
    readFileSync(log, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap(line => /"path":"([^"]+)"/.exec(line)?.[1] ?? []),
  )
  const lines: string[] = []
  const now = new Date(Math.floor(Date.now() / 1000) * 1000)
  for (let n = 0; n < count; n++) {
    const file = bigFile(Math.floor(n / filesEach), n % filesEach)
    if (there.has(file.name)) continue
    const bytes = bytesOf(file, 0, fileBytes)
    const path = join(data, container, file.name)
    writeFileSync(path, bytes)
    utimesSync(path, now, now)
    const sum = printAdler32(adler32(1, bytes))
    lines.push(
      JSON.stringify({
        path: file.name,
        bytes: fileBytes,
        adler32: sum,
        mtime: now.toISOString(),
        at: now.toISOString(),
      }),
    )
  }
  writeFileSync(log, lines.map(line => `${line}\n`).join(''), { flag: 'a' })
}

/** All files get a time that no line knows: each is in doubt, and has to be read. */
export function touchAll(data: string, count: number, filesEach: number): void {
  const then = Date.now() / 1000 - 3600
  for (let n = 0; n < count; n++) {
    const { name } = bigFile(Math.floor(n / filesEach), n % filesEach)
    utimesSync(join(data, container, name), then, then)
  }
}

/** As if the folder had come from elsewhere and were asked for: files, and nothing that says that they were verified here. */
export function makeForeign(data: string): void {
  rmSync(recordOf(data, 'verified.jsonl'))
  rmSync(recordOf(data, 'complete'), { force: true })
  // It lies there already while the audit has the files read again.
  if (isThere(data, 'request.json'))
    renameSync(recordOf(data, 'request.json'), join(data, 'requests', `${container}.json`))
}

/** The listing as if it had been fetched two hours ago. */
export function makeStale(data: string): void {
  const path = recordOf(data, 'listing.jsonl')
  const text = readFileSync(path, 'utf8')
  const then = new Date(Date.now() - 7_200_000).toISOString()
  writeFileSync(path, text.replace(/"fetched":"[^"]+"/, `"fetched":"${then}"`))
}

/** When the listing was fetched, as it says. */
export function fetchedOf(data: string): string {
  return /"fetched":"([^"]+)"/.exec(headOf(data, 'listing.jsonl'))?.[1] ?? ''
}

function headOf(data: string, record: string): string {
  return readFileSync(recordOf(data, record)).subarray(0, 4096).toString().split('\n')[0] ?? ''
}

/** Lines of verified.jsonl, its head not counted. */
export function verifiedOf(data: string): number {
  try {
    const bytes = readFileSync(recordOf(data, 'verified.jsonl'))
    let count = -1
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
    return count
  } catch {
    // Not there yet.
    return 0
  }
}

/** Does a question for its listing wait? */
export function isQueued(data: string): boolean {
  return (
    statSync(join(data, '.rucio', 'catalogue', `${container}.queued`), { throwIfNoEntry: false }) !==
    undefined
  )
}

export function isThere(data: string, record: string): boolean {
  return (statSync(recordOf(data, record), { throwIfNoEntry: false })?.size ?? 0) > 0
}

function recordOf(data: string, record: string): string {
  return join(data, container, '.rucio', record)
}
