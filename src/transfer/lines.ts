// The connections of our own that are open and not in use, for the next file of the same storage; and which storages are not to be asked
// that way. Never opens one.

import type { SecureContext } from 'node:tls'
import { hostPort, type Pfn } from '../words/pfn.ts'
import type { RawLine } from './raw-line.ts'

/** As many as one host may have of us at a time (outside/identity.ts). */
const mostIdle = 16
/** Servers close an idle connection after 5 s and more (gunicorn, Apache); XRootD after longer. */
const idleMs = 10_000
/** A storage that redirects its readers, or answers in chunks, goes on doing so. */
const elsewhereMs = 600_000

/** Made once by engine.ts. */
export class Lines {
  readonly #idle = new Map<RawLine, NodeJS.Timeout>()
  /** `host:port` -> until when it is asked over node:https, performance.now() */
  readonly #elsewhere = new Map<string, number>()

  /** One for this storage with this credential: `line` itself if it leads there, else an idle one that does, else `line`, to be opened. */
  to(pfn: Pfn, context: SecureContext, line: RawLine): RawLine {
    if (line.isOpenTo(pfn, context)) return line
    for (const [each, timer] of this.#idle) {
      if (!each.isOpenTo(pfn, context)) continue
      clearTimeout(timer)
      this.#idle.delete(each)
      this.give(line)
      return each
    }
    return line
  }

  /** What a lane has no more use for: kept for a while when it is in order, else closed. */
  give(line: RawLine): void {
    if (line.isIdle && this.#idle.size < mostIdle)
      this.#idle.set(line, setTimeout(() => this.#drop(line), idleMs).unref())
    else line.close()
  }

  /** Does this storage answer plainly, as far as it is known? */
  answersPlainly(pfn: Pfn): boolean {
    const until = this.#elsewhere.get(hostPort(pfn))
    if (until === undefined) return true
    if (performance.now() < until) return false
    this.#elsewhere.delete(hostPort(pfn))
    return true
  }

  /** It was asked and wants to be asked otherwise. */
  noteStrange(pfn: Pfn): void {
    this.#elsewhere.set(hostPort(pfn), performance.now() + elsewhereMs)
  }

  close(): void {
    for (const [line, timer] of this.#idle) {
      clearTimeout(timer)
      line.close()
    }
    this.#idle.clear()
  }

  #drop(line: RawLine): void {
    this.#idle.delete(line)
    line.close()
  }
}
