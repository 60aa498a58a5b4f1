import type { Did } from '../words/did.ts'
import type { Root } from './layout.ts'

export type Word = 'not_on_server' | 'downloading' | 'local' | 'does_not_exist'

/** The word of /ds (DESIGN.md, "The word of /ds") from the disk alone; `paths` only with local, in the listing's order.
 *  The caller keeps proofs for a while (web/, wishes/watch.ts); this always looks. */
export declare function wordOf(
  root: Root,
  name: string,
  now: number,
): Promise<{ readonly word: Word; readonly paths: readonly string[] }>

/** NAMEs that are here, under requests/, as a dataset folder (with .rucio) or in the trash. */
export declare function knownNames(root: Root): Promise<ReadonlySet<string>>
/** A NAME that is here and differs from `name` only by letter case. */
export declare function caseTwin(root: Root, name: string): Promise<string | undefined>
/** What a NAME's own records say that its DID is: request, listing, catalogue answer; undefined when none does. */
export declare function didHere(root: Root, name: string): Promise<Did | undefined>
