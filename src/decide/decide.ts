// Observation + now + limits -> what to do, why what waits waits, and when to look again. Every rule of order and number is here;
// nothing is read or done.

import type { Config } from '../words/config.ts'
import { type Action, type Decision, keyOf, type Waiting } from './action.ts'
import { batchOf } from './batch.ts'
import type { DatasetSeen, Observation, RunningSeen, WishSeen } from './observation.ts'
import { ruleTurn } from './rule.ts'
import { isStale } from './stale.ts'

/** Listings asked for at one time: a central server is shared by thousands. */
const listsAtOnce = 2
/** Steps of rules at one time: the same. */
const rulesAtOnce = 2
const diskAgainMs = 60_000
/** Too many open files, say, pass by themselves soon. */
const unseenAgainMs = 5_000

type ListAction = Extract<Action, { kind: 'list' }>

type Board = {
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
export function decide(seen: Observation, now: number, config: Config): Decision {
  const working = seen.running.filter(each => each.kind === 'fetch' || each.kind === 'adopt')
  const board: Board = {
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
  return { actions: board.actions, waiting: board.waiting, wakeAt: board.wakeAt }
}

function holdsDataset(each: RunningSeen): boolean {
  return each.kind === 'fetch' || each.kind === 'adopt' || each.kind === 'load' || each.kind === 'complete'
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
  return { actions: board.actions, waiting: board.waiting, wakeAt: Number.POSITIVE_INFINITY }
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

function forDataset(
  board: Board,
  wish: WishSeen,
  dataset: DatasetSeen,
  runningHere: readonly RunningSeen[],
): void {
  const { name, did } = wish
  const { now } = board
  if (dataset.kind === 'unseen') {
    const { reason, detail } = dataset
    board.waiting.set(name, { reason, detail })
    wake(board, now + unseenAgainMs)
    return
  }
  const begun = runningHere.filter(each => each.kind === 'fetch' || each.kind === 'adopt')
  if (dataset.kind !== 'loaded' && begun.length > 0) {
    // It was begun with records that are not there any more (a folder that a person deleted): its files have no name, or are others'.
    if (begun.some(each => !each.ending)) board.actions.push({ kind: 'stop', name })
    return
  }
  switch (dataset.kind) {
    case 'unlisted':
      if (wish.kind === 'repair') inItsTime(board, { kind: 'withdraw', name })
      else if (dataset.nextTryAt > now) wake(board, dataset.nextTryAt)
      else listInTurn(board, name, did, 'request', dataset.nextTryAt)
      return
    case 'none':
      board.waiting.set(name, { reason: 'no_such_did', detail: `Rucio knows no ${did}` })
      if (dataset.until > now) wake(board, dataset.until)
      else list(board, name, did, 'request')
      return
    case 'listed':
      if (dataset.nextTryAt > now) wake(board, dataset.nextTryAt)
      else if (!isHeld(board, 'load', name) && mayHold(board, wish)) {
        board.active.add(name)
        board.actions.push({ kind: 'load', name, did })
      }
      return
    case 'loaded':
      forLoaded(board, wish, dataset, runningHere)
  }
}

function forLoaded(
  board: Board,
  wish: WishSeen,
  dataset: Extract<DatasetSeen, { kind: 'loaded' }>,
  runningHere: readonly RunningSeen[],
): void {
  const { name, did } = wish
  const { seen, now } = board
  if (isStale(dataset.listing, wish, seen.queries, now)) {
    // The lanes end after the file that they are at: a big dataset would else never come to be listed anew.
    if (runningHere.length > 0) {
      board.relisting.add(name)
      if (runningHere.some(each => !each.ending)) board.actions.push({ kind: 'yield', name })
      return
    }
    list(board, name, did, 'request')
    if (board.actions.at(-1)?.kind === 'list') return
  }
  if (dataset.left === 0) {
    if (runningHere.length === 0) inItsTime(board, { kind: 'complete', name })
    return
  }
  if (dataset.nextTryAt !== null) wake(board, dataset.nextTryAt)
  if (dataset.toAdopt > 0) {
    if (isHeld(board, 'adopt', name)) return
    if (!runningHere.some(each => each.kind === 'adopt') && mayHold(board, wish) && takeLane(board, wish)) {
      board.active.add(name)
      board.actions.push({ kind: 'adopt', name })
    }
    return
  }
  if (dataset.readyCount === 0 || isHeld(board, 'fetch', name)) return
  if (resting(board, name)) return
  if (mayHold(board, wish)) giveLanes(board, wish, dataset)
}

function giveLanes(board: Board, wish: WishSeen, dataset: Extract<DatasetSeen, { kind: 'loaded' }>): void {
  const share = Math.max(1, Math.ceil(dataset.readyCount / Math.max(1, board.lanes)))
  let next = 0
  while (next < dataset.ready.length) {
    const first = dataset.ready[next]
    if (first === undefined) return
    if (first.bytes > board.budget) {
      const detail = `${first.path} needs ${first.bytes} bytes and ${Math.max(0, board.budget)} are free beyond the reserve`
      board.waiting.set(wish.name, { reason: 'disk_full', detail })
      wake(board, board.now + diskAgainMs)
      return
    }
    if (!takeLane(board, wish)) return
    const { paths, bytes } = batchOf(dataset.ready.slice(next), share, board.budget)
    next += paths.length
    board.budget -= bytes
    board.active.add(wish.name)
    board.actions.push({ kind: 'fetch', name: wish.name, paths, bytes, priority: wish.priority })
  }
}

/** May this dataset be one of those that are worked on? When less urgent ones hold the places, the least urgent ends after its files. */
function mayHold(board: Board, wish: WishSeen): boolean {
  if (board.active.has(wish.name) || board.active.size < board.config.datasets_at_once) return true
  yieldTo(board, wish)
  return false
}

function takeLane(board: Board, wish: WishSeen): boolean {
  if (board.lanes > 0) {
    board.lanes -= 1
    return true
  }
  yieldTo(board, wish)
  return false
}

function yieldTo(board: Board, wish: WishSeen): void {
  const [least] = board.seen.running
    .filter(
      each =>
        each.kind === 'fetch' && !each.ending && each.priority < wish.priority && each.name !== wish.name,
    )
    .sort((a, b) => a.priority - b.priority)
  if (least === undefined || board.ending.has(least.name)) return
  board.ending.add(least.name)
  board.actions.push({ kind: 'yield', name: least.name })
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

/** One that failed before goes behind all that did not: a few that the catalogue can never list must not keep it from the others.
 *  @param since when it might be tried again; 0 = it has not failed */
function listInTurn(
  board: Board,
  name: string,
  did: string,
  purpose: ListAction['purpose'],
  since: number,
): void {
  if (since === 0) list(board, name, did, purpose)
  else board.again.push({ kind: 'list', name, did, purpose, since })
}

function list(board: Board, name: string, did: string, purpose: 'request' | 'query'): void {
  if (resting(board, name)) return
  if (isHeld(board, 'list', name)) return
  if (board.lists <= 0 || board.actions.some(each => each.kind === 'list' && each.name === name)) return
  board.lists -= 1
  board.actions.push({ kind: 'list', name, did, purpose })
}

/** Is the catalogue (or the line) at rest? Then this NAME waits for it, and one probe is made for all. */
function resting(board: Board, name: string): boolean {
  const { until, reason, detail } = board.seen.catalogue
  if (until === 0) return false
  board.needsCatalogue = true
  if (!board.waiting.has(name))
    board.waiting.set(name, { reason: reason ?? 'host_down', detail: detail ?? '' })
  return true
}

function probe(board: Board): void {
  if (!board.needsCatalogue || board.seen.running.some(each => each.kind === 'probe')) return
  if (board.seen.catalogue.until > board.now) wake(board, board.seen.catalogue.until)
  else inItsTime(board, { kind: 'probe' })
}

/** What is held takes neither a lane nor a turn from the others. */
function isHeld(board: Board, kind: Action['kind'], name: string): boolean {
  return board.seen.holds.has(`${kind} ${name}`)
}

function inItsTime(board: Board, action: Action): void {
  if (!board.seen.holds.has(keyOf(action))) board.actions.push(action)
}

function runs(board: Board, kind: RunningSeen['kind'], name: string): boolean {
  return board.seen.running.some(each => each.kind === kind && each.name === name)
}

function wake(board: Board, at: number): void {
  board.wakeAt = Math.min(board.wakeAt, at)
}
