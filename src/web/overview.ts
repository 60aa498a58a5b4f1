// Every dataset in short, for GET /datasets: one look for all who ask at the same time, believed for a moment. Never looks at all of
// them more often than it can afford.

import { shared } from '../wishes/shared.ts'
import type { View } from './view.ts'

/** A View without its files, of which there may be millions. */
export type Brief = Omit<View, 'unfinished' | 'members'>

export type Overview = {
  /** by NAME, sorted */
  get(): Promise<readonly Brief[]>
  /** A wish was just written, by whatever way: the next answer shows it. */
  drop(): void
}

/** A look that took t ms is believed for so many times t, within the bound: a client that polls sees bytes come all the same, since the
 *  web adds what the table of progress says. */
const restTimes = 5
const mostMs = 2000
/** Datasets looked at side by side: one after the other, the disk is waited for a thousand times. */
const atOnce = 16

export function openOverview(
  names: () => Promise<ReadonlySet<string>>,
  view: (name: string) => Promise<View>,
): Overview {
  let kept: { readonly all: readonly Brief[]; readonly until: number } | undefined
  let drops = 0

  const look = shared(async () => {
    const from = performance.now()
    const before = drops
    const sorted = [...(await names())].sort()
    const all: Brief[] = []
    for (let i = 0; i < sorted.length; i += atOnce) {
      const found = await Promise.all(sorted.slice(i, i + atOnce).map(view))
      for (const { unfinished: _, members: __, ...brief } of found) all.push(brief)
    }
    const now = performance.now()
    if (drops === before) kept = { all, until: now + Math.min(mostMs, restTimes * (now - from)) }
    return all
  })

  return {
    async get() {
      return kept !== undefined && performance.now() < kept.until ? kept.all : await look()
    },
    drop() {
      drops++
      kept = undefined
    },
  }
}
