import type { Root } from './layout.ts'

/** Makes what is Rucio's of NAME go (DESIGN.md, the row of `"remove": true`): NAME/.rucio is renamed to trash/NAME first, aside/ goes
 *  back to NAME/, each file of its listing is unlinked, INCOMPLETE.txt too, NAME/ when it is empty then. May be killed anywhere and
 *  called again. Does not touch requests/. */
export declare function throwAway(root: Root, name: string): Promise<void>
/** NAMEs whose removal has begun and not ended: nothing may be fetched for them before throwAway() has ended. */
export declare function inTrash(root: Root): Promise<string[]>
