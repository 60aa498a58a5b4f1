// Who owns the data directory: the look at owner.json before each change of a name. Never writes, and never guesses.

import { setTimeout as sleep } from 'node:timers/promises'
import { readFormat, readOwner } from '../words/owner.ts'
import { Trouble } from '../words/reason.ts'
import { decodeText, parseJson } from '../words/text.ts'
import { layout, type Root } from './layout.ts'
import { readBytes } from './way.ts'

/** Another process owns the data directory now: this one must stop writing (exit 75). */
export class Fenced extends Error {}

/** Looks whether this process still owns the data directory (DESIGN.md rule 7); does nothing where root is not fenced.
 *  @throws Fenced when owner.json names another boot, or has gone (or is no record) while format.json says that this is
 *  our data directory: somebody took the ownership away by hand, and without it two could write.
 *  @throws Trouble `read_only` when format.json is not there or names another directory: DATA is not mounted, which is
 *  a state to wait in and no verdict on who owns it. Other Troubles when it cannot be read. */
export async function fence(root: Root): Promise<void> {
  if (!root.fenced) return
  const whose = await ownership(root)
  if (whose === 'ours') return
  if (whose === 'missing') throw missing()
  throw new Fenced('another process owns the data directory now')
}

/** What the disk says of who owns the data directory: fence() as a value. `missing`: this is not our directory at all. */
export async function ownership(root: Root): Promise<'ours' | 'another' | 'missing'> {
  // SMB and some FUSE mounts replace a file in two steps, so a name may be away for an instant.
  for (const pauseMs of [50, 200, 0]) {
    const owner = readOwner(await jsonOf(root, layout.owner(root)))
    if (owner !== undefined) return owner.boot_id === root.bootId ? 'ours' : 'another'
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return readFormat(await jsonOf(root, layout.format(root.dir)))?.id === root.id ? 'another' : 'missing'
}

async function jsonOf(root: Root, path: string): Promise<unknown> {
  const parsed = parseJson((await textOf(root, path)) ?? '')
  return parsed instanceof Trouble ? undefined : parsed.json
}

/** A small text of ours; undefined when absent or no text. */
export async function textOf(root: Root, path: string): Promise<string | undefined> {
  const found = await readBytes(root, path, 64 * 2 ** 20)
  const text = found === undefined ? undefined : decodeText(found.bytes)
  return text instanceof Trouble ? undefined : text
}

/** .rucio is not there, or not ours. */
export function missing(): Trouble {
  return new Trouble('read_only', 'the data directory is missing (not mounted, or emptied)')
}
