import type { Root } from '../disk/layout.ts'
import type { Word } from '../disk/word.ts'
import type { Did } from '../words/did.ts'
import type { World } from '../words/world.ts'

export type Accepted =
  | { readonly kind: 'answer'; readonly word: Word; readonly paths: readonly string[] }
  | { readonly kind: 'name_taken'; readonly by: string }
  | { readonly kind: 'queue_full' }

/** Wishes, one at a time (a queue of promises per process). Each returns once the wish survives a power cut; disk errors are thrown. */
export type Accept = {
  /** POST /ds and the watch folder */
  want(did: Did): Promise<Accepted>
  /** DELETE /ds: `"remove": true` */
  remove(did: Did): Promise<Accepted>
  /** GET /dsfiles: catalogue/NAME.queued, unless there is a fresh answer; 100 at most */
  list(did: Did): Promise<'queued' | 'queue_full'>
  /** Runs in the same queue: while it runs no wish is written. For the loop's own steps on requests/. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
}

/** @param wake tells the loop that there is something new */
export declare function openAccept(root: Root, world: World, wake: () => void): Accept
