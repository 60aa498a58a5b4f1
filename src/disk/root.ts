import type { World } from '../words/world.ts'
import type { Root } from './layout.ts'

/** Refusal of a directory that is not ours to use: message for a person; the process ends with code 2. */
export declare class NotOurs extends Error {}

/** Opens DATA (which exists; it may itself be a link). Empty directory (lost+found, .DS_Store and the like do not count) = made a data
 *  directory with a new id; with format.json = taken, if `dataId` is absent or equal; else NotOurs. */
export declare function openRoot(options: {
  readonly dir: string
  readonly dataId?: string
  readonly fenced: boolean
  readonly world: World
}): Promise<{ readonly root: Root; readonly made: boolean }>

/** format.json still says root.id? 'missing' otherwise. 'read_only' when a probe write fails so (probe at most once a minute, only after
 *  a failure was reported by reportReadOnly). */
export declare function checkRoot(root: Root): Promise<'ready' | 'missing'>
/** A tiny file staged and removed: 'ready' or the reason why nothing can be written. */
export declare function probeWrite(root: Root): Promise<'ready' | 'read_only' | 'disk_full' | 'disk_error'>
/** Bytes that may still be written by us. */
export declare function freeBytes(root: Root): Promise<number>
/** The directories that a daemon needs, staging of the boot id that owner.json named removed (others' when older than a minute). */
export declare function prepare(root: Root, previousBootId: string | undefined, now: number): Promise<void>
