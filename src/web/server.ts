import type { Root } from '../disk/layout.ts'
import type { Accept } from '../wishes/accept.ts'
import type { ProgressTable } from '../words/progress.ts'
import type { DataState, Log } from '../words/status.ts'
import type { World } from '../words/world.ts'

export type WebOptions = {
  readonly hosts: readonly string[]
  /** 0 = a free one */
  readonly port: number
  readonly allowedHosts: readonly string[]
  readonly cachePrefix: string | undefined
  readonly world: World
  /** version of package.json, for GET /status */
  readonly version: string
  /** undefined until the lease is held: everything but GET /status and GET / is 503 `starting` then */
  readonly site: () => Site | undefined
}

/** What the web may see. It writes wishes and reads the disk; it never imports loop/. */
export type Site = {
  readonly root: Root
  readonly accept: Accept
  readonly log: Log
  readonly progress: ProgressTable
  /** the loop's view of DATA, with a sentence */
  readonly state: () => { readonly state: DataState; readonly message: string }
  /** what stands in the way of all datasets: reasons of the loop (offline, auth, disk_full …) as sentences, for GET /status and /datasets */
  readonly troubles: () => readonly string[]
  /** per-dataset words of the loop that no record holds (why it waits): NAME -> {reason, message} */
  readonly waiting: (name: string) => { readonly reason: string; readonly message: string } | undefined
  /** called after anything on disk changed that a waiter may wait for */
  readonly onChange: (listener: () => void) => () => void
}

export type Web = {
  /** first URL in use, e.g. http://127.0.0.1:8000 */
  readonly url: string
  readonly ports: readonly number[]
  close(): Promise<void>
}

/** Throws the listen error (EADDRINUSE …) as it is. */
export declare function startWeb(options: WebOptions): Promise<Web>
