// Reads what lies in DATA: a person's text, and the daemon's own records, of which a broken one is set aside.
// Never follows a link, and never changes a person's text.

import { lstat, opendir, readdir } from 'node:fs/promises'
import { relative } from 'node:path'
import { codeOf, Trouble, toTrouble } from '../words/reason.ts'
import { decodeText, parseJson } from '../words/text.ts'
import { toIso } from '../words/world.ts'
import type { Root } from './layout.ts'
import { say } from './logs.ts'
import { Fenced, move } from './put.ts'
import { freePath, readBytes, type Stat, toDisk, walk } from './way.ts'

export { freePath, openRegular, type Stat, sameStat, statEach, statRegular } from './way.ts'

const mostBytes = 64 * 2 ** 20

/** The user's text, decoded (BOM, UTF-16, CRLF). At most 64 MiB.
 *  @returns a Trouble for what its user must mend: no text, too big, a link. undefined when absent
 *  @throws Trouble when the disk does not give it (EIO, EMFILE, …): that is no fault of the text */
export async function readUserText(
  root: Root,
  path: string,
): Promise<{ readonly text: string; readonly stat: Stat } | Trouble | undefined> {
  try {
    const found = await readBytes(root, path, mostBytes)
    if (found === undefined) return undefined
    const text = decodeText(found.bytes)
    return text instanceof Trouble ? text : { text, stat: found.stat }
  } catch (error) {
    if (error instanceof Trouble && error.reason === 'refused') return error
    throw error
  }
}

/** The daemon's own record. What does not parse or check is set aside as NAME.bad-TIME and logged; then undefined, as when
 *  it is absent. Who holds no lease (the command line) leaves it where it lies.
 *  @param check undefined for what is of no use
 *  @throws Trouble `refused` for a link; others when the disk does not give it: never "missing" */
export async function readRecord<T>(
  root: Root,
  path: string,
  check: (json: unknown) => T | undefined,
): Promise<T | undefined> {
  const found = await readUserText(root, path)
  if (found === undefined) return undefined
  if (found instanceof Trouble) {
    // Other than a text that is none, a link must not be touched.
    if ((await walk(root, path))?.isFile() !== true) throw found
  } else {
    const parsed = parseJson(found.text)
    const record = parsed instanceof Trouble ? undefined : check(parsed.json)
    if (record !== undefined) return record
  }
  await setAside(root, path)
  return undefined
}

/** A file of the daemon's own that cannot be used: renamed to NAME.bad-TIME (TIME: when it was last written) and logged.
 *  Where that fails it stays, and is told in the log: put() replaces it when what it said is found out again.
 *  @throws Fenced */
export async function setAside(root: Root, path: string): Promise<void> {
  if (!root.fenced || root.readOnly === true) return
  const name = relative(root.dir, path)
  try {
    const found = await walk(root, path)
    if (found === undefined) return
    const free = await freePath(root, `${path}.bad-${stamp(found.mtimeMs)}`)
    await move(root, path, free)
    say(root, `${name} cannot be used and was set aside as ${relative(root.dir, free)}`)
  } catch (error) {
    if (error instanceof Fenced) throw error
    say(root, `${name} cannot be used, and could not be set aside: ${toTrouble(toDisk(error)).message}`)
  }
}

/** Names in a directory, `.nfs…` (what NFS leaves of a deleted file that is open) left out; [] when absent.
 *  @throws Trouble `refused` for a link or no directory; others when the disk does not give them */
export async function names(dir: string): Promise<string[]> {
  try {
    if (!(await lstat(dir)).isDirectory())
      throw new Trouble('refused', 'a link or file lies where a folder should')
    return (await readdir(dir)).filter(name => !name.startsWith('.nfs'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw toDisk(error)
  }
}

/** The same name by name, for folders of which nobody knows how many they hold: 200,000 names at once are felt.
 *  @param each false: no further
 *  @throws Trouble as names() */
export async function eachName(dir: string, each: (name: string) => boolean): Promise<void> {
  try {
    if (!(await lstat(dir)).isDirectory())
      throw new Trouble('refused', 'a link or file lies where a folder should')
    // Leaving the loop closes it.
    for await (const { name } of await opendir(dir, { bufferSize: 512 }))
      if (!name.startsWith('.nfs') && !each(name)) return
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw toDisk(error)
  }
}

/** A time as part of a file's name, which knows no colon: 20260301T100512Z. */
export function stamp(at: number): string {
  // Beyond what a Date takes: a disk may give any mtime.
  if (!(Math.abs(at) < 8e15)) return '0'
  return toIso(at).replace(/[-:]|\.\d+/g, '')
}
