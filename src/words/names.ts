// DID <-> path component (DESIGN.md rule 5): =XX, cut and hash, letter-case twins. Never touches a disk.

import { createHash } from 'node:crypto'
import { type Did, defaultScope, makeDid, parseDid, printDid } from './did.ts'
import { Trouble } from './reason.ts'

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
 *  Feed every file once, then ask pathOf(). Two passes, so that a big listing need not lie in memory as objects. */
export class Paths {
  readonly #seen = new Set<string>()
  readonly #twins = new Set<string>()
  readonly #kept = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** @param kept `scope:name` -> path that an earlier listing gave; such a file keeps it */
  constructor(kept: ReadonlyMap<string, string> = new Map()) {
    for (const [did, path] of kept) {
      // A record that was edited by hand may give one path to two files: the first has it.
      if (!isComponent(path) || this.#taken.has(fold(path))) continue
      this.#kept.set(did, path)
      this.#taken.add(fold(path))
    }
  }

  add(did: Did): void {
    if (this.#kept.has(printDid(did))) return
    const key = fold(fileComponent(did))
    if (this.#seen.has(key) || this.#taken.has(key)) this.#twins.add(key)
    this.#seen.add(key)
  }

  /** The path of a file below its dataset's folder: one component. */
  pathOf(did: Did): string {
    const kept = this.#kept.get(printDid(did))
    if (kept !== undefined) return kept
    const path = fileComponent(did)
    return this.#twins.has(fold(path)) ? withHash(path, did) : path
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
