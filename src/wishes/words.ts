// The word of /ds, kept for a short while. Never answers another word than the disk gives.

import type { Root } from '../disk/layout.ts'
import { stampOf } from '../disk/stamp.ts'
import { type Said, wordOf } from '../disk/word.ts'
import type { World } from '../words/world.ts'
import { type Kept, keep } from './kept.ts'

export type { Said } from '../disk/word.ts'

/** Paths of whole datasets that may lie in memory: some 60 MB of strings at the very most. */
const mostPaths = 500_000
const shortMs = 2000

/** @param localMs how long `local` is kept at least while no name changes; bytes changed in place within a file show after that */
export function keepWords(root: Root, world: World, localMs = shortMs): Kept<Said> {
  return keep<Said>({
    look: name => wordOf(root, name, world.now()),
    stamp: name => stampOf(root, name),
    world,
    weight: said => said.paths.length + 50,
    most: mostPaths,
    leastMs: said => (said.word === 'local' ? localMs : shortMs),
  })
}
