// How storages have done: rests and rates, in memory always, in .rucio/hosts/ now and then. Never asks a storage.

import { basename } from 'node:path'
import { afterHostFailure, afterHostSuccess, freshHost, restsUntil } from '../decide/backoff.ts'
import { layout, type Root } from '../disk/layout.ts'
import { Fenced, makeDir, put } from '../disk/put.ts'
import { names, readRecord } from '../disk/read.ts'
import { type HostRecord, readHostRecord } from '../words/owner.ts'
import { toTrouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'

// A crash loses at most this much of what was learned about hosts, and nothing of any file.
const saveMs = 60_000
// What took shorter tells nothing about a rate.
const leastRateMs = 200

export class Hosts {
  readonly #root: Root
  readonly #world: World
  readonly #known = new Map<string, HostRecord>()
  readonly #unsaved = new Set<string>()
  /** what hosts said that rest because they do not take our credential; in memory, since the next start may have another */
  readonly #refusals = new Map<string, string>()
  #savedAt = performance.now()

  private constructor(root: Root, world: World) {
    this.#root = root
    this.#world = world
  }

  /** @param tell told of a record that cannot be read: what it said is learned again */
  static async open(root: Root, world: World, tell: (text: string) => void): Promise<Hosts> {
    const hosts = new Hosts(root, world)
    for (const name of await names(layout.hosts(root))) {
      if (!name.endsWith('.json') || name.startsWith('.')) continue
      try {
        const record = await readRecord(root, layout.host(root, name.slice(0, -5)), readHostRecord)
        // Under another's name it is a copy that somebody made.
        if (record !== undefined && basename(layout.host(root, record.host)) === name)
          hosts.#known.set(record.host, record)
      } catch (error) {
        if (error instanceof Fenced) throw error
        tell(`hosts/${name} cannot be read: ${toTrouble(error).message}`)
      }
    }
    return hosts
  }

  /** @param askedMs its Retry-After, in ms
   *  @returns until when it rests, ms since 1970 */
  failed(host: string, askedMs?: number): number {
    const now = this.#world.now()
    const seen = { now, chance: this.#world.chance(), ...(askedMs === undefined ? {} : { askedMs }) }
    const after = afterHostFailure(this.#of(host), seen)
    this.#set(host, after)
    return restsUntil(after, now)
  }

  /** It does not take our credential, for whatever file: all its files wait. */
  refusedUs(host: string, detail: string): void {
    this.failed(host)
    this.#refusals.set(host, detail)
  }

  /** What it said when it refused us last; undefined for a host that rests for another reason. */
  refusalOf(host: string): string | undefined {
    return this.#refusals.get(host)
  }

  forgetRefusals(): void {
    for (const host of this.#refusals.keys())
      this.#set(host, { ...this.#of(host), failures: 0, rest_until: null })
    this.#refusals.clear()
  }

  /** It gave what it was asked for: `bytes` in `ms`. */
  good(host: string, bytes: number, ms: number): void {
    const before = this.#of(host)
    this.#refusals.delete(host)
    const after = afterHostSuccess(before, ms < leastRateMs ? undefined : (bytes / ms) * 1000)
    if (after.failures !== before.failures || after.rate !== before.rate) this.#set(host, after)
  }

  /** `host:port` -> ms since 1970, of those at rest now */
  resting(): ReadonlyMap<string, number> {
    const now = this.#world.now()
    const resting = new Map<string, number>()
    for (const [host, record] of this.#known) {
      const until = restsUntil(record, now)
      if (until > 0) resting.set(host, until)
    }
    return resting
  }

  /** `host:port` -> bytes a second, where known */
  rates(): ReadonlyMap<string, number> {
    const rates = new Map<string, number>()
    for (const [host, { rate }] of this.#known) if (rate !== null) rates.set(host, rate)
    return rates
  }

  /** Writes what has changed, at most once a minute unless told `now`. @throws Fenced; others are the disk's and may be tried again */
  async save(now = false): Promise<void> {
    if (this.#unsaved.size === 0 || (!now && performance.now() - this.#savedAt < saveMs)) return
    this.#savedAt = performance.now()
    await makeDir(layout.hosts(this.#root))
    for (const host of [...this.#unsaved]) {
      this.#unsaved.delete(host)
      try {
        await put(this.#root, layout.host(this.#root, host), this.#of(host))
      } catch (error) {
        this.#unsaved.add(host)
        throw error
      }
    }
  }

  #of(host: string): HostRecord {
    return this.#known.get(host) ?? freshHost(host)
  }

  #set(host: string, record: HostRecord): void {
    this.#known.set(host, record)
    this.#unsaved.add(host)
  }
}
