import type { Root } from './layout.ts'

/** DESIGN.md rule 2: the one way JSON reaches the disk. Staged, size checked, fenced, renamed, directory synced. */
export declare function put(root: Root, target: string, record: object): Promise<void>
/** The same for text that is not JSON (INCOMPLETE.txt, .problem, markers). */
export declare function putText(root: Root, target: string, text: string): Promise<void>
/** Fence, rename, sync both directories. Replaces the target. ENOENT = look whether the target is there already. */
export declare function move(root: Root, from: string, to: string): Promise<void>
/** Fence, unlink, sync the directory. Absent already is fine. */
export declare function remove(root: Root, path: string): Promise<void>
/** mkdir (never recursive), parent synced. There already is fine; a link there is a Trouble('refused'). */
export declare function makeDir(path: string): Promise<void>
/** EINVAL, ENOTSUP, EPERM, ENOSYS tolerated. */
export declare function syncDir(dir: string): Promise<void>
/** Throws Fenced when owner.json is another's: this process must stop writing (exit 75). */
export declare function fence(root: Root): Promise<void>
export declare class Fenced extends Error {}
