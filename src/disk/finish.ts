// A verified part gets its final name, and what lay there goes to aside/. Never reads a byte of a file, and never writes over one.

import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListingLine } from '../words/listing.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import type { VerifiedLine } from '../words/verified.ts'
import { toIso, type World } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import type { VerifiedLog } from './lines.ts'
import { fence, makeDir, place, syncDir } from './put.ts'
import { names, type Stat, stamp, statRegular } from './read.ts'
import { freePath, toDisk, walk } from './way.ts'

/** A part that is synced and verified gets its final name: INCOMPLETE.txt is there already (the loop writes it); what lies under the final name
 *  goes to aside/ first; fence, rename, line appended (not yet synced: the caller syncs the log in batches of a second), sidecar removed.
 *  Killed after the rename, the file lies there without a line, and adopt() reads it.
 *  @throws Trouble `corrupt` when part or sums are not what the listing says: nothing has changed then; others as the disk has it */
export async function finish(options: {
  readonly root: Root
  readonly name: string
  readonly line: ListingLine
  /** ours, over the whole file */
  readonly adler32: string
  readonly md5?: string
  readonly log: VerifiedLog
  readonly world: World
  /** the inode that was written and verified: another file of that name is none of ours */
  readonly ino?: number
  /** false where it is known that none was written */
  readonly hasSidecar?: boolean
}): Promise<VerifiedLine> {
  const { root, name, line, adler32, md5, log, world, ino } = options
  const part = layout.part(root, name, line.path)
  const file = layout.file(root, name, line.path)
  const ready = await statRegular(root, part)
  if (ready === undefined || ready.ino !== (ino ?? ready.ino))
    throw new Trouble('disk_error', `the part of ${line.path} has gone, or was replaced while it was written`)
  if (ready.size !== line.bytes)
    throw new Trouble('corrupt', `${line.path} has ${ready.size} of ${line.bytes} bytes`)
  if (!isRight(line, { adler32, ...(md5 === undefined ? {} : { md5 }) }))
    throw new Trouble('corrupt', `${line.path} has another checksum than the catalogue says`)
  log.mustTake()
  await putAside(root, name, line.path, world.now())
  const isThere = async (): Promise<boolean> => (await statRegular(root, file))?.size === line.bytes
  await place(root, { from: part, to: file, isThere })
  // Looked at after the rename: some shares change the mtime with it.
  const there = await statRegular(root, file)
  if (there?.size !== line.bytes) throw new Trouble('disk_error', `${line.path} has gone or changed at once`)
  const verified = verifiedLine({ line, adler32, md5, stat: there, now: world.now() })
  await log.append(verified)
  if (options.hasSidecar !== false) await dropSidecar(layout.sidecar(root, name, line.path))
  return verified
}

/** Are these sums what the listing says? adler32 where it has one, else md5, else there is nothing to compare.
 *  A listing with md5 alone is not satisfied by sums without one. */
export function isRight(
  line: ListingLine,
  sums: { readonly adler32: string; readonly md5?: string },
): boolean {
  if (line.adler32 !== undefined) return sums.adler32 === line.adler32
  return line.md5 === undefined || sums.md5 === line.md5
}

/** The line that says that a file lies there and is right. */
export function verifiedLine(options: {
  readonly line: ListingLine
  readonly adler32: string
  readonly md5: string | undefined
  /** of the file under its final name */
  readonly stat: Pick<Stat, 'mtimeMs'>
  readonly now: number
}): VerifiedLine {
  const { line, adler32, md5, stat, now } = options
  // A disk may give times that no Date takes; such a file is in doubt and read again.
  const mtimeMs = Math.abs(stat.mtimeMs) <= 8.64e15 ? stat.mtimeMs : 0
  return {
    path: line.path,
    bytes: line.bytes,
    adler32,
    ...(md5 === undefined ? {} : { md5 }),
    ...(line.adler32 === undefined && line.md5 === undefined ? { unchecked: true } : {}),
    mtime: toIso(mtimeMs),
    at: toIso(now),
  }
}

/** Whatever lies under the final name of a file goes to NAME/.rucio/aside/PATH.TIME: a person's file, link or folder, whole and
 *  as it is. Nothing there is fine. The dataset's own directory is not synced (VerifiedLog.sync does).
 *  @param now ms since 1970 */
export async function putAside(root: Root, name: string, path: string, now: number): Promise<void> {
  const file = layout.file(root, name, path)
  if ((await walk(root, file)) === undefined) return
  const dir = layout.aside(root, name)
  await makeDir(dir)
  const free = await freePath(root, join(dir, `${path}.${stamp(now)}`))
  await place(root, { from: file, to: free, isThere: async () => (await walk(root, free)) !== undefined })
  await syncDir(dir)
}

/** Of a dataset that is whole no part means anything any more: the sidecar of a file whose process was killed between its line and the
 *  sidecar's end, what came of files that a newer listing does not name. What is neither part nor sidecar stays. */
export async function dropParts(root: Root, name: string): Promise<void> {
  const dir = layout.parts(root, name)
  const left = (await names(dir)).filter(each => /\.(part|json)$/.test(each))
  if (left.length === 0) return
  await fence(root)
  for (const each of left)
    if ((await walk(root, join(dir, each)))?.isFile()) await dropSidecar(join(dir, each))
  await syncDir(dir)
}

/** One part and its sidecar go; absent already is fine. @throws Fenced; Trouble as the disk has it */
export async function dropPart(root: Root, name: string, path: string): Promise<void> {
  if ((await walk(root, layout.parts(root, name)))?.isDirectory() !== true) return
  await fence(root)
  await dropSidecar(layout.sidecar(root, name, path))
  await dropSidecar(layout.part(root, name, path))
  await syncDir(layout.parts(root, name))
}

/** Its directory is not synced: a sidecar that comes back after a power cut belongs to a file that has its line. */
async function dropSidecar(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw toDisk(error)
  }
}
