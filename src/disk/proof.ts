import type { ListingHead, ListingLine } from '../words/listing.ts'
import type { Root } from './layout.ts'

export type Harm = {
  readonly path: string
  /** absent, size, mtime (right size, other mtime: doubt), unproved (no line) */
  readonly kind: 'absent' | 'size' | 'mtime' | 'unproved' | 'refused'
}

export type Proof =
  | { readonly kind: 'whole'; readonly head: ListingHead; readonly paths: readonly string[] }
  /** listed, but not (or no longer) whole */
  | {
      readonly kind: 'harmed'
      readonly head: ListingHead
      readonly harm: readonly Harm[]
      readonly lines: readonly ListingLine[]
    }
  | { readonly kind: 'unlisted' }

/** Is NAME whole now? listing.jsonl, verified.jsonl, sizes and mtimes; no byte of a file is read. `complete` is not looked at:
 *  where marker and proof differ, the proof holds. Lines of the harmed files only. */
export declare function prove(root: Root, name: string): Promise<Proof>
