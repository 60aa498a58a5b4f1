// A data directory and datasets in it, as a daemon leaves them, for tests that read them.

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { layout, type Root } from '../../src/disk/layout.ts'
import { openRoot, prepare } from '../../src/disk/root.ts'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { type Did, parseDid, printDid } from '../../src/words/did.ts'
import { nameOf } from '../../src/words/names.ts'
import { Trouble } from '../../src/words/reason.ts'
import { toIso, type World } from '../../src/words/world.ts'
import { temporary, world } from './data.ts'

/** of the bytes of every file here */
const sum = printAdler32(adler32(1, Buffer.from('bytes')))

/** A fresh data directory with all the daemon's folders. */
export async function openData(): Promise<Root> {
  const { root } = await openRoot({ dir: await temporary(), fenced: false, world })
  await prepare(root, undefined, world.now())
  return root
}

export function didOf(text: string): Did {
  const did = parseDid(text)
  if (did instanceof Trouble) throw did
  return did
}

/** A clock that stands until it is moved. */
export function stoppedWorld(at = Date.now()): World & { move(ms: number): void } {
  let now = at
  return {
    now: () => now,
    chance: () => 0.5,
    move(ms) {
      now += ms
    },
  }
}

export type Head = { readonly type?: string; readonly open?: boolean; readonly fetched?: string }

/** Text of a listing of `files` files of 5 bytes. */
export function listingText(did: Did, files: number, head: Head = {}): string {
  const first = {
    format: 1,
    did: printDid(did),
    type: 'DATASET',
    open: false,
    length: files,
    bytes: files * 5,
    fetched: toIso(Date.now()),
    ...head,
  }
  const lines = Array.from({ length: files }, (_, i) => ({
    did: `${did.scope}:${fileName(i)}`,
    path: fileName(i),
    bytes: 5,
    adler32: sum,
    ...(i % 2 === 0 ? { events: i } : {}),
  }))
  return [first, ...lines].map(line => `${JSON.stringify(line)}\n`).join('')
}

/** Rucio's answer `does not exist`. */
export function missingText(did: Did, until: number): string {
  const head = {
    format: 1,
    did: printDid(did),
    type: 'NONE',
    fetched: toIso(Date.now()),
    until: toIso(until),
    tries: 1,
  }
  return `${JSON.stringify(head)}\n`
}

export function fileName(i: number): string {
  return `f${String(i).padStart(3, '0')}.root`
}

/** A dataset's folder with its listing, nothing else. */
export async function putListed(root: Root, did: Did, files: number, head: Head = {}): Promise<string> {
  const name = nameOf(did)
  await mkdir(layout.parts(root, name), { recursive: true })
  await writeFile(layout.listing(root, name), listingText(did, files, head))
  return name
}

/** A whole dataset: files, verified lines, marker, kept request. */
export async function putWhole(root: Root, did: Did, files: number, head: Head = {}): Promise<string> {
  const name = await putListed(root, did, files, head)
  const lines: object[] = [{ format: 1, id: root.id }]
  for (let i = 0; i < files; i++) {
    const path = layout.file(root, name, fileName(i))
    await writeFile(path, 'bytes')
    const { mtimeMs } = await stat(path)
    lines.push({ path: fileName(i), bytes: 5, adler32: sum, mtime: toIso(mtimeMs), at: toIso(mtimeMs) })
  }
  await writeFile(layout.verified(root, name), lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  await writeFile(
    layout.complete(root, name),
    `${JSON.stringify({ format: 1, files, bytes: files * 5, at: toIso(Date.now()) })}\n`,
  )
  await writeFile(layout.keptRequest(root, name), '{"priority": 3, "mine": "kept"}')
  return name
}
