// What one decision has at hand and writes down: the observation, what is ordered so far, what is left of lanes, listings and room, and
// the small questions that every rule asks of it. Holds no rule of a dataset.

import type { Config } from '../words/config.ts'
import { type Action, type Decision, keyOf, type Waiting } from './action.ts'
import type { Observation, RunningSeen } from './observation.ts'

/** Listings asked for at one time: a central server is shared by thousands. */
const listsAtOnce = 2

type ListAction = Extract<Action, { kind: 'list' }>

export type Board = {
  readonly now: number
  readonly config: Config
  readonly seen: Observation
  readonly actions: Action[]
  readonly waiting: Map<string, Waiting>
  readonly active: Set<string>
  readonly ending: Set<string>
  /** NAMEs in work whose listing is to be replaced as soon as their lanes have ended */
  readonly relisting: Set<string>
  /** listings that failed before and may be tried now */
  readonly again: (ListAction & { readonly since: number })[]
  lanes: number
  lists: number
  budget: number
  wakeAt: number
  /** a network action is wanted and the catalogue is at rest */
  needsCatalogue: boolean
}

/** @param now ms since 1970 */
export function openBoard(seen: Observation, now: number, config: Config): Board {
  const working = seen.running.filter(each => each.kind === 'fetch' || each.kind === 'adopt')
  return {
    now,
    config,
    seen,
    actions: [],
    waiting: new Map(),
    active: new Set(seen.running.filter(holdsDataset).map(each => each.name)),
    ending: new Set(),
    relisting: new Set(),
    again: [],
    lanes: config.files_at_once - working.length,
    lists: listsAtOnce - seen.running.filter(each => each.kind === 'list').length,
    budget: seen.freeBytes - config.reserve_bytes - working.reduce((sum, each) => sum + each.bytes, 0),
    wakeAt: Number.POSITIVE_INFINITY,
    needsCatalogue: false,
  }
}

export function decisionOf({ actions, waiting, wakeAt }: Board): Decision {
  return { actions, waiting, wakeAt }
}

/** What is held takes neither a lane nor a turn from the others. */
export function isHeld(board: Board, kind: Action['kind'], name: string): boolean {
  return board.seen.holds.has(`${kind} ${name}`)
}

export function inItsTime(board: Board, action: Action): void {
  if (!board.seen.holds.has(keyOf(action))) board.actions.push(action)
}

export function runs(board: Board, kind: RunningSeen['kind'], name: string): boolean {
  return board.seen.running.some(each => each.kind === kind && each.name === name)
}

export function wake(board: Board, at: number): void {
  board.wakeAt = Math.min(board.wakeAt, at)
}

/** Is the catalogue (or the line) at rest? Then this NAME waits for it, and one probe is made for all. */
export function resting(board: Board, name: string): boolean {
  const { until, reason, detail } = board.seen.catalogue
  if (until === 0) return false
  board.needsCatalogue = true
  if (!board.waiting.has(name))
    board.waiting.set(name, { reason: reason ?? 'host_down', detail: detail ?? '' })
  return true
}

export function probe(board: Board): void {
  if (!board.needsCatalogue || board.seen.running.some(each => each.kind === 'probe')) return
  if (board.seen.catalogue.until > board.now) wake(board, board.seen.catalogue.until)
  else inItsTime(board, { kind: 'probe' })
}

/** One that failed before goes behind all that did not: a few that the catalogue can never list must not keep it from the others.
 *  @param since when it might be tried again; 0 = it has not failed */
export function listInTurn(
  board: Board,
  name: string,
  did: string,
  purpose: ListAction['purpose'],
  since: number,
): void {
  if (since === 0) list(board, name, did, purpose)
  else board.again.push({ kind: 'list', name, did, purpose, since })
}

export function list(board: Board, name: string, did: string, purpose: 'request' | 'query'): void {
  if (resting(board, name)) return
  if (isHeld(board, 'list', name)) return
  if (board.lists <= 0 || board.actions.some(each => each.kind === 'list' && each.name === name)) return
  board.lists -= 1
  board.actions.push({ kind: 'list', name, did, purpose })
}

function holdsDataset(each: RunningSeen): boolean {
  return each.kind === 'fetch' || each.kind === 'adopt' || each.kind === 'load' || each.kind === 'complete'
}
