// Observation + now + limits -> what to do, why what waits waits, and when to look again. The order of the rules is here, each dataset's
// next step in dataset.ts, who gets the lanes in lanes.ts; nothing is read or done.

import type { Config } from '../words/config.ts'
import { type Decision, keyOf } from './action.ts'
import {
  type Board,
  decisionOf,
  inItsTime,
  list,
  listInTurn,
  openBoard,
  probe,
  resting,
  runs,
  wake,
} from './board.ts'
import { forDataset } from './dataset.ts'
import type { Observation, RunningSeen, WishSeen } from './observation.ts'
import { ruleTurn } from './rule.ts'
import { isStale } from './stale.ts'

/** Steps of rules at one time: as of listings (board.ts). */
const rulesAtOnce = 2

/** @param now ms since 1970 */
export function decide(seen: Observation, now: number, config: Config): Decision {
  const board = openBoard(seen, now, config)
  if (seen.data !== 'ready') return standStill(board)
  for (const odd of seen.oddities)
    if (!runs(board, 'odd', odd.file) && !seen.holds.has(keyOf(odd))) board.actions.push(odd)
  const wishes = [...seen.wishes].sort(byUrgency)
  for (const wish of wishes) forWish(board, wish)
  stopUnwanted(board, wishes)
  finishTrash(board, wishes)
  for (const query of seen.queries) {
    if (runs(board, 'list', query.name) || board.relisting.has(query.name)) continue
    if (query.nextTryAt > now) wake(board, query.nextTryAt)
    else listInTurn(board, query.name, query.did, 'query', query.nextTryAt)
  }
  for (const { name, did, purpose } of board.again.sort((a, b) => a.since - b.since))
    list(board, name, did, purpose)
  probe(board)
  return decisionOf(board)
}

/** Nothing is begun on a disk that is not there or not ours to write; what runs ends. */
function standStill(board: Board): Decision {
  const { seen } = board
  const names = new Set(
    seen.running.filter(each => !each.ending && each.kind !== 'probe').map(each => each.name),
  )
  if (seen.data === 'missing') for (const name of names) board.actions.push({ kind: 'stop', name })
  if (seen.data === 'read_only')
    for (const wish of seen.wishes)
      board.waiting.set(wish.name, { reason: 'read_only', detail: 'the data directory cannot be written' })
  return decisionOf(board)
}

/** Higher priority first, then who came first; the name settles the rest, so that the order never flickers. */
function byUrgency(a: WishSeen, b: WishSeen): number {
  return b.priority - a.priority || a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1)
}

function forWish(board: Board, wish: WishSeen): void {
  const { name } = wish
  const runningHere = board.seen.running.filter(each => each.name === name)
  if (wish.kind === 'remove') {
    if (runningHere.length === 0 && !forRule(board, wish, [])) inItsTime(board, { kind: 'remove', name })
    return
  }
  // What lies under a name that is being removed would be removed with it.
  if (board.seen.trash.includes(name)) return
  if (wish.kind === 'paused' || wish.kind === 'broken') return
  if (runningHere.some(each => ['list', 'load', 'complete', 'remove', 'clean'].includes(each.kind))) return
  if (wish.kind === 'elsewhere' ? wish.dataset.kind === 'listed' : wish.rule !== undefined) {
    if (wish.kind === 'elsewhere' && listAgain(board, wish)) return
    if (forRule(board, wish, runningHere)) return
  }
  forDataset(board, wish, wish.dataset, runningHere)
}

/** A listing that somebody waits for takes the old one's place; where the files lie is found out anew then. */
function listAgain(board: Board, { name, did, dataset, createdAt }: WishSeen): boolean {
  const { seen, now } = board
  if (dataset.kind !== 'listed' || !isStale(dataset.listing, { name, createdAt }, seen.queries, now))
    return false
  list(board, name, did, 'request')
  return board.actions.at(-1)?.kind === 'list'
}

/** @returns false when nothing is left to do for its rule, and the dataset goes the way of those that lie here */
function forRule(board: Board, { name, did, rule }: WishSeen, runningHere: readonly RunningSeen[]): boolean {
  if (rule === undefined) return false
  const { step, waiting, wakeAt } = ruleTurn(rule, board.now)
  if (waiting !== undefined) board.waiting.set(name, waiting)
  wake(board, wakeAt)
  if (step === undefined) return rule.wanted !== undefined || rule.record !== undefined
  // A look under a mount may take its time, and must not hold up what is asked of Rucio.
  const isSee = step === 'see'
  const running = board.seen.running.filter(each => each.kind === (isSee ? 'see' : 'rule'))
  const ordered = board.actions.filter(each => each.kind === 'rule' && (each.step === 'see') === isSee)
  const isFull = running.length + ordered.length >= (isSee ? 1 : rulesAtOnce) || runningHere.length > 0
  if (isFull || (!isSee && resting(board, name))) return true
  inItsTime(board, { kind: 'rule', name, did, step, wanted: rule.wanted })
  return true
}

/** Whatever runs for a NAME that nobody wants (any more) ends at once. */
function stopUnwanted(board: Board, wishes: readonly WishSeen[]): void {
  const wanted = new Set(
    wishes.filter(each => each.kind === 'want' || each.kind === 'repair').map(each => each.name),
  )
  const elsewhere = new Set(wishes.filter(each => each.kind === 'elsewhere').map(each => each.name))
  const queried = new Set(board.seen.queries.map(each => each.name))
  const stopped = new Set<string>()
  for (const each of board.seen.running) {
    const ours =
      each.kind === 'fetch' || each.kind === 'adopt' || each.kind === 'load' || each.kind === 'list'
    if (!ours || each.ending || stopped.has(each.name) || wanted.has(each.name)) continue
    if (each.kind === 'list' && (queried.has(each.name) || elsewhere.has(each.name))) continue
    stopped.add(each.name)
    board.actions.push({ kind: 'stop', name: each.name })
  }
}

function finishTrash(board: Board, wishes: readonly WishSeen[]): void {
  for (const name of board.seen.trash) {
    if (wishes.some(each => each.name === name && each.kind === 'remove')) continue
    if (board.seen.running.some(each => each.name === name)) continue
    inItsTime(board, { kind: 'clean', name })
  }
}
