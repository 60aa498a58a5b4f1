import type { Root } from '../disk/layout.ts'
import type { World } from '../words/world.ts'
import type { Accept } from './accept.ts'

/** One look at watch/ (DESIGN.md, "The watch folder"): takes what has settled (two looks 2 s apart agree), writes the answers, brings
 *  old answers up to date. Called by the loop; keeps what the last look saw in memory only.
 *  @returns ms until it wants to be called again because something has not settled; undefined when nothing waits */
export type WatchFolder = { look(): Promise<number | undefined> }
export declare function openWatchFolder(root: Root, world: World, accept: Accept): WatchFolder
