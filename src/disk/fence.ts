// Who owns the data directory: the look at owner.json before each change of a name. Never writes, and never guesses.

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFormat, readOwner } from '../words/owner.ts'
import { Trouble } from '../words/reason.ts'
import { decodeText, parseJson } from '../words/text.ts'
import { layout, type Root } from './layout.ts'
import { readBytes, type Stat, sameStat } from './way.ts'

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
  if (await isAsRead(root)) return 'ours'
  // SMB and some FUSE mounts replace a file in two steps, so a name may be away for an instant.
  for (const pauseMs of [50, 200, 0]) {
    const found = await readBytes(root, layout.owner(root), mostBytes)
    const owner = readOwner(jsonIn(found?.bytes))
    if (found !== undefined && owner !== undefined) {
      const isOurs = owner.boot_id === root.bootId
      if (isOurs) remember(root.bootId, found.stat)
      return isOurs ? 'ours' : 'another'
    }
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return readFormat(await jsonOf(root, layout.format(root.dir)))?.id === root.id ? 'another' : 'missing'
}

const mostBytes = 64 * 2 ** 20

/** boot id -> owner.json as it was when it was read and named that boot, and when it was first seen so (performance.now()) */
const asRead = new Map<string, { readonly stat: Stat; readonly since: number; readonly isSettled: boolean }>()
/** exFAT keeps times in steps of 2 s: within one a file may be written again and look the same. */
const settleMs = 2500

function remember(bootId: string, stat: Stat): void {
  const now = performance.now()
  const before = asRead.get(bootId)
  const since = before !== undefined && sameStat(before.stat, stat) ? before.since : now
  asRead.set(bootId, { stat, since, isSettled: now - since > settleMs })
}

/** Is it the very file that was read before, and had settled then? put() gives each new one an inode and a time of its own. It is opened,
 *  not only looked at, since NFS asks its server then and not else. A thousand small files would spend a quarter of their calls on reading
 *  it again and again. */
async function isAsRead(root: Root): Promise<boolean> {
  const before = asRead.get(root.bootId)
  if (before?.isSettled !== true) return false
  try {
    const handle = await open(
      layout.owner(root),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    try {
      return sameStat(await handle.stat(), before.stat)
    } finally {
      await handle.close()
    }
  } catch {
    // Whatever is the matter, reading it will tell.
    return false
  }
}

async function jsonOf(root: Root, path: string): Promise<unknown> {
  return jsonIn((await readBytes(root, path, mostBytes))?.bytes)
}

function jsonIn(bytes: Uint8Array | undefined): unknown {
  const text = bytes === undefined ? '' : decodeText(bytes)
  const parsed = text instanceof Trouble ? text : parseJson(text)
  return parsed instanceof Trouble ? undefined : parsed.json
}

/** A small text of ours; undefined when absent or no text. */
export async function textOf(root: Root, path: string): Promise<string | undefined> {
  const found = await readBytes(root, path, mostBytes)
  const text = found === undefined ? undefined : decodeText(found.bytes)
  return text instanceof Trouble ? undefined : text
}

/** .rucio is not there, or not ours. */
export function missing(): Trouble {
  return new Trouble('read_only', 'the data directory is missing (not mounted, or emptied)')
}
