// What a dataset in work shows: files that may be fetched now, and why it waits. Never changes it.

import { dueAt } from '../decide/backoff.ts'
import type { FileReady, ListingSeen } from '../decide/observation.ts'
import type { Failure } from '../words/reason.ts'
import { fromIso } from '../words/world.ts'
import type { Work } from './at-hand.ts'

/** The next files that may be fetched now, the ones that failed before first. */
export function readyFiles(
  work: Work,
  now: number,
  most: number,
): { readonly ready: FileReady[]; readonly count: number; readonly nextTryAt: number | null } {
  const ready: FileReady[] = []
  let count = 0
  let nextTryAt: number | null = null
  for (const file of work.later) {
    const due = dueAt(file.nextTryAt, now)
    if (due > now) {
      nextTryAt = Math.min(nextTryAt ?? due, due)
      continue
    }
    count += 1
    if (ready.length < most) ready.push({ path: file.line.path, bytes: file.bytes })
  }
  for (const file of work.fresh) {
    if (ready.length >= most) break
    ready.push({ path: file.line.path, bytes: file.bytes })
  }
  // What is not at hand was never tried.
  const beyond = work.left.count - work.files.size
  return { ready, count: count + work.fresh.size + beyond, nextTryAt }
}

export function listingSeen(work: Work): ListingSeen {
  const { head } = work
  let hopeless = false
  for (const file of work.later)
    if (file.failure?.reason === 'no_replica' || file.failure?.reason === 'corrupt') hopeless = true
  return {
    open: head.open,
    type: head.type,
    fetchedAt: fromIso(head.fetched) ?? 0,
    hopeless,
    refreshAfter: work.refreshAfter,
  }
}

/** Why a dataset waits whose files have all been tried: what stands in the way of the first of them, and of how many. */
export function failureOf(work: Work): { readonly reason: string; readonly message: string } | undefined {
  let first: Failure | undefined
  let count = 0
  for (const file of work.later) {
    if (file.failure === undefined) continue
    first ??= file.failure
    count += 1
  }
  if (first === undefined || count < work.left.count) return undefined
  return {
    reason: first.reason,
    message: count === 1 ? first.message : `${count} files wait. The first: ${first.message}`,
  }
}
