// Who gets the lanes: so many datasets in work, so many files at once, so much room on the disk; and who gives way to what is more urgent.
// Never says which file is ready.

import { batchOf } from './batch.ts'
import { type Board, wake } from './board.ts'
import type { DatasetSeen, WishSeen } from './observation.ts'

const diskAgainMs = 60_000

export function giveLanes(
  board: Board,
  wish: WishSeen,
  dataset: Extract<DatasetSeen, { kind: 'loaded' }>,
): void {
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
export function mayHold(board: Board, wish: WishSeen): boolean {
  if (board.active.has(wish.name) || board.active.size < board.config.datasets_at_once) return true
  yieldTo(board, wish)
  return false
}

export function takeLane(board: Board, wish: WishSeen): boolean {
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
