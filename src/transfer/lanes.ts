// The connections of one file: starts with one, adds another while the sum grows, and has what came checkpointed meanwhile.

import { bigBytes, gapsOf, wantsMore } from '../decide/ranges.ts'
import { type Engine, engineOf } from '../decide/replicas.ts'
import { follow } from './follow.ts'
import { type Crew, runLane } from './lane.ts'
import { choose, type Try } from './try.ts'

/** Brings what is missing, by one engine after the other: where one has nobody left to ask, the next one goes on from what lies there.
 *  Resolves when nothing is missing or nobody is left to ask.
 *  @throws what is our own fault (disk, no network, Fenced, a bug); the reason of `signal`. What has come is written in every case,
 *  and no checkpoint is under way */
export async function bringAll(of: Try, signal: AbortSignal): Promise<void> {
  const done = new Set<Engine>()
  for (;;) {
    const engine = nextEngine(of, done)
    if (engine === undefined) return
    done.add(engine)
    await bringBy(engine, of, signal)
  }
}

/** That of the best replica whose engine had no turn yet: each has one, so that this ends. */
function nextEngine(of: Try, done: ReadonlySet<Engine>): Engine | undefined {
  if (gapsOf(of.part.ranges, of.file.bytes).length === 0) return undefined
  const choice = choose(of)
  if (choice.kind !== 'usable') return undefined
  return choice.replicas.map(each => engineOf(each, of.by)).find(each => !done.has(each))
}

async function bringBy(engine: Engine, of: Try, signal: AbortSignal): Promise<void> {
  // A fault of our own in one lane ends the others with itself as the reason, as `signal` does with its own.
  const { controller: stop, letGo } = follow(signal)
  const checkpoints = new Checkpoints(of, error => stop.abort(error))
  // A program brings one stretch after the other; what it may do side by side is its own affair.
  const most = engine === 'https' && of.file.bytes >= bigBytes ? of.most : 1
  const crew: Crew = {
    of,
    engine,
    signal: stop.signal,
    lanes: new Set(),
    most,
    inPieces: most > 1,
    written: () => checkpoints.look(),
  }
  const running = new Set<Promise<void>>()
  function start(): void {
    const lane = runLane(crew)
      .catch(error => stop.abort(error))
      .finally(() => running.delete(lane))
    running.add(lane)
  }
  const looks = most > 1 ? setInterval(look(crew, start), of.means.limits.lookMs) : undefined
  try {
    start()
    while (running.size > 0) await Promise.all(running)
  } finally {
    letGo()
    clearInterval(looks)
    await checkpoints.end()
  }
  stop.signal.throwIfAborted()
}

function look(crew: Crew, start: () => void): () => void {
  const { of } = crew
  let came = of.came
  let at = performance.now()
  let before: number | undefined
  return () => {
    const now = performance.now()
    const rate = ((of.came - came) * 1000) / (now - at)
    came = of.came
    at = now
    const connections = crew.lanes.size
    if (wantsMore({ connections, most: crew.most, rate, before })) {
      before = rate
      start()
    } else if (before !== undefined) crew.most = Math.min(crew.most, Math.max(1, connections))
  }
}

/** A checkpoint when bytes have waited for it long enough, or there are enough of them; beside the reading, never on its path. */
class Checkpoints {
  readonly #of: Try
  readonly #failed: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  constructor(of: Try, failed: (error: unknown) => void) {
    this.#of = of
    this.#failed = failed
    // For bytes that wait while nothing more comes; else each write looks.
    this.#timer = setInterval(() => this.look(), Math.min(1000, of.means.limits.checkpointMs))
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  look(): void {
    const { part, means } = this.#of
    const since = part.unsyncedSince
    if (since === undefined || this.#running !== undefined) return
    const { checkpointMs, checkpointBytes } = means.limits
    if (performance.now() - since < checkpointMs && part.unsyncedBytes < checkpointBytes) return
    this.#running = part
      .checkpoint()
      .catch(this.#failed)
      .finally(() => {
        this.#running = undefined
      })
  }
}
