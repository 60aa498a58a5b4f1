// Names and texts of the watch folder: what a file there asks for, and what its answer is called. Pure; never touches the disk.

import { type Did, parseDid, printDid } from '../words/did.ts'
import { didOfName } from '../words/names.ts'
import { clean, Trouble } from '../words/reason.ts'

/** The suffixes, worst first: of several lines the worst is the answer. */
export const answers = ['refused', 'does_not_exist', 'not_on_server', 'downloading', 'local'] as const
export type Answer = (typeof answers)[number]

export type WatchName =
  | { readonly kind: 'ignored' }
  /** `base` is the file's name without a trailing .txt */
  | { readonly kind: 'wish'; readonly base: string }
  | { readonly kind: 'answer'; readonly base: string; readonly answer: Answer }

/** At most this much text is taken. */
export const mostBytes = 64 * 1024

/** What the name of a file in watch/ makes it. */
export function readWatchName(file: string): WatchName {
  if (file.startsWith('.') || /(~|\.tmp|\.part|\.swp|\.problem)$/i.test(file)) return { kind: 'ignored' }
  if (/^(thumbs\.db|desktop\.ini)$/i.test(file)) return { kind: 'ignored' }
  for (const answer of answers)
    if (file.endsWith(`.${answer}`) && file.length > answer.length + 1)
      return { kind: 'answer', base: file.slice(0, -answer.length - 1), answer }
  return { kind: 'wish', base: file.replace(/(?<=.)\.txt$/i, '') }
}

export type Refusal = { readonly what: string; readonly message: string }

export type WatchText = {
  readonly dids: readonly Did[]
  readonly bad: readonly Refusal[]
  /** no line but comments: the file's name is the wish */
  readonly byName: boolean
}

/** The wishes of a file: its lines, or its name when there are none. A DID that comes twice counts once. */
export function readWatchText(base: string, text: string): WatchText {
  // A `#` within a name is left there: cutting the name could make it another dataset's.
  const lines = text
    .split('\n')
    .map(line => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(line => line !== '')
  const byName = lines.length === 0
  const dids = new Map<string, Did>()
  const bad: Refusal[] = []
  for (const line of byName ? [base] : lines) {
    const did = byName ? didOfName(line) : parseDid(line)
    if (did instanceof Trouble) bad.push({ what: line, message: did.detail })
    else dids.set(printDid(did), did)
  }
  return { dids: [...dids.values()], bad, byName }
}

const mark = '# refused: '

/** The text with the reasons added as comments at its end. */
export function withRefusals(text: string, bad: readonly Refusal[]): string {
  const lines = bad.map(({ what, message }) => `${mark}${clean(what)}: ${clean(message)}\n`)
  return onOwnLine(text) + lines.join('')
}

/** The text without the comments that withRefusals() added: what its user wrote. */
export function withoutRefusals(text: string): string {
  return text
    .split('\n')
    .filter(line => !line.startsWith(mark))
    .join('\n')
}

/** The text with the DID written inside, for a file whose new name does not tell it. */
export function withDid(text: string, did: Did): string {
  return `${onOwnLine(text)}${printDid(did)}\n`
}

function onOwnLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

/** Most bytes of a file name on every file system we know. */
const nameBytes = 255
/** Room for `~99` and the longest suffix, so that a name keeps its stem whatever the answer. */
const stemBytes = nameBytes - '~99'.length - '.does_not_exist'.length

/** The stem that all answers of a file share: cut where it would leave no room for a suffix. */
export function stemOf(base: string): string {
  const plain = base.replace(/~[0-9]{1,2}$/, '')
  let stem = plain.length > stemBytes ? plain.slice(0, stemBytes) : plain
  // Slices count UTF-16 units; names are counted in bytes, and a character must not be cut in two.
  while (new TextEncoder().encode(stem).length > stemBytes) stem = [...stem].slice(0, -1).join('')
  return stem
}

/** @param nth 1 = the plain name; from 2 on `STEM~2.…` */
export function answerName(stem: string, nth: number, answer: Answer): string {
  return `${stem}${nth === 1 ? '' : `~${nth}`}.${answer}`
}

export function worst(all: readonly Answer[]): Answer {
  return answers.find(answer => all.includes(answer)) ?? 'local'
}
