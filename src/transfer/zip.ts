// Members of a zip archive that lies on our disk, by name. Never writes a file, never takes a name in an archive for a path, and never
// gives a byte of a member before all of it has the size that the catalogue says and the sum that the archive says.

import { crc32 } from 'node:zlib'
import yauzl, { type Entry, type ZipFile } from 'yauzl'
import { clean, Trouble } from '../words/reason.ts'

// A directory of more is not read into memory: 16 million entries fit into a gigabyte of archive.
const mostEntries = 1_000_000

/** The bytes of a member are not what the archive itself says: reason `corrupt`. The archive was damaged where it lies, or on its way. */
export class Damaged extends Trouble {}

export type Zip = {
  /** names of the members that were asked for and are there */
  readonly members: ReadonlySet<string>
  /** The bytes of one member from its first on, once it was read through and found to have its CRC-32 (APPNOTE.TXT 4.4.7).
   *  @throws Damaged for another sum or what cannot be unpacked; Trouble `corrupt` when it is not there or has another size, `unsupported` when it is encrypted or packed in a
   *  rare way; the reason of `signal` */
  read(member: string, bytes: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
}

/** Reads the directory of an archive. The handle stays the caller's, and must stay open while members are read.
 *  @param fd of the archive, opened for reading
 *  @param isWanted of a member's name: of others nothing is kept
 *  @throws Trouble `corrupt` when it is no zip, `too_big` for a directory that is not read */
export async function openZip(fd: number, isWanted: (name: string) => boolean): Promise<Zip> {
  const file = await open(fd)
  if (file.entryCount > mostEntries)
    throw new Trouble('too_big', `an archive says that it has ${file.entryCount} members`)
  const entries = await readDirectory(file, isWanted)
  const right = new Set<Entry>()
  return {
    members: new Set(entries.keys()),
    async read(member, bytes, signal) {
      const entry = entries.get(member)
      if (entry === undefined) throw new Trouble('corrupt', `the archive has no member ${clean(member, 100)}`)
      // Before a byte is unpacked: a bomb is one that says another size than the catalogue, or gives another than it says (yauzl
      // ends a stream that does).
      if (entry.uncompressedSize !== bytes)
        throw new Trouble(
          'corrupt',
          `the archive's member ${clean(member, 100)} has ${entry.uncompressedSize} bytes where the catalogue says ${bytes}`,
        )
      if (entry.isEncrypted() || (entry.compressionMethod !== 0 && entry.compressionMethod !== 8))
        throw new Trouble('unsupported', `the archive's member ${clean(member, 100)} is packed in a rare way`)
      // yauzl checks sizes alone. What is handed on lands in a part, and of a file for which the catalogue has no checksum nobody could
      // tell later that it is wrong: hence a member is unpacked twice, which costs less than bringing it did.
      if (!right.has(entry)) {
        if ((await sumOf(file, entry, signal)) !== entry.crc32)
          throw new Damaged(
            'corrupt',
            `the archive's member ${clean(member, 100)} is damaged: it has not the CRC-32 that the archive says`,
          )
        right.add(entry)
      }
      return stream(file, entry)
    },
  }
}

/** decodeStrings false: the names are bytes to us, and one odd name of another member must not spoil the archive. */
function open(fd: number): Promise<ZipFile> {
  const options = { autoClose: false, lazyEntries: true, decodeStrings: false, validateEntrySizes: true }
  return new Promise((resolve, reject) => {
    yauzl.fromFd(fd, options, (error, file) => (error === null ? resolve(file) : reject(noZip(error))))
  })
}

function readDirectory(file: ZipFile, isWanted: (name: string) => boolean): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  return new Promise((resolve, reject) => {
    file.on('error', error => reject(noZip(error)))
    file.on('end', () => resolve(entries))
    file.on('entry', (entry: Entry) => {
      const name = Buffer.from(entry.fileName as unknown as Uint8Array).toString('utf8')
      // Of two with one name the last counts, as for whoever adds to an archive.
      if (isWanted(name)) entries.set(name, entry)
      file.readEntry()
    })
    file.readEntry()
  })
}

async function* stream(file: ZipFile, entry: Entry): AsyncIterable<Uint8Array> {
  const source = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    file.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(noZip(error))))
  })
  try {
    for await (const chunk of source) yield chunk as Buffer
  } catch (error) {
    throw new Damaged('corrupt', noZip(error).detail, error)
  }
}

async function sumOf(file: ZipFile, entry: Entry, signal: AbortSignal): Promise<number> {
  let sum = 0
  for await (const chunk of stream(file, entry)) {
    signal.throwIfAborted()
    sum = crc32(chunk, sum)
  }
  return sum
}

function noZip(error: unknown): Trouble {
  if (error instanceof Trouble) return error
  return new Trouble(
    'corrupt',
    `the archive cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    error,
  )
}
