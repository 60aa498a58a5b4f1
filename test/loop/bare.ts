// A loop on an empty data directory, with nothing to transfer and no catalogue to ask. For tests of when it looks, not of what it does.

import type { Root } from '../../src/disk/layout.ts'
import type { Daemon } from '../../src/loop/daemon.ts'
import { startLoop } from '../../src/loop/loop.ts'
import { openCatalogueRest } from '../../src/loop/rest.ts'
import { openWorks } from '../../src/loop/work.ts'
import type { World } from '../../src/words/world.ts'

type Parts = Parameters<typeof startLoop>[1]

export function startBareLoop(
  root: Root,
  world: World,
  parts: Omit<Parts, 'renewHints'>,
): ReturnType<typeof startLoop> {
  const daemon = {
    root,
    world,
    works: openWorks(root),
    catalogue: openCatalogueRest(world),
    listFailures: new Map(),
    changed() {},
    log() {},
  } as unknown as Daemon
  return startLoop(daemon, { ...parts, renewHints() {} })
}
