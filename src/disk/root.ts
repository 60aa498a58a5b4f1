// The data directory as a whole: is it ours, can it be written, how much room is there. Never fills a directory
// that holds other things, and never one whose disk is not mounted.

import { randomBytes } from 'node:crypto'
import { mkdir, realpath, stat, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFormat } from '../words/owner.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { asObject, decodeText, parseJson } from '../words/text.ts'
import type { World } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import { makeDir, put, stage, syncDir } from './put.ts'
import { names } from './read.ts'
import { removeTree } from './scratch.ts'
import { readBytes, toDisk, walk } from './way.ts'

/** Refusal of a directory that is not ours to use: message for a person; the process ends with code 2. */
export class NotOurs extends Error {}

/** Opens DATA (which exists; it may itself be a link). Empty directory (lost+found, .DS_Store and the like do not count) = made a data
 *  directory with a new id; with format.json = taken, if `dataId` is absent or equal; else NotOurs.
 *  A format.json of a newer format is taken too, but for reading alone (`root.readOnly`).
 *  @throws NotOurs; Trouble when the disk does not answer or takes no write */
export async function openRoot(options: {
  readonly dir: string
  readonly dataId?: string
  readonly fenced: boolean
  readonly world: World
  /** false: an empty directory stays one, and is NotOurs; default true */
  readonly make?: boolean
}): Promise<{ readonly root: Root; readonly made: boolean }> {
  const { dataId, fenced } = options
  const dir = await realDir(options.dir)
  const bootId = newId()
  const rootOf = (id: string, more: { readOnly?: true } = {}): Root => ({ dir, id, bootId, fenced, ...more })

  let format = await formatOf(dir)
  if (format === undefined) {
    await mustBeEmpty(dir)
    if (options.make === false)
      throw new NotOurs(
        `${dir} is empty and no data directory yet. Is its disk mounted? serve and add begin a new one there.`,
      )
    if (dataId !== undefined)
      throw new NotOurs(
        `${dir} is empty, but the data directory ${dataId} should be there. Is its disk mounted?` +
          ' To begin a new one here, start without --data-id.',
      )
    const made = await makeFormat(rootOf(newId()))
    if (made) return { root: made, made: true }
    format = await formatOf(dir)
  }
  if (format === undefined || format === 'broken')
    throw new NotOurs(
      `${layout.format(dir)} cannot be read as a record. Put it back from a copy, or write` +
        ' {"format": 1, "id": "…", "scope_rule": "default"} into it with the id that the start scripts name.',
    )
  if (dataId !== undefined && format.id !== dataId)
    throw new NotOurs(`${dir} is the data directory ${format.id}, not ${dataId}. Is the right disk mounted?`)
  return { root: rootOf(format.id, format.newer ? { readOnly: true } : {}), made: false }
}

/** format.json still says root.id? Else DATA is not mounted, was emptied, or is another's: nothing may be written there.
 *  @throws Trouble when the disk does not answer */
export async function checkRoot(root: Root): Promise<'ready' | 'missing'> {
  const format = await formatOf(root.dir)
  return typeof format === 'object' && format.id === root.id ? 'ready' : 'missing'
}

/** A tiny file staged and removed: 'ready' or the reason why nothing can be written. */
export async function probeWrite(root: Root): Promise<'ready' | 'read_only' | 'disk_full' | 'disk_error'> {
  try {
    await unlink(await stage(root, 'May this be written?\n'))
    return 'ready'
  } catch (error) {
    const trouble = toDisk(error)
    if (!(trouble instanceof Trouble)) throw error
    return trouble.reason === 'read_only' || trouble.reason === 'disk_full' ? trouble.reason : 'disk_error'
  }
}

/** Bytes that may still be written by us: what the file system has for users without privilege. A quota is not in it. */
export async function freeBytes(root: Root): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(root.dir)
    return bavail * bsize
  } catch (error) {
    throw toDisk(error)
  }
}

/** The directories that a daemon needs, staging of the boot id that owner.json named removed (others' when older than a minute).
 *  To be called with the lease held.
 *  @param now ms since 1970
 *  @param endPrograms ends what these lives, named by their boot ids, have left running: called before a folder goes in which it writes,
 *  and for younger lives too, since no command line starts any program there */
export async function prepare(
  root: Root,
  previousBootId: string | undefined,
  now: number,
  endPrograms: (lives: readonly string[]) => Promise<void> = async () => {},
): Promise<void> {
  if (root.readOnly === true) return
  const { requests, watch, catalogue, hosts, logs, stagings, staging, trash } = layout
  for (const dir of [requests, watch]) await makeDir(dir(root), root)
  for (const dir of [catalogue, hosts, logs, stagings, staging, trash]) await makeDir(dir(root))
  await makeDir(join(layout.own(root), 'status'))
  const others = (await names(stagings(root))).filter(name => name !== root.bootId)
  const previous = previousBootId === undefined ? [] : [previousBootId]
  await endPrograms([...new Set([...previous, ...others])].filter(life => life !== root.bootId))
  for (const name of others) {
    const dir = join(stagings(root), name)
    const found = await walk(root, dir)
    // A younger one may be of a command line that is at work; it makes its folder anew when that goes too early.
    if (found === undefined || (name !== previousBootId && now - found.mtimeMs < 60_000)) continue
    if (found.isDirectory()) await removeStaging(dir)
    else await unlink(dir)
  }
}

/** The staging folder of this process goes: for a command line that ends. */
export async function closeRoot(root: Root): Promise<void> {
  if (root.readOnly !== true && (await walk(root, layout.staging(root)))?.isDirectory() === true)
    await removeStaging(layout.staging(root))
}

async function realDir(dir: string): Promise<string> {
  try {
    const real = await realpath(dir)
    if ((await stat(real)).isDirectory()) return real
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw toDisk(error)
    throw new NotOurs(`${dir} does not exist. Make it, or mount its disk, first.`)
  }
  throw new NotOurs(`${dir} is no directory.`)
}

/** What systems put into a fresh disk or folder by themselves. */
const litter =
  /^(lost\+found|\.DS_Store|\._.*|\.Trashes|\.Trash-\d+|\.Spotlight-V100|\.fseventsd|\.TemporaryItems|\.DocumentRevisions-V100|\.apdisk|\.AppleDouble|\.directory|\.snapshot|\.nfs.*|@eaDir|#recycle|Thumbs\.db|desktop\.ini|\$RECYCLE\.BIN|System Volume Information)$/i

async function mustBeEmpty(dir: string): Promise<void> {
  const others = (await names(dir)).filter(name => !litter.test(name) && name !== '.rucio')
  // A start that was killed before format.json had its name leaves .rucio with staging/ alone.
  const inside = (await names(join(dir, '.rucio'))).filter(name => !litter.test(name) && name !== 'staging')
  const first = others[0] ?? (inside[0] === undefined ? undefined : `.rucio/${inside[0]}`)
  if (first !== undefined)
    throw new NotOurs(
      `${dir} is no data directory (it has no .rucio/format.json) and holds other things (${JSON.stringify(first)}).` +
        ' Give an empty directory.',
    )
}

/** Two processes may begin at once: whose mkdir succeeds writes the id, the other waits for it.
 *  @returns undefined when it was another */
async function makeFormat(root: Root): Promise<Root | undefined> {
  try {
    await mkdir(layout.own(root))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw toDisk(error)
    for (let tries = 0; tries < 20; tries++) {
      if ((await formatOf(root.dir)) !== undefined) return undefined
      await sleep(100)
    }
    // It was killed in between. Going on where it stopped is all there is to do.
  }
  await syncDir(root.dir)
  // There is no owner yet who could be asked.
  const free: Root = { ...root, fenced: false }
  await put(free, layout.format(root.dir), { format: 1, id: root.id, scope_rule: 'default' })
  return root
}

async function formatOf(
  dir: string,
): Promise<{ readonly id: string; readonly newer: boolean } | 'broken' | undefined> {
  const place: Root = { dir, id: '', bootId: '', fenced: false }
  const found = await readBytes(place, layout.format(dir), 2 ** 16)
  if (found === undefined) return undefined
  const text = decodeText(found.bytes)
  const parsed = text instanceof Trouble ? text : parseJson(text)
  if (parsed instanceof Trouble) return 'broken'
  const known = readFormat(parsed.json)
  if (known !== undefined) return { id: known.id, newer: false }
  const { format, id } = asObject(parsed.json) ?? {}
  return typeof format === 'number' && format > 1 && typeof id === 'string' && id !== ''
    ? { id, newer: true }
    : 'broken'
}

/** Without following a link: what a process staged lies there, and the scratch folders of programs that it ran. */
async function removeStaging(dir: string): Promise<void> {
  for (const name of await names(dir)) await removeTree(join(dir, name))
  await removeTree(dir)
}

function newId(): string {
  return randomBytes(8).toString('hex')
}
