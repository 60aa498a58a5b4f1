// What lies on the practice grid, and the bytes of it: made from the DID, so that any range of any size costs nothing to keep.
// Never touches a disk or a socket.

import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { adler32, printAdler32 } from '../words/adler32.ts'

/** A file of the practice grid: bytes are made from its DID, so that any range of it costs nothing to keep. */
export type SeedFile = {
  readonly scope: string
  readonly name: string
  readonly bytes: number
  readonly checksums: readonly ('adler32' | 'md5')[]
  /** RSE -> what lies there */
  readonly replicas: Readonly<Record<string, ReplicaKind>>
  readonly events?: number
  /** its good bytes, where they are not made from the DID: an archive, or a member of one */
  readonly content?: Uint8Array
  /** it is a member of the archive of this name in its scope, and lies nowhere by itself: `replicas` is empty then */
  readonly inside?: string
}

/** `corrupt`: one byte in the middle is another. `truncated`: half the file. `absent`: the catalogue knows it, the storage does not.
 *  `unavailable`: the catalogue says so, and leaves it out unless it is asked for all states. */
export type ReplicaKind = 'good' | 'corrupt' | 'truncated' | 'absent' | 'unavailable'

export type Seed = {
  readonly datasets: readonly {
    readonly scope: string
    readonly name: string
    readonly open: boolean
    readonly files: readonly SeedFile[]
  }[]
  readonly containers: readonly {
    readonly scope: string
    readonly name: string
    readonly children: readonly { readonly scope: string; readonly name: string }[]
  }[]
}

/** The bytes of a good replica, for tests: [from, to). */
export function bytesOf(file: SeedFile, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(to, file.bytes) - from))
  fill(file, 'good', from, bytes)
  return bytes
}

/** Writes what a replica holds from byte `from` on into `into`. */
export function fill(file: SeedFile, kind: ReplicaKind, from: number, into: Uint8Array): void {
  let at = from
  const end = from + into.length
  if (file.content !== undefined) {
    into.set(file.content.subarray(from, end))
    at = end
  }
  while (at < end) {
    const number = Math.floor(at / blockBytes)
    const inBlock = at - number * blockBytes
    const length = Math.min(blockBytes - inBlock, end - at)
    const head = headOf(file, number)
    const target = into.subarray(at - from, at - from + length)
    const start = head.readUInt32LE(headBytes) % (pool().length - blockBytes)
    target.set(pool().subarray(start + inBlock, start + inBlock + length))
    if (inBlock < headBytes) target.set(head.subarray(inBlock, Math.min(headBytes, inBlock + length)))
    at += length
  }
  const middle = Math.floor(file.bytes / 2)
  if (kind === 'corrupt' && middle >= from && middle < end)
    into[middle - from] = (into[middle - from] ?? 0) ^ 0x20
}

/** How many bytes lie at an RSE. */
export function sizeOf(file: SeedFile, kind: ReplicaKind): number {
  return kind === 'truncated' ? Math.floor(file.bytes / 2) : file.bytes
}

/** Checksums of what lies there, in hex; worked out once for each DID and kind, in slices, so that a big file does not hold up the rest. */
export async function checksumOf(
  file: SeedFile,
  kind: ReplicaKind,
  algorithm: 'adler32' | 'md5',
): Promise<string> {
  if (file.content !== undefined) return sumUp(file, kind, algorithm)
  const key = `${algorithm} ${file.scope}:${file.name} ${file.bytes} ${kind === 'corrupt' || kind === 'truncated' ? kind : 'good'}`
  const known = checksums.get(key) ?? sumUp(file, kind, algorithm)
  checksums.set(key, known)
  return known
}

/** Where a DID lies below the prefix of an RSE (Rucio's algorithm `hash`; facts/rucio.md 5). Begins with the scope, no slash. */
export function pathOf(scope: string, name: string): string {
  const hash = createHash('md5').update(`${scope}:${name}`).digest('hex')
  const folder = /^(user|group)/.test(scope) ? scope.replaceAll('.', '/') : scope
  return `${folder}/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${name}`
}

// A block is a window of one shared pool, at an offset that its DID and number give, with 16 bytes in front that are its own:
// no two blocks are equal, and serving one is a copy of memory.
const blockBytes = 2 ** 20
const headBytes = 16
let shared: Uint8Array | undefined
const checksums = new Map<string, Promise<string>>()
const seedOf = new Map<string, Buffer>()

function pool(): Uint8Array {
  if (shared !== undefined) return shared
  const words = new Uint32Array(2 ** 21)
  let state = 0x9e3779b9
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  shared = new Uint8Array(words.buffer)
  return shared
}

/** 16 bytes that no other block has, and after them the number that gives the window. */
function headOf(file: SeedFile, block: number): Buffer {
  const did = `${file.scope}:${file.name}`
  let seed = seedOf.get(did)
  if (seed === undefined) {
    seed = createHash('sha256').update(did).digest()
    seedOf.set(did, seed)
  }
  const head = Buffer.allocUnsafe(headBytes + 4)
  seed.copy(head, 0, 0, headBytes)
  head.writeUInt32LE((head.readUInt32LE(0) ^ block) >>> 0, 0)
  head.writeUInt32LE((seed.readUInt32LE(headBytes) + Math.imul(block, 0x9e3779b1)) >>> 0, headBytes)
  return head
}

async function sumUp(file: SeedFile, kind: ReplicaKind, algorithm: 'adler32' | 'md5'): Promise<string> {
  const size = sizeOf(file, kind)
  const slice = new Uint8Array(Math.min(size, 4 * blockBytes))
  const md5 = createHash('md5')
  let adler = 1
  for (let at = 0; at < size; at += slice.length) {
    const part = slice.subarray(0, Math.min(slice.length, size - at))
    fill(file, kind, at, part)
    if (algorithm === 'adler32') adler = adler32(adler, part)
    else md5.update(part)
    if (size > slice.length) await setImmediate()
  }
  return algorithm === 'adler32' ? printAdler32(adler) : md5.digest('hex')
}
