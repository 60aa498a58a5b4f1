// The next step of one dataset that is wanted here: listed, loaded, adopted, fetched, completed. Nothing is read or done.

import { type Board, inItsTime, isHeld, list, listInTurn, resting, wake } from './board.ts'
import { giveLanes, mayHold, takeLane } from './lanes.ts'
import type { DatasetSeen, RunningSeen, WishSeen } from './observation.ts'
import { isStale } from './stale.ts'

/** Too many open files, say, pass by themselves soon. */
const unseenAgainMs = 5_000

export function forDataset(
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
