import type { ListingLine } from '../words/listing.ts'
import type { VerifiedLine } from '../words/verified.ts'
import type { World } from '../words/world.ts'
import type { Root } from './layout.ts'

/** Adler32 and md5 of a file by reading it (1 MiB at a time), with size and mtime before and after: undefined when it changed meanwhile. */
export declare function readSums(
  root: Root,
  path: string,
  signal: AbortSignal,
): Promise<
  | { readonly bytes: number; readonly adler32: string; readonly md5: string; readonly mtimeMs: number }
  | undefined
>

/** Looks for the bytes of one listed file that may lie there already: under its path, else under its raw name, in the folder NAME or in
 *  the folder of the DID's bare name (what `rucio download` makes: names with slashes are folders, a leading slash leaves the last part).
 *  Size first, then read and compared. Right = moved to NAME/PATH where it lies elsewhere, synced, and the line to append returned.
 *  Wrong bytes under its own path = left there (finish.ts puts them aside when the right ones come). */
export declare function adopt(options: {
  readonly root: Root
  readonly name: string
  /** bare name of the dataset's DID */
  readonly bareName: string
  readonly line: ListingLine
  readonly world: World
  readonly signal: AbortSignal
}): Promise<VerifiedLine | undefined>
