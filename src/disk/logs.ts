// The logs: appended, cut at 1 MiB, free of secrets. Never throws and never holds anybody up: what the disk does not
// take goes to stderr.

import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { Trouble } from '../words/reason.ts'
import { type Log, type LogName, logNames } from '../words/status.ts'
import { toIso, type World } from '../words/world.ts'
import { layout, type Root } from './layout.ts'
import { makeDir } from './put.ts'
import { openFilter } from './secrets.ts'
import { openRegular, statRegular, walk } from './way.ts'

const mostBytes = 2 ** 20
/** of one call of log(): a stack trace fits, an answer of a server does not */
const mostText = 16 * 1024
/** waiting for a disk that hangs */
const mostWaiting = 10_000

/** By boot id: rooms below the loop have no Log of their own, but what they set aside must be told. */
const opened = new Map<string, Log>()

/** Appends lines `ISO-TIME text` to .rucio/logs/NAME.log, rotated at 1 MiB (one older file is kept). Secrets given to hide() and
 *  `Bearer …`, `X-Rucio-Auth-Token: …`, PEM blocks are replaced. Failure to log is never thrown. */
export function openLogs(
  root: Root,
  world: World,
): { readonly log: Log; hide(secret: string): void; flush(): Promise<void> } {
  const { hide, filter } = openFilter()
  const started = new Set<LogName>()
  let waiting: { readonly name: LogName; readonly lines: string }[] = []
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      for (const name of logNames) {
        const lines = batch.filter(each => each.name === name).map(each => each.lines)
        if (lines.length === 0) continue
        try {
          await append(root, name, lines, started)
        } catch (error) {
          // The next append cuts what was half written; the lines themselves are not lost, but told elsewhere.
          started.delete(name)
          process.stderr.write(`${name}.log: ${String(error)}\n${lines.join('')}`)
        }
      }
    }
    writing = undefined
  }

  const log: Log = (name, text) => {
    const lines = toLines(filter(text), world.now())
    if (waiting.length >= mostWaiting || root.readOnly === true) {
      process.stderr.write(lines)
      return
    }
    waiting.push({ name, lines })
    writing ??= write()
  }
  opened.set(root.bootId, log)
  return {
    log,
    hide,
    async flush() {
      while (writing !== undefined) await writing
    },
  }
}

/** A line for rucio_downloader.log from a room that has no Log; to stderr when this process opened no logs. */
export function say(root: Root, text: string): void {
  const log = opened.get(root.bootId)
  if (log !== undefined) log('rucio_downloader', text)
  else process.stderr.write(`${openFilter().filter(text)}\n`)
}

/** Lines of a log as it stands, each with its newline; [] when there is none. */
export async function readLog(root: Root, name: LogName): Promise<string[]> {
  const handle = await openRegular(root, layout.log(root, name))
  if (handle === undefined) return []
  try {
    const { size } = await handle.stat()
    const from = Math.max(0, size - 2 * mostBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const lines = buffer.toString('utf8', 0, bytesRead).match(/[^\n]*\n/g) ?? []
    return from > 0 ? lines.slice(1) : lines
  } finally {
    await handle.close()
  }
}

/** One call as lines. Only the first begins with a time: text from outside cannot pass for a line of ours. */
function toLines(text: string, now: number): string {
  const [first = '', ...more] = text.slice(0, mostText).split(/\r\n|\r|\n/)
  return `${toIso(now)} ${[first, ...more.map(each => `  ${each}`)].map(visible).join('\n').trimEnd()}\n`
}

function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    char => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  )
}

async function append(
  root: Root,
  name: LogName,
  lines: readonly string[],
  started: Set<LogName>,
): Promise<void> {
  const path = layout.log(root, name)
  if ((await walk(root, layout.logs(root))) === undefined) await makeDir(layout.logs(root))
  let handle: FileHandle | undefined
  try {
    for (const chunk of chunks(lines)) {
      const size = (await statRegular(root, path))?.size ?? 0
      if (size > 0 && size + Buffer.byteLength(chunk) > mostBytes) {
        await handle?.close()
        handle = undefined
        await rename(path, `${path}.1`)
      }
      handle ??= await openLog(path)
      if (!started.has(name)) await cutHalfLine(handle)
      started.add(name)
      await handle.appendFile(chunk)
    }
  } finally {
    await handle?.close()
  }
}

async function openLog(path: string): Promise<FileHandle> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  const handle = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new Trouble('refused', 'the log is no regular file')
}

/** What a crash or a full disk cut in the middle of a line goes, or the next line would be glued to it. */
async function cutHalfLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat()
  const from = Math.max(0, size - mostText * 4)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
  const end = buffer.subarray(0, bytesRead).lastIndexOf('\n')
  // No newline within the longest text that log() writes: not ours, and better a glued line than a lost one.
  if (end < 0 && from > 0) return
  if (end + 1 < bytesRead) await handle.truncate(from + end + 1)
}

/** Whole lines, joined to pieces that leave a rotated file near its size. */
function* chunks(lines: readonly string[]): Generator<string> {
  let chunk = ''
  for (const line of lines) {
    if (chunk.length + line.length > mostBytes / 4) {
      yield chunk
      chunk = ''
    }
    chunk += line
  }
  if (chunk !== '') yield chunk
}
