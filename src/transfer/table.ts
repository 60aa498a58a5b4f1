// What is being fetched now, for readers: bytes, rate over the last seconds, source. In memory alone, brought up to date each second.

import type { FileProgress, ProgressTable } from '../words/progress.ts'

const tickMs = 1000
const windowTicks = 5

/** What a running fetch says of itself when it is asked. */
export type Seen = {
  /** bytes of the file that lie in the part */
  readonly bytes: number
  /** bytes that came over the line since the fetch began */
  readonly came: number
  readonly rse: string | null
  readonly host: string | null
}

type Row = {
  readonly name: string
  readonly path: string
  readonly look: () => Seen
  /** what had come at the last ticks, oldest first */
  readonly ticks: number[]
}

export class Table {
  readonly #live = new Map<string, Map<string, FileProgress>>()
  readonly #rows = new Set<Row>()
  #timer: NodeJS.Timeout | undefined

  /** NAME -> path -> progress: one Map that lives as long as this does */
  get progress(): ProgressTable {
    return this.#live
  }

  /** @returns takes the row out again */
  add(name: string, path: string, look: () => Seen): () => void {
    const row: Row = { name, path, look, ticks: [look().came] }
    this.#rows.add(row)
    if (!this.#live.has(name)) this.#live.set(name, new Map())
    this.#publish(row)
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref()
    return () => this.#remove(row)
  }

  #tick(): void {
    for (const row of this.#rows) {
      row.ticks.push(row.look().came)
      if (row.ticks.length > windowTicks + 1) row.ticks.shift()
      this.#publish(row)
    }
  }

  #publish({ name, path, look, ticks }: Row): void {
    const { bytes, rse, host } = look()
    const seconds = ((ticks.length - 1) * tickMs) / 1000
    const rate = seconds === 0 ? null : Math.round(((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) / seconds)
    this.#live.get(name)?.set(path, { bytes, rate, rse, host })
  }

  #remove(row: Row): void {
    if (!this.#rows.delete(row)) return
    const files = this.#live.get(row.name)
    files?.delete(row.path)
    if (files?.size === 0) this.#live.delete(row.name)
    if (this.#rows.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
