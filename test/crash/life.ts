// One life of the daemon after the other: start it, let everything happen at once, kill it, look. Never decides what is wrong.

import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { names } from '../../src/disk/read.ts'
import { codeOf } from '../../src/words/reason.ts'
import { look, question, type Web, wish } from './asks.ts'
import type { Chance } from './chance.ts'
import {
  dropFolder,
  dropIntoWatch,
  dropRequest,
  editRequest,
  type Hand,
  harmFile,
  seeAnswers,
} from './hands.ts'
import type { End, Model } from './model.ts'
import type { Known } from './universe.ts'

type Act = { readonly weight: number; readonly run: () => Promise<void> }

/** What happens at random until `signal` fires: with `web`, over HTTP too. */
export async function bustle(hand: Hand, web: Web | undefined, signal: AbortSignal): Promise<void> {
  const watched = (async () => {
    for (; !signal.aborted; await pause(15, signal)) await seeAnswers(hand)
  })()
  const acts = [...byHand(hand), ...(web === undefined ? [] : overHttp(hand, web))]
  await Promise.all(
    [0, 1, 2, 3].map(async () => {
      while (!signal.aborted) {
        await weighed(acts, hand.chance.next()).run()
        await pause(hand.chance.between(2, 80), signal)
      }
    }),
  )
  await watched
}

function weighed(acts: readonly Act[], at: number): Act {
  let left = at * acts.reduce((sum, { weight }) => sum + weight, 0)
  for (const act of acts) {
    left -= act.weight
    if (left < 0) return act
  }
  throw new Error('there is no act')
}

function byHand(hand: Hand): Act[] {
  const { model, chance } = hand
  // A person does not pull at what they have just asked for another way, else nobody could say what must follow.
  const isOnly = (end: 'whole', known: Known): boolean =>
    model.isOnly(known.name, end) && known.exists && !model.isAwaited(known.name)
  const one = (weight: number, act: (hand: Hand, known: Known) => Promise<void>): Act => ({
    weight,
    run: () =>
      model.withNames(
        chance,
        1,
        each => isOnly('whole', each),
        ([known]) => act(hand, known),
      ),
  })
  return [
    one(5, editRequest),
    one(1, dropRequest),
    one(1, dropFolder),
    one(8, harmFile),
    {
      weight: 2,
      run: () =>
        model.withNames(
          chance,
          chance.is(0.3) ? 3 : 1,
          each => model.drops.size < 2 && !model.isAwaited(each.name),
          all => dropIntoWatch(hand, all),
        ),
    },
  ]
}

function overHttp({ model, chance }: Hand, web: Web): Act[] {
  const any = (): boolean => true
  return [
    { weight: 6, run: () => model.withNames(chance, 1, any, ([known]) => wish(web, known, 'POST')) },
    {
      weight: 1.2,
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
        const { did } = chance.of(model.all) ?? { did: '' }
        const files = `/dsfiles?ds_name=${encodeURIComponent(did)}`
        await look(
          web,
          chance.of(['/status', '/datasets', '/logs?name=rucio_downloader', files]) ?? '/status',
        )
      },
    },
    {
      // A reader who trusts no answer: whatever has its final name is whole.
      weight: 8,
      run: () =>
        model.withNames(
          chance,
          1,
          each => each.exists,
          async ([known]) => {
            const file = chance.of([...known.files.values()])
            const wrong = file === undefined ? undefined : await web.looks.file(known, file)
            if (wrong !== undefined) web.fault(wrong)
          },
        ),
    },
  ]
}

/** As if time had gone by since a daemon died: its lock goes stale in 8 s, what it staged without owning DATA counts as left over after
 *  a minute. Each round would wait for that.
 *  @param lock false leaves the lock as fresh as it was */
export async function age(data: string, lock: boolean): Promise<void> {
  const old = new Date(Date.now() - 90_000)
  const own = join(data, '.rucio')
  for (const boot of await names(join(own, 'staging'))) await utimes(join(own, 'staging', boot), old, old)
  try {
    if (lock) await utimes(join(own, 'lock', 'daemon'), old, old)
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

/** What the storages do in the next life.
 *  @param resumes false: an engine begins a file anew after a drop, and could never end one of many */
export function weather(
  chance: Chance,
  resumes: boolean,
): { readonly rate: number; readonly dropEvery: number } {
  return {
    rate: chance.is(0.6) ? chance.between(2, 50) * 2 ** 20 : 0,
    dropEvery: chance.is(0.5) ? chance.between(200_000, 6_000_000) * (resumes ? 1 : 10) : 0,
  }
}

/** May a NAME have this word in the end? */
export function isSettled(model: Model, known: Known, word: string): boolean {
  const ends = model.ends(known.name)
  if (!known.exists) return !ends.has('whole') || word === 'does_not_exist'
  if (ends.has('left') && word !== 'does_not_exist') return true
  const words: Partial<Record<string, End>> = {
    local: 'whole',
    not_on_server: 'gone',
    downloading: 'harmed',
  }
  const end = words[word]
  return end !== undefined && ends.has(end)
}
