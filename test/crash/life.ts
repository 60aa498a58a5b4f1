// One life of the daemon after the other: start it, let everything happen at once, kill it, look. Never decides what is wrong.

import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../src/words/reason.ts'
import { look, question, type Web, wish } from './asks.ts'
import type { Chance } from './chance.ts'
import { dropFolder, dropIntoWatch, dropRequest, editRequest, type Hand, harmFile, seeAnswers } from './hands.ts'
import type { Model } from './model.ts'
import type { Known } from './universe.ts'

type Act = { readonly weight: number; readonly run: () => Promise<void> }

/** What happens at random until `signal` fires: with `web`, over HTTP too. */
export async function bustle(hand: Hand, web: Web | undefined, signal: AbortSignal): Promise<void> {
  const acts = [...byHand(hand), ...(web === undefined ? [] : overHttp(hand, web))]
  const total = acts.reduce((sum, { weight }) => sum + weight, 0)
  await Promise.all(
    [0, 1, 2, 3].map(async () => {
      while (!signal.aborted) {
        let at = hand.chance.next() * total
        const act = acts.find(({ weight }) => (at -= weight) < 0)
        await act?.run()
        await pause(hand.chance.between(2, 80), signal)
      }
    }),
  )
}

function byHand(hand: Hand): Act[] {
  const { model, chance } = hand
  // A person does not pull at what they have just asked for another way, else nobody could say what must follow.
  const isOnly = (end: 'whole', known: Known): boolean =>
    model.isOnly(known.name, end) && known.exists && !model.isAwaited(known.name)
  const one = (weight: number, act: (hand: Hand, known: Known) => Promise<void>): Act => ({
    weight,
    run: () => model.withNames(chance, 1, each => isOnly('whole', each), ([known]) => act(hand, known)),
  })
  return [
    one(6, editRequest),
    one(1, dropRequest),
    one(0.7, dropFolder),
    one(3, harmFile),
    {
      weight: 2,
      run: () =>
        model.withNames(
          chance,
          chance.is(0.3) ? 3 : 1,
          each => !model.isAwaited(each.name),
          all => dropIntoWatch(hand, all),
        ),
    },
    { weight: 3, run: () => seeAnswers(hand) },
  ]
}

function overHttp({ model, chance }: Hand, web: Web): Act[] {
  const any = (): boolean => true
  return [
    { weight: 12, run: () => model.withNames(chance, 1, any, ([known]) => wish(web, known, 'POST')) },
    {
      weight: 1,
      run: () =>
        model.withNames(
          chance,
          1,
          each => !model.isAwaited(each.name),
          ([known]) => wish(web, known, 'DELETE'),
        ),
    },
    { weight: 12, run: () => model.withNames(chance, 1, any, ([known]) => question(web, known)) },
    {
      weight: 3,
      run: async () => {
        await look(web, chance.of(['/status', '/datasets', '/logs?name=rucio_downloader']) ?? '/status')
      },
    },
    {
      // A reader who trusts no answer: whatever has its final name is whole.
      weight: 8,
      run: () =>
        model.withNames(chance, 1, each => each.exists, async ([known]) => {
          const file = chance.of([...known.files.values()])
          const wrong = file === undefined ? undefined : await web.looks.file(known, file)
          if (wrong !== undefined) web.fault(wrong)
        }),
    },
  ]
}

/** As if the time had gone by in which a dead daemon's lock goes stale; a round would wait 9 s for it. */
export async function ageLock(data: string): Promise<void> {
  const old = new Date(Date.now() - 60_000)
  try {
    await utimes(join(data, '.rucio', 'lock', 'daemon'), old, old)
  } catch (error) {
    // Killed before it had it.
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Ends early with the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What the storages do in the next life. */
export function weather(chance: Chance): { readonly rate: number; readonly dropEvery: number } {
  return {
    rate: chance.is(0.6) ? chance.between(1, 12) * 2 ** 20 : 0,
    dropEvery: chance.is(0.5) ? chance.between(200_000, 6_000_000) : 0,
  }
}

export function isSettled(model: Model, known: Known, word: string): boolean {
  const ends = model.ends(known.name)
  if (!known.exists) return word === (ends.has('whole') ? 'does_not_exist' : word)
  return [...ends].some(end => {
    switch (end) {
      case 'whole':
        return word === 'local'
      case 'gone':
        return word === 'not_on_server'
      case 'left':
        return word !== 'does_not_exist'
      case 'harmed':
        return word === 'downloading'
    }
  })
}
