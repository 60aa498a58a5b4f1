import type { Log, LogName } from '../words/status.ts'
import type { World } from '../words/world.ts'
import type { Root } from './layout.ts'

/** Appends lines `ISO-TIME text` to .rucio/logs/NAME.log, rotated at 1 MiB (one older file is kept). Secrets given to hide() and
 *  `Bearer …`, `X-Rucio-Auth-Token: …`, PEM blocks are replaced. Failure to log is never thrown. */
export declare function openLogs(
  root: Root,
  world: World,
): { readonly log: Log; hide(secret: string): void; flush(): Promise<void> }
/** Lines of a log as it stands, each with its newline; [] when there is none. */
export declare function readLog(root: Root, name: LogName): Promise<string[]>
