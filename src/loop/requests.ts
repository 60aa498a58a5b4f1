// requests/ as it counts: what has settled, read and named. Never changes a file (act-requests.ts does).

import type { OddityHere } from '../decide/observation.ts'
import type { Root } from '../disk/layout.ts'
import { layout } from '../disk/layout.ts'
import { wroteLast } from '../disk/put.ts'
import { names, readUserText, type Stat, sameStat, statEach } from '../disk/read.ts'
import { caseTwin, didHere } from '../disk/word.ts'
import type { Did } from '../words/did.ts'
import { didOfName, nameOf, readFullDid } from '../words/names.ts'
import { clean, Trouble } from '../words/reason.ts'
import { parseRequest, plainRequest, type Request } from '../words/request.ts'
import { fromIso, type World } from '../words/world.ts'

/** What a person writes counts when two looks so far apart agree, and is gone when two looks miss it (DESIGN.md rule 8). */
const settleMs = 2000

export type Wish = {
  readonly name: string
  readonly did: Did
  readonly request: Request
  /** as it stood when it was read: compared again before the file is moved or removed */
  readonly text: string
  readonly createdAt: number
  /** the text does not parse: the last good reading counts, or, without one, paused */
  readonly broken: boolean
}

type Entry = {
  stat: Stat
  sinceAt: number
  counted: boolean
  missedAt: number | undefined
  wish: Wish | undefined
  odd: OddityHere | undefined
}

export type RequestBook = {
  /** Brings itself up to date. @returns ms until something may have settled; undefined when nothing waits for that */
  scan(): Promise<number | undefined>
  wishes(): readonly Wish[]
  oddities(): readonly OddityHere[]
  /** A .problem was written or taken away by us. */
  noted(file: string, message: string | undefined): void
  /** We removed or moved this file ourselves: it is gone at once, also for a pass that has looked before. */
  drop(file: string): void
}

export function openRequestBook(root: Root, world: World): RequestBook {
  const entries = new Map<string, Entry>()
  const written = new Map<string, string>()
  let mended: OddityHere[] = []
  let first = true

  async function scan(): Promise<number | undefined> {
    const now = world.now()
    const all = await names(layout.requests(root))
    const here = new Set(all)
    let next: number | undefined
    const settlesIn = (ms: number): void => {
      next = Math.min(next ?? ms, ms)
    }
    // What has gone goes first, so that a file which only waited for its name is taken in the same look.
    for (const [file, entry] of entries) {
      if (here.has(file)) continue
      entry.missedAt = sinceWhen(entry.missedAt, now)
      const left = entry.missedAt + settleMs - now
      if (left <= 0) entries.delete(file)
      else settlesIn(left)
    }
    const files = all.filter(file => !isLeftAlone(file))
    for (const [file, stat] of await statEach(root, layout.requests(root), files)) {
      const left = await look(file, stat, now, here)
      if (left !== undefined) settlesIn(left)
    }
    // A .problem that somebody took away is written again while it is true.
    for (const file of written.keys()) if (!here.has(`${file}.problem`)) written.delete(file)
    mended = all
      .filter(file => file.endsWith('.problem') && !file.startsWith('.'))
      .map(file => file.slice(0, -'.problem'.length))
      .filter(
        file =>
          !here.has(file) || (entries.get(file)?.counted === true && entries.get(file)?.odd === undefined),
      )
      .map(file => ({ kind: 'mended', file }))
    first = false
    return next
  }

  /** @returns ms until this file may count */
  async function look(
    file: string,
    stat: Stat | Trouble,
    now: number,
    here: ReadonlySet<string>,
  ): Promise<number | undefined> {
    if (stat instanceof Trouble) {
      entries.set(file, oddEntry(problem(file, 'It is no plain file; put a regular file in its place.')))
      return undefined
    }
    const path = `${layout.requests(root)}/${file}`
    const entry = entries.get(file)
    if (entry !== undefined && sameStat(entry.stat, stat)) {
      entry.missedAt = undefined
      entry.sinceAt = sinceWhen(entry.sinceAt, now)
      if (entry.counted) {
        // What stands in an odd one's way may have gone since: another file of its NAME, a twin.
        return entry.odd === undefined ? undefined : await read(file, entry, now, here)
      }
    }
    const fresh = entry === undefined || !sameStat(entry.stat, stat)
    const current: Entry = fresh
      ? { stat, sinceAt: now, counted: false, missedAt: undefined, wish: entry?.wish, odd: entry?.odd }
      : entry
    entries.set(file, current)
    // At the start an old mtime stands for the first look: nobody has written for so long.
    const settled =
      wroteLast(path, stat) || now - current.sinceAt >= settleMs || (first && now - stat.mtimeMs > settleMs)
    if (!settled) return current.sinceAt + settleMs - now
    return await read(file, current, now, here)
  }

  /** @returns ms until it may count, when it was written anew since it was looked at */
  async function read(
    file: string,
    entry: Entry,
    now: number,
    here: ReadonlySet<string>,
  ): Promise<number | undefined> {
    const found = await textOf(`${layout.requests(root)}/${file}`)
    if (found === undefined) return undefined
    if (!(found instanceof Trouble) && !sameStat(found.stat, entry.stat)) {
      entries.set(file, { ...entry, stat: found.stat, sinceAt: now, counted: false })
      return settleMs
    }
    await understand(file, entry, found, here)
    return undefined
  }

  async function textOf(path: string): Promise<Awaited<ReturnType<typeof readUserText>>> {
    try {
      return await readUserText(root, path)
    } catch (error) {
      // One file that may not be read hinders no other.
      if (error instanceof Trouble && error.reason === 'read_only')
        return new Trouble('refused', 'This daemon has no right to read it', error)
      throw error
    }
  }

  async function understand(
    file: string,
    entry: Entry,
    found: Exclude<Awaited<ReturnType<typeof readUserText>>, undefined>,
    here: ReadonlySet<string>,
  ): Promise<void> {
    const text = found instanceof Trouble ? '' : found.text
    const request = found instanceof Trouble ? found : parseRequest(text)
    entry.counted = true
    entry.odd = undefined
    if (!file.endsWith('.json')) {
      entry.wish = undefined
      entry.odd = problem(file, 'A request is named after its dataset, with .json at the end: rename it.')
      return
    }
    const stem = file.slice(0, -'.json'.length)
    const did = await didOf(stem, request)
    if (did instanceof Trouble) {
      entry.wish = undefined
      entry.odd = problem(
        file,
        `${clean(did.detail)}. Rename the file, or write {"did": "scope:name"} into it.`,
      )
      return
    }
    const name = nameOf(did)
    if (name !== stem) {
      entry.wish = undefined
      entry.odd =
        here.has(`${name}.json`) || entries.has(`${name}.json`)
          ? problem(file, `${name}.json is there already for this dataset; remove one of the two.`)
          : { kind: 'rename', file, name }
      return
    }
    const twin = await caseTwin(root, name)
    if (twin !== undefined) {
      entry.wish = undefined
      entry.odd = problem(
        file,
        `${twin} differs from it by letter case only; this disk may not tell them apart.`,
      )
      return
    }
    if (request instanceof Trouble) {
      entry.odd = problem(
        file,
        `${clean(request.detail)}. Mend or delete the file; until then it is not worked on.`,
      )
      const last = entry.wish ?? {
        name,
        did,
        request: { ...plainRequest, paused: true },
        createdAt: mtimeOf(entry),
      }
      entry.wish = { ...last, name, did, text, broken: true }
      return
    }
    const createdAt = fromIso(request.created) ?? mtimeOf(entry)
    entry.wish = { name, did, request, text, createdAt, broken: false }
  }

  async function didOf(stem: string, request: Request | Trouble): Promise<Did | Trouble> {
    if (!(request instanceof Trouble) && request.did !== undefined) {
      const did = readFullDid(request.did)
      return did ?? new Trouble('refused', `"did" is no scope:name: ${request.did}`)
    }
    const did = didOfName(stem)
    if (!(did instanceof Trouble)) return did
    // A cut name does not tell its DID, but the dataset's own records may.
    return (stem.includes('~') ? await didHere(root, stem) : undefined) ?? did
  }

  return {
    scan,
    wishes: () => [...entries.values()].flatMap(each => (each.wish === undefined ? [] : [each.wish])),
    oddities: () => [
      // Of a file that is missed nothing can be done: it was renamed, or somebody is at it.
      ...[...entries].flatMap(([file, { odd, missedAt }]) =>
        odd === undefined ||
        missedAt !== undefined ||
        (odd.kind === 'problem' && written.get(file) === odd.message)
          ? []
          : [odd],
      ),
      ...mended,
    ],
    noted(file, message) {
      if (message === undefined) {
        written.delete(file)
        mended = mended.filter(each => each.file !== file)
      } else written.set(file, message)
    },
    drop(file) {
      entries.delete(file)
    },
  }
}

/** A clock that was set back must not make a look of before lie in the future. */
function sinceWhen(at: number | undefined, now: number): number {
  return at === undefined || at > now ? now : at
}

function mtimeOf(entry: Entry): number {
  return entry.stat.mtimeMs
}

function problem(file: string, message: string): OddityHere {
  return { kind: 'problem', file, message }
}

function oddEntry(odd: OddityHere): Entry {
  return {
    stat: { size: -1, mtimeMs: 0, ino: 0 },
    sinceAt: 0,
    counted: true,
    missedAt: undefined,
    wish: undefined,
    odd,
  }
}

/** Editors' and systems' own files. */
function isLeftAlone(file: string): boolean {
  return (
    file.startsWith('.') ||
    /~$|\.(problem|tmp|part|swp|swo|swx|bak|orig|old|save)$|^#.*#$|^(Thumbs\.db|desktop\.ini)$|\.json\.bad-/i.test(
      file,
    )
  )
}
