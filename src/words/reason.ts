// The closed list of what goes wrong, each with a sentence for a person. Never reads, writes or decides.

import { toIso } from './world.ts'

export const reasons = [
  'auth',
  'no_such_did',
  'no_replica',
  'only_tape',
  'host_down',
  'offline',
  'stalled',
  'refused',
  'corrupt',
  'disk_full',
  'disk_error',
  'read_only',
  'too_big',
  'bad_listing',
  'unsupported',
  'bug',
] as const

export type Reason = (typeof reasons)[number]

/** A failure as records on disk and answers hold it. */
export type Failure = {
  readonly reason: Reason
  /** one sentence: what happened and what to do */
  readonly message: string
  /** ISO time */
  readonly at: string
}

/** What is thrown inside a room. `detail` may hold text from outside; sentence() makes it safe to show. */
export class Trouble extends Error {
  override readonly name = 'Trouble'
  readonly reason: Reason
  readonly detail: string

  constructor(reason: Reason, detail: string, cause?: unknown) {
    super(`${reason}: ${detail}`, cause === undefined ? {} : { cause })
    this.reason = reason
    this.detail = detail
  }
}

const hints: Record<Reason, string> = {
  auth: 'Check the account, the certificate or token, and the log grid_cert; work goes on by itself once they are good.',
  no_such_did: 'Check the name; it is asked for again after a while.',
  no_replica: 'No storage offers this file now; it is looked for again.',
  only_tape: 'The file lies on tape only; ask for a copy on disk (a Rucio rule), it is looked for again.',
  host_down: 'It is asked again after a while, and where another storage has the file, that one first.',
  offline: 'This machine has no connection; work goes on by itself when it is back.',
  stalled: 'It stopped sending; it is asked again, and where another storage has the file, that one first.',
  refused: 'It was refused for safety or by the storage; see the text before this.',
  corrupt: 'The bytes are not those that the catalogue promises; another replica is tried next.',
  disk_full: 'Free some space; work goes on by itself.',
  disk_error: 'Check the disk; it is tried again.',
  read_only: 'Make the data directory writable; work goes on by itself.',
  too_big: 'It is larger than this daemon or this disk takes.',
  bad_listing: 'The listing that the catalogue sent is not whole or not sane; it is asked for again.',
  unsupported: 'No replica can be reached with what is here; once that changes, work goes on by itself.',
  bug: 'This is a fault of desktop-rucio; the log rucio_downloader has more.',
}

/** The sentence a person meets: what happened, then what to do. */
export function sentence(reason: Reason, detail: string): string {
  const what = clean(detail)
  if (what === '') return hints[reason]
  return `${what}${/[.!?]$/.test(what) ? '' : '.'} ${hints[reason]}`
}

/** Text from outside, made fit to show: control characters escaped, cut at `most` characters. */
export function clean(text: string, most = 300): string {
  // Cc: control, Cf: invisible and direction marks, Cs: halves of a character, Zl and Zp: line and paragraph separators.
  const plain = text
    .slice(0, 1000)
    .replace(
      /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
      c => `\\x${(c.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
    )
    .trim()
  return plain.length > most ? `${plain.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : plain
}

/** Does it speak of one file or folder (a link, no right), and not of the disk as a whole? */
export function isOfOne({ reason }: Trouble): boolean {
  return reason === 'refused' || reason === 'read_only'
}

/** Any throw as a value; what is no Trouble is a bug or, by its code, a fault of disk or line. */
export function toFailure(error: unknown, now: number): Failure {
  const trouble = toTrouble(error)
  return { reason: trouble.reason, message: sentence(trouble.reason, trouble.detail), at: toIso(now) }
}

const byCode = new Map<string, Reason>([
  ['ENOSPC', 'disk_full'],
  ['EDQUOT', 'disk_full'],
  ['EROFS', 'read_only'],
  ['EACCES', 'read_only'],
  ['EPERM', 'read_only'],
  ['EIO', 'disk_error'],
  ['ESTALE', 'disk_error'],
  ['EUCLEAN', 'disk_error'],
  ['EMFILE', 'disk_error'],
  ['ENFILE', 'disk_error'],
  // FAT keeps no file of 4 GiB.
  ['EFBIG', 'too_big'],
])

export function toTrouble(error: unknown): Trouble {
  if (error instanceof Trouble) return error
  const code = codeOf(error)
  const reason = code === undefined ? undefined : byCode.get(code)
  if (reason !== undefined && error instanceof Error && 'syscall' in error)
    return new Trouble(reason, `${String(error.syscall)} gave ${code}`, error)
  // The reason of AbortSignal.timeout().
  if (error instanceof Error && error.name === 'TimeoutError')
    return new Trouble('stalled', 'no whole answer came in time', error)
  return new Trouble('bug', error instanceof Error ? error.message : String(error), error)
}

/** What libuv has no name for comes as `Unknown system error -116`; these are Linux's numbers of what NFS, quotas and broken file
 *  systems say. */
const unnamed = new Map([
  ['Unknown system error -116', 'ESTALE'],
  ['Unknown system error -117', 'EUCLEAN'],
  ['Unknown system error -122', 'EDQUOT'],
])

/** The `code` of a Node error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? (unnamed.get(error.code) ?? error.code) : undefined
}

/** A Failure that was read from a record; undefined for anything else. */
export function readFailure(json: unknown): Failure | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { reason, message, at } = json as Record<string, unknown>
  const known = reasons.find(each => each === reason)
  if (known === undefined || typeof message !== 'string' || typeof at !== 'string') return undefined
  // A message is a detail of up to 300 characters and the hint after it, which must not be cut away.
  return { reason: known, message: clean(message, 600), at }
}
