// Archives of which members are wanted: each is fetched once into the parts of its dataset, its members are read from there, and it goes
// when none of them is missing any more. Never gives an archive a final name, and never judges a member (verify.ts does).

import { createHash } from 'node:crypto'
import { gapsOf } from '../decide/ranges.ts'
import { dropPart } from '../disk/finish.ts'
import { layout } from '../disk/layout.ts'
import { Part } from '../disk/part.ts'
import { openRegular } from '../disk/read.ts'
import { freeBytes } from '../disk/root.ts'
import { orAbort } from '../outside/abort.ts'
import { readFullDid } from '../words/names.ts'
import { Trouble, toTrouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import { findArchive, placeInStorage } from './archive-find.ts'
import { dropSuspect, type Job, type Place } from './file.ts'
import type { Filler } from './filler.ts'
import { bringAll } from './lanes.ts'
import { Miss } from './miss.ts'
import { pourStream } from './pour.ts'
import { type Means, openTry, type Try } from './try.ts'
import { verify } from './verify.ts'
import { Damaged, openZip, type Zip } from './zip.ts'

type Opened = {
  readonly zip: Zip
  readonly close: () => Promise<void>
  /** names of members that are wanted still */
  readonly left: Set<string>
  /** it has the checksum that the catalogue gives: bringing it again would bring the same */
  readonly isProven: boolean
}

type Entry = {
  readonly name: string
  /** its part's name below parts/ */
  readonly path: string
  readonly controller: AbortController
  readonly opened: Promise<Opened>
  /** once it is */
  ready: Opened | undefined
  users: number
  /** a member is damaged, and it may be our copy that is: it goes with its last user, so that the next one fetches it anew */
  isSpoiled: boolean
  idle: NodeJS.Timeout | undefined
}

// Open so long after the last use: the members of a dataset come one after the other.
const idleMs = 10_000

export class Archives {
  readonly #place: Place
  readonly #means: Means
  readonly #entries = new Map<string, Entry>()

  constructor(place: Place, means: Means) {
    this.#place = place
    this.#means = means
  }

  /** The bytes of the claim out of the member of that archive; it is fetched first if need be, by whoever comes first.
   *  @throws Miss; Trouble that is our own (disk, no network, the catalogue); the reason of `signal` */
  async extract(job: Job, replica: Replica, filler: Filler, signal: AbortSignal): Promise<void> {
    const entry = this.#entryOf(job, replica)
    clearTimeout(entry.idle)
    entry.users += 1
    try {
      const { zip } = await orAbort(entry.opened, signal)
      const stream = await zip.read(memberOf(job, replica), job.line.bytes, signal)
      if (!(await pourStream(stream, filler, signal)))
        throw new Trouble('corrupt', `the archive's member ${job.line.did} ends before its time`)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Damaged && entry.ready?.isProven === false) entry.isSpoiled = true
      throw toMiss(error)
    } finally {
      entry.users -= 1
      if (entry.users === 0) await (entry.isSpoiled ? this.#drop(entry) : this.#rest(entry, signal.aborted))
    }
  }

  /** A file has its final name, by whatever way. An archive of which nothing more is wanted goes. */
  async finished(name: string, did: string): Promise<void> {
    for (const entry of [...this.#entries.values()]) {
      if (entry.name !== name) continue
      // One that is being fetched has somebody who waits for it.
      if (entry.ready === undefined) continue
      entry.ready.left.delete(readFullDid(did)?.name ?? did)
      if (entry.ready.left.size === 0 && entry.users === 0) await this.#drop(entry)
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(entry => this.#shut(entry)))
  }

  #entryOf(job: Job, replica: Replica): Entry {
    const hash = createHash('sha256').update(placeInStorage(replica)).digest('hex').slice(0, 16)
    // No file's path begins so (words/names.ts): it meets none of theirs.
    const path = `~zip.${hash}`
    const key = `${job.name}/${path}`
    const there = this.#entries.get(key)
    if (there !== undefined) return there
    const controller = new AbortController()
    const opened = this.#open(job, replica, path, controller.signal)
    const entry: Entry = {
      name: job.name,
      path,
      controller,
      opened,
      ready: undefined,
      users: 0,
      isSpoiled: false,
      idle: undefined,
    }
    this.#entries.set(key, entry)
    opened.then(
      ready => {
        entry.ready = ready
      },
      () => {
        // Whoever waits for it is told; the next one begins anew.
        if (this.#entries.get(key) === entry) this.#entries.delete(key)
      },
    )
    return entry
  }

  async #open(job: Job, replica: Replica, path: string, signal: AbortSignal): Promise<Opened> {
    const { root } = this.#place
    const { line, config } = job
    const archive = await findArchive(
      {
        means: this.#means,
        replica,
        did: line.did,
        plainData: config.plain_data,
        replicasOf: job.replicasOf,
      },
      signal,
    )
    await this.#fetch(job, archive, path, signal)
    const handle = await openRegular(root, layout.part(root, job.name, path))
    if (handle === undefined) throw new Trouble('disk_error', `the archive ${archive.did} has gone`)
    try {
      const wanted = new Set([memberOf(job, replica)])
      for await (const did of job.unfinished()) wanted.add(readFullDid(did)?.name ?? did)
      const zip = await openZip(handle.fd, name => wanted.has(name))
      const isProven = archive.adler32 !== undefined
      return { zip, left: new Set(zip.members), isProven, close: () => handle.close() }
    } catch (error) {
      await handle.close()
      // What is no archive is fetched anew the next time.
      if (error instanceof Trouble && error.reason === 'corrupt') await dropPart(root, job.name, path)
      throw error
    }
  }

  /** Until all of it lies in its part, synced and counted, and is what the catalogue promises where it promises anything. */
  async #fetch(job: Job, archive: FileReplicas, path: string, signal: AbortSignal): Promise<void> {
    const { root, known, guard } = this.#place
    const { did, bytes } = archive
    const line = { did, path, bytes }
    const part = await Part.open({ root, name: job.name, line, known, guard, tell: this.#means.tell }, signal)
    try {
      if (gapsOf(part.ranges, bytes).length > 0) {
        const have = part.ranges.reduce((sum, { from, to }) => sum + to - from, 0)
        await this.#mustFit(job, did, bytes - have)
        this.#means.tell(`${job.line.did}: its archive ${did} is fetched, ${bytes - have} of ${bytes} bytes`)
      }
      const of = tryOf(job, archive, part, this.#means)
      for (;;) {
        try {
          await bringAll(of, signal)
        } finally {
          if (part.unsyncedBytes > 0) await part.checkpoint()
        }
        if (gapsOf(part.ranges, bytes).length > 0)
          throw of.troubles.at(-1) ?? new Trouble('host_down', `every storage that has ${did} is left alone`)
        // Where the catalogue has no checksum of it those of the members must do.
        if (archive.adler32 === undefined) return
        const promised = { ...line, adler32: archive.adler32 }
        const verdict = await verify(of, { root, name: job.name, line: promised }, signal)
        if (verdict.kind === 'right') return
        await dropSuspect(of, verdict)
      }
    } finally {
      await part.close()
    }
  }

  /** The loop reckons with the file alone: the archive beside it is looked at here. */
  async #mustFit({ line, config }: Job, did: string, bytes: number): Promise<void> {
    const free = await freeBytes(this.#place.root)
    if (free - config.reserve_bytes >= bytes + line.bytes) return
    throw new Trouble(
      'disk_full',
      `the archive ${did} needs ${bytes} bytes beside its member, and ${Math.max(0, free - config.reserve_bytes)} are free`,
    )
  }

  /** Nobody reads in it now. @param stopped by whom nobody wants the rest of it, as far as we know */
  async #rest(entry: Entry, stopped: boolean): Promise<void> {
    if (stopped) return await this.#shut(entry)
    entry.idle = setTimeout(() => void this.#shut(entry), idleMs).unref()
  }

  async #shut(entry: Entry): Promise<void> {
    clearTimeout(entry.idle)
    const key = `${entry.name}/${entry.path}`
    if (this.#entries.get(key) === entry) this.#entries.delete(key)
    entry.controller.abort()
    try {
      await (await entry.opened).close()
    } catch {
      // It never came to be opened: whoever waited for it knows why.
    }
  }

  async #drop(entry: Entry): Promise<void> {
    await this.#shut(entry)
    try {
      await dropPart(this.#place.root, entry.name, entry.path)
    } catch (error) {
      // It goes when the dataset is whole, with all that is left in parts/.
      this.#means.tell(`an archive of ${entry.name} could not be removed: ${toTrouble(error).message}`)
    }
  }
}

/** As XRootD is told in the query, which holds for every reader. */
function memberOf({ line }: Job, { pfn }: Replica): string {
  const named = new URLSearchParams(pfn.query).get('xrdcl.unzip')
  return named ?? readFullDid(line.did)?.name ?? line.did
}

function tryOf({ config }: Job, archive: FileReplicas, part: Part, means: Means): Try {
  const no = 'an archive is fetched over https'
  return openTry({
    means,
    part,
    file: archive,
    config,
    by: 'auto',
    missing: new Map([
      ['xrdcp', no],
      ['archive', no],
      ['rucio', no],
    ]),
    extract() {
      throw new Error('an archive was looked for in an archive')
    },
  })
}

/** What one replica's archive is to blame for; what is this machine's fault, or the catalogue's, ends the try. */
function toMiss(error: unknown): unknown {
  if (error instanceof Miss || !(error instanceof Trouble)) return error
  switch (error.reason) {
    case 'corrupt':
      return new Miss('strike', error)
    case 'host_down':
    case 'stalled':
    case 'refused':
    case 'no_replica':
    case 'only_tape':
    case 'unsupported':
    case 'too_big':
      return new Miss('replica', error)
    default:
      return error
  }
}
