// The slow look at whole datasets: are they still? What is in doubt is read, what is harmed in two looks is asked for again.
// Never touches a dataset of another data directory, or one that a request in requests/ speaks of.

import { createHash } from 'node:crypto'
import { readSums } from '../disk/adopt.ts'
import { isRight, verifiedLine } from '../disk/finish.ts'
import { layout, type Root } from '../disk/layout.ts'
import { isVerifiedHere, VerifiedLog } from '../disk/lines.ts'
import { ListingFile } from '../disk/listing-file.ts'
import { compare, type Harm } from '../disk/proof.ts'
import { remove } from '../disk/put.ts'
import { names, readRecord, statRegular } from '../disk/read.ts'
import { type Bits, emptyBits } from '../words/bits.ts'
import type { ListingHead } from '../words/listing.ts'
import { isComponent } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import { readComplete } from '../words/verified.ts'
import { askForRepair } from './act-requests.ts'
import type { Daemon } from './daemon.ts'

/** While files in doubt are read, a request for their dataset is looked for so often. */
const lookAgainMs = 1000

export type AuditTimes = {
  /** between two full audits */
  readonly everyMs: number
  /** harm counts when it is seen again so much later (DESIGN.md, The loop) */
  readonly secondLookMs: number
  /** between two datasets of one audit, so that it never fills a disk's queue */
  readonly pauseMs: number
}

export const auditTimes: AuditTimes = { everyMs: 6 * 3_600_000, secondLookMs: 600_000, pauseMs: 20 }

type Found = {
  readonly head: ListingHead
  readonly harmed: number
  /** the same for the same harm: a sum of which file has which */
  readonly harm: string
  /** numbers of the lines whose files are to be read */
  readonly doubts: Bits
  /** paths of those for which the catalogue has no adler32: the line of before says what they should be */
  readonly unsummed: ReadonlySet<string>
}

export type Audit = {
  /** Looks at every dataset once; ends early when `signal` fires. @returns NAMEs that are harmed */
  run(signal: AbortSignal): Promise<readonly string[]>
  /** Goes on for ever: at the start, then every everyMs, the harmed ones again after secondLookMs. */
  goOn(signal: AbortSignal): Promise<void>
}

export function openAudit(daemon: Daemon, times: AuditTimes): Audit {
  /** NAME -> the harm of the first look */
  const firstLooks = new Map<string, { readonly at: number; readonly harm: string }>()

  async function run(signal: AbortSignal): Promise<readonly string[]> {
    const harmed: string[] = []
    for (const name of await names(daemon.root.dir)) {
      if (signal.aborted) break
      if (!isComponent(name)) continue
      try {
        if (await auditOne(name, signal)) harmed.push(name)
      } catch (error) {
        if (signal.aborted) break
        daemon.log(
          'rucio_downloader',
          `audit of ${name}: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
      await pause(times.pauseMs, signal)
    }
    return harmed
  }

  async function auditOne(name: string, signal: AbortSignal): Promise<boolean> {
    const { root, world } = daemon
    if (!(await isFinished(daemon, name))) return false
    let found = await harmOf(root, name)
    if (found !== undefined && found.doubts.count > 0) {
      await readDoubts(daemon, name, found, signal)
      found = await harmOf(root, name)
    }
    if (found === undefined) return false
    if (found.harmed === 0) {
      firstLooks.delete(name)
      // A kill between the request's move and this leaves it behind.
      await remove(root, layout.incomplete(root, name))
      return false
    }
    const { harm, harmed, head } = found
    const first = firstLooks.get(name)
    // A first look that lies in the future was made before the clock was set back.
    if (first === undefined || first.harm !== harm || first.at > world.now()) {
      firstLooks.set(name, { at: world.now(), harm })
      daemon.changed(name)
      return true
    }
    if (world.now() - first.at < times.secondLookMs) return true
    firstLooks.delete(name)
    if (!(await isFinished(daemon, name))) return false
    await askForRepair(daemon, name, head.length - harmed, head.length)
    daemon.changed(name)
    return false
  }

  async function goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let harmed: readonly string[] = []
      try {
        harmed = await run(signal)
      } catch (error) {
        // DATA itself could not be read; the loop says so, and the next audit looks again.
        daemon.log('rucio_downloader', `audit: ${error instanceof Error ? error.message : String(error)}`)
      }
      await pause(harmed.length > 0 ? Math.min(times.secondLookMs + 1, times.everyMs) : times.everyMs, signal)
    }
  }

  return { run, goOn }
}

/** Was it whole once, here, with nothing in requests/ that works on it? */
async function isFinished(daemon: Daemon, name: string): Promise<boolean> {
  const { root } = daemon
  try {
    if ((await statRegular(root, layout.request(root, name))) !== undefined) return false
    if ((await readRecord(root, layout.complete(root, name), readComplete)) === undefined) return false
    return await isVerifiedHere(root, name)
  } catch (error) {
    // A file or a link of the user's with no records in it is none of ours.
    if (error instanceof Trouble) return false
    throw error
  }
}

/** @returns undefined for what is not listed */
async function harmOf(root: Root, name: string): Promise<Found | undefined> {
  const sum = createHash('sha256')
  const doubts = emptyBits()
  const unsummed = new Set<string>()
  let number = 0
  let harmed = 0
  const head = await compare(root, name, (line, kind) => {
    const mine = number++
    if (kind === undefined) return
    harmed++
    sum.update(`${kind} ${line.path}\n`)
    if (!isDoubt(kind)) return
    doubts.set(mine)
    if (line.adler32 === undefined) unsummed.add(line.path)
  })
  return head === undefined ? undefined : { head, harmed, harm: sum.digest('hex'), doubts, unsummed }
}

/** Right size and another mtime, or no line: the file is read; when its bytes are right it gets a new line. */
async function readDoubts(daemon: Daemon, name: string, found: Found, signal: AbortSignal): Promise<void> {
  const listing = await ListingFile.open(daemon.root, name)
  if (listing === undefined) return
  try {
    const log = await VerifiedLog.open(daemon.root, name, found.unsummed)
    try {
      await readEach({ daemon, name, log, listing, doubts: found.doubts }, signal)
      await log.sync()
    } finally {
      await log.close()
    }
  } finally {
    await listing.close()
  }
}

async function readEach(
  by: {
    readonly daemon: Daemon
    readonly name: string
    readonly log: VerifiedLog
    readonly listing: ListingFile
    readonly doubts: Bits
  },
  signal: AbortSignal,
): Promise<void> {
  const { daemon, name, log, listing, doubts } = by
  const { root, world } = daemon
  let number = 0
  let lookedAt = Number.NEGATIVE_INFINITY
  for await (const lines of listing.lines())
    for (const line of lines) {
      if (signal.aborted) return
      if (!doubts.has(number++)) continue
      const sums = await readSums(root, layout.file(root, name, line.path), signal)
      const adler32 = line.adler32 ?? log.lines.get(line.path)?.adler32
      if (sums === undefined || sums.bytes !== line.bytes) continue
      // Reading takes a while: who has been asked for it meanwhile writes its lines.
      if (performance.now() - lookedAt > lookAgainMs) {
        if (!(await isFinished(daemon, name))) return
        lookedAt = performance.now()
      }
      if (!isRight(adler32 === undefined ? line : { ...line, adler32 }, sums)) continue
      const md5 = line.md5 === undefined ? undefined : sums.md5
      await log.append(verifiedLine({ line, adler32: sums.adler32, md5, stat: sums, now: world.now() }))
    }
}

function isDoubt(kind: Harm['kind']): boolean {
  return kind === 'mtime' || kind === 'unproved'
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return
  await new Promise<void>(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(ms, 2 ** 31 - 1))
    signal.addEventListener('abort', end)
  })
}
