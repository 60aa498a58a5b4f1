// How long a transfer waits for what. No limit is on the whole of a file: it may take days. Never waits itself.

export type Limits = {
  /** TCP and TLS */
  readonly connectMs: number
  /** from the request sent to the head of the answer */
  readonly headersMs: number
  /** without a byte of the body */
  readonly idleMs: number
  /** a connection that brings less than slowBytes within slowMs has stalled as well */
  readonly slowMs: number
  readonly slowBytes: number
  /** a part is synced and its sidecar written when bytes have waited so long, … */
  readonly checkpointMs: number
  /** … or when there are so many */
  readonly checkpointBytes: number
  /** between two looks whether one more connection is worth it */
  readonly lookMs: number
}

/** facts/faults.md 1b; 1 KiB/s over two minutes. */
export const defaultLimits: Limits = {
  connectMs: 10_000,
  headersMs: 30_000,
  idleMs: 30_000,
  slowMs: 120_000,
  slowBytes: 120 * 1024,
  checkpointMs: 10_000,
  checkpointBytes: 64 * 2 ** 20,
  lookMs: 2_000,
}

/** Tells a drip from a stream: bytes within a window of time, over all connections that one lane makes to one replica. */
export class Pace {
  readonly #limits: Limits
  #since = performance.now()
  #bytes = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  came(bytes: number): void {
    this.#bytes += bytes
  }

  /** Time in which it was us who did not read does not count. */
  forget(): void {
    this.#since = performance.now()
    this.#bytes = 0
  }

  isTooSlow(): boolean {
    const { slowMs, slowBytes } = this.#limits
    if (performance.now() - this.#since < slowMs) return false
    const slow = this.#bytes < slowBytes
    this.forget()
    return slow
  }
}
