// Is a dataset whole at its destination now? Its rule as it was last looked at, and its files as they are seen under the mount.
// Never asks Rucio, never reads a byte of a file.

import type { ListingHead } from '../words/listing.ts'
import { clean, type Failure, sentence, Trouble } from '../words/reason.ts'
import type { Request } from '../words/request.ts'
import { isGood, type PlaceLine, type RuleRecord, readRuleRecord } from '../words/rule.ts'
import { layout, type Root } from './layout.ts'
import { readListing } from './lines.ts'
import { type FileUnderMount, lookAtMount, lookUnder } from './mount.ts'
import { readPlaces } from './places.ts'
import { readRecord } from './read.ts'

export type Afar =
  /** it has no destination, or another than its record says */
  | { readonly kind: 'none' }
  /** its rule is not OK, or it is not known yet where its files lie */
  | { readonly kind: 'pending'; readonly record: RuleRecord }
  /** absolute paths in the order of the listing */
  | {
      readonly kind: 'whole'
      readonly record: RuleRecord
      readonly head: ListingHead
      readonly paths: readonly string[]
    }
  | {
      readonly kind: 'harmed'
      readonly record: RuleRecord
      readonly head: ListingHead
      /** PATHs of the listing that are not seen, with their size; all of them where the mount is not there */
      readonly missing: ReadonlyMap<string, FileUnderMount>
      readonly why: Pick<Failure, 'reason' | 'message'>
    }

/** @param wish what its request says; undefined where it has none: then the record alone counts
 *  @param now ms since 1970
 *  @throws Trouble when the data directory's disk does not answer; a mount that does not is a `why` */
export async function proveAfar(
  root: Root,
  name: string,
  wish: Pick<Request, 'destination'> | undefined,
  now: number,
): Promise<Afar> {
  const record = await readRecord(root, layout.rule(root, name), readRuleRecord)
  if (record === undefined || !isMeant(record, wish)) return { kind: 'none' }
  if (!isGood(record, now)) return { kind: 'pending', record }
  const lines: PlaceLine[] = []
  const places = await readPlaces(root, name, line => lines.push(line))
  const head = await readListing(root, layout.listing(root, name))
  if (places === undefined || head === undefined || head.type === 'NONE') return { kind: 'pending', record }
  const fits = places.fetched === head.fetched && places.did === head.did && head.did === record.did
  if (!fits || places.rse !== record.rse || places.mount !== record.mount) return { kind: 'pending', record }
  const { mount } = places
  const found = await lookAtAll(record.rse, mount, lines)
  if ('why' in found) {
    const missing = new Map(lines.map(({ path }) => [path, 'absent' as const]))
    return { kind: 'harmed', record, head, missing, why: found.why }
  }
  const missing = new Map<string, FileUnderMount>()
  for (const [i, { path }] of lines.entries()) {
    const word = found.words[i] ?? 'absent'
    if (word !== 'seen') missing.set(path, word)
  }
  const paths = lines.map(({ place }) => `${mount.replace(/\/+$/, '')}/${place}`)
  if (missing.size === 0) return { kind: 'whole', record, head, paths }
  const first = lines.findIndex(({ path }) => missing.has(path))
  const why = notSeen({
    seen: lines.length - missing.size,
    total: lines.length,
    path: paths[first] ?? '',
    word: found.words[first] ?? 'absent',
    record,
  })
  return { kind: 'harmed', record, head, missing, why }
}

/** A request that was edited counts at once: what its old destination holds is no answer to it. */
function isMeant(record: RuleRecord, wish: Pick<Request, 'destination'> | undefined): boolean {
  if (wish?.destination === undefined) return true
  if (wish.destination === null || wish.destination.rse !== record.rse) return false
  return wish.destination.mount === undefined || wish.destination.mount === record.mount
}

type Why = { readonly why: Pick<Failure, 'reason' | 'message'> }

async function lookAtAll(
  rse: string,
  mount: string,
  lines: readonly PlaceLine[],
): Promise<{ readonly words: readonly FileUnderMount[] } | Why> {
  if (lines.length === 0) return { words: [] }
  const at = clean(mount)
  const mountIt = 'Mount it; work goes on by itself.'
  try {
    const seen = await lookAtMount(mount)
    switch (seen.kind) {
      case 'absent':
        return why('disk_error', `There is no ${at}: the storage of ${rse} is not mounted there. ${mountIt}`)
      case 'empty':
        return why(
          'disk_error',
          `Nothing lies in ${at}: the storage of ${rse} is not mounted there. ${mountIt}`,
        )
      case 'closed':
        return why(
          'disk_error',
          `${at}, the storage of ${rse}, cannot be looked into (${seen.code}). Look at the mount and its rights; work goes on by itself.`,
        )
      case 'open':
        return { words: await lookUnder(mount, seen.real, lines) }
    }
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    return why(error.reason, sentence(error.reason, `The storage of ${rse} at ${at}: ${error.detail}`))
  }
}

function why(reason: Failure['reason'], message: string): Why {
  return { why: { reason, message } }
}

function notSeen(about: {
  readonly seen: number
  readonly total: number
  readonly path: string
  readonly word: FileUnderMount
  readonly record: RuleRecord
}): Pick<Failure, 'reason' | 'message'> {
  const { seen, total, path, word, record } = about
  const is: Readonly<Record<FileUnderMount, string>> = {
    seen: 'is there',
    absent: 'is not there',
    size: 'has another size than Rucio says',
    'no file': 'is no regular file',
    outside: 'is a link that leads out of the mount',
    'no right': 'may not be looked at',
  }
  return {
    reason: word === 'size' ? 'corrupt' : word === 'absent' ? 'no_replica' : 'refused',
    message: `Rucio says that all is at ${record.rse}, and ${seen} of ${total} files are seen here: ${clean(path)} ${is[word]}. Look whether the storage is mounted where the destination says; it is looked at again.`,
  }
}
