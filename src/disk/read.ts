import type { FileHandle } from 'node:fs/promises'
import type { Trouble } from '../words/reason.ts'
import type { Root } from './layout.ts'

export type Stat = { readonly size: number; readonly mtimeMs: number; readonly ino: number }

/** A regular file below DATA, opened for reading: lstat of each component, O_NOFOLLOW, O_NONBLOCK.
 *  undefined when absent; Trouble('refused') thrown for a link or anything that is no regular file. */
export declare function openRegular(root: Root, path: string): Promise<FileHandle | undefined>
/** lstat of each component below DATA; undefined when absent; Trouble('refused') thrown for links and the like. */
export declare function statRegular(root: Root, path: string): Promise<Stat | undefined>
/** The user's text, decoded (BOM, UTF-16, CRLF). At most 64 MiB. */
export declare function readUserText(
  root: Root,
  path: string,
): Promise<{ readonly text: string; readonly stat: Stat } | Trouble | undefined>
/** The daemon's own record. What does not parse or check is set aside as NAME.bad-TIME and logged; then undefined. */
export declare function readRecord<T>(
  root: Root,
  path: string,
  check: (json: unknown) => T | undefined,
): Promise<T | undefined>
/** Names in a directory; [] when absent. */
export declare function names(dir: string): Promise<string[]>
