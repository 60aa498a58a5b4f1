// DID <-> path component (DESIGN.md rule 5): =XX, cut and hash, letter-case twins. Never touches a disk.

import { createHash } from 'node:crypto'
import { emptyBits } from './bits.ts'
import { type Did, defaultScope, makeDid, parseDid, printDid } from './did.ts'
import { Trouble } from './reason.ts'
import { emptyTexts, type Texts } from './texts.ts'

const maxBytes = 200
const keptBytes = 160
// CON, NUL, COM1 … by the part before the first dot; our own names as a whole; both in any letter case.
const device = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i
const own = /^(requests|watch|config\.json|incomplete\.txt)$/i

/** NAME of a DID: the name alone where its scope is the one that a bare name gets, else `scope=3Aname`. */
export function nameOf(did: Did): string {
  const bare = defaultScope(did.name) === did.scope
  return component(bare ? did.name : printDid(did), did)
}

/** The path component of a file of a dataset, twins not counted (see Paths). */
export function fileComponent(did: Did): string {
  return component(did.name, did)
}

/** What NAME says, canonical or not: a DID, or a Trouble for what is none (a cut name, too). */
export function didOfName(text: string): Did | Trouble {
  // A person's `scope:name`, as it stands: a canonical NAME holds no colon.
  if (text.includes(':')) return parseDid(text)
  if (text.includes('~')) return new Trouble('refused', 'a shortened name does not tell its DID')
  let decoded = ''
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === '=' ? /^[0-9A-Fa-f]{2}/.exec(text.slice(i + 1, i + 3))?.[0] : undefined
    if (hex === undefined) decoded += text[i]
    else {
      decoded += String.fromCharCode(Number.parseInt(hex, 16))
      i += 2
    }
  }
  return parseDid(decoded)
}

/** Equal under fold = the same file on a disk that does not tell letter case. Components are ASCII only. */
export function fold(text: string): string {
  return text.toLowerCase()
}

/** Which components more than one of these files would have, letter case not told apart.
 *  Name what an earlier listing gave, then feed every file once, then ask pathOf(). Two passes, so that a big listing need not lie in
 *  memory as objects. */
export class Paths {
  /** components, letter case not told apart: those that were given before first, then those of the files */
  readonly #components: Texts
  readonly #twins = emptyBits()
  /** `scope:name` of files that keep their path; the path itself where it is not the one that their name alone gives */
  readonly #kept: Texts
  readonly #odd = new Map<number, string>()

  /** @param texts gives an empty one; with a seed of its own where names may be chosen by others */
  constructor(texts: () => Texts = () => emptyTexts(0)) {
    this.#components = texts()
    this.#kept = texts()
  }

  /** An earlier listing gave `path` to the file `text` (`scope:name`), which keeps it. Before the first add(). */
  keep(text: string, path: string): void {
    const did = readFullDid(text)
    // A record that was edited by hand may give one path to two files: the first has it.
    if (did === undefined || !isComponent(path) || this.#components.find(fold(path)) >= 0) return
    this.#components.add(fold(path))
    const number = this.#kept.add(text)
    if (path !== fileComponent(did)) this.#odd.set(number, path)
  }

  add(did: Did): void {
    if (this.#kept.find(printDid(did)) >= 0) return
    const before = this.#components.size
    const number = this.#components.add(fold(fileComponent(did)))
    if (number < before) this.#twins.set(number)
  }

  /** The path of a file below its dataset's folder: one component. */
  pathOf(did: Did): string {
    const path = fileComponent(did)
    const kept = this.#kept.find(printDid(did))
    if (kept >= 0) return this.#odd.get(kept) ?? path
    const number = this.#components.find(fold(path))
    return number >= 0 && this.#twins.has(number) ? withHash(path, did) : path
  }
}

/** `text` as one path component that every file system we know takes. */
function component(text: string, did: Did): string {
  let out = ''
  for (const char of text) out += /[A-Za-z0-9._-]/.test(char) ? char : escapeChar(char)
  if (/^[.-]/.test(out) || device.test(out) || own.test(out)) out = escapeChar(out[0] ?? '') + out.slice(1)
  if (out.endsWith('.')) out = `${out.slice(0, -1)}=2E`
  return out.length > maxBytes ? withHash(out, did) : out
}

function withHash(path: string, did: Did): string {
  const hash = createHash('sha256').update(printDid(did)).digest('hex').slice(0, 16)
  // A cut in the middle of =XX would leave a piece that decodes to something else.
  const head = path.slice(0, keptBytes).replace(/=[0-9A-F]?$/, '')
  return `${head}~${hash}`
}

function escapeChar(char: string): string {
  return `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The DID that a record names in full, checked; for `did` fields of our own records. */
export function readFullDid(text: unknown): Did | undefined {
  if (typeof text !== 'string') return undefined
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  const did = makeDid(text.slice(0, colon), text.slice(colon + 1))
  // Records hold what printDid() gives; a trailing slash would make one DID look like two.
  return did instanceof Trouble || printDid(did) !== text ? undefined : did
}

/** A path component that a record on disk may name: what component() gives, and nothing that climbs or hides. */
export function isComponent(text: unknown): text is string {
  return (
    typeof text === 'string' &&
    text.length <= maxBytes + 17 &&
    /^[A-Za-z0-9_=][A-Za-z0-9._=~-]*$/.test(text) &&
    !text.endsWith('.') &&
    !device.test(text) &&
    !own.test(text)
  )
}
