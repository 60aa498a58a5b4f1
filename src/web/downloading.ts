// Which NAMEs have the word `downloading`, for GET /status. Never looks at all of them more often than it can afford.

import type { Root } from '../disk/layout.ts'
import { askedNames, knownNames, type Word } from '../disk/word.ts'
import type { Kept } from '../wishes/kept.ts'
import type { Said } from '../wishes/words.ts'
import { isOfOne, Trouble } from '../words/reason.ts'

export type Downloading = {
  /** NAMEs, sorted */
  get(): Promise<readonly string[]>
  /** The last answer, without a look at the disk. */
  last(): readonly string[]
  /** A wish of NAME was just answered with this word. */
  note(name: string, word: Word): void
  /** Something on disk has changed: the list is out of date. */
  changed(): void
}

/** A list that took t ms to find is believed for at least this many times t, even past a change: with 1,000 datasets and a change
 *  every 100 ms nothing else would run. With a few datasets that is some milliseconds. */
const restTimes = 5
/** Without any news it is found anew after this time. */
const staleMs = 2000
/** A look that takes longer than this is not waited for when there is an older list: clients poll. */
const patienceMs = 50
/** But a list that nobody has asked for in so long is no answer. */
const oldMs = 5000
/** With 10,000 datasets, or one of 200,000 files, a look takes long, and none of that is the disk's fault: a look is waited for so long, and
 *  then what it has found so far is the answer to all who ask until it ends. */
const longMs = 1000
/** Words asked for at a time. */
const atOnce = 16

/** @param waitMs tests have a shorter one: what a look that goes on is waited for before it tells what it has so far */
export function openDownloading(root: Root, words: Kept<Said>, waitMs = longMs): Downloading {
  let list: readonly string[] | undefined
  let foundAt = 0
  let tookMs = 0
  let dirty = true
  let running: Promise<readonly string[]> | undefined
  /** wishes that were answered while a look was under way; it may have passed them already */
  const notes = new Map<string, Word>()
  /** of the look under way: what is in requests/ comes first, and counts until it was looked at where no older list tells */
  let startedAt = 0
  let asked: ReadonlySet<string> = new Set()
  let looked = new Set<string>()
  let found = new Set<string>()

  const look = async (): Promise<readonly string[]> => {
    const from = performance.now()
    dirty = false
    notes.clear()
    try {
      startedAt = from
      looked = new Set()
      found = new Set()
      asked = await askedNames(root)
      const all = [...(await knownNames(root))]
      for (let i = 0; i < all.length; i += atOnce)
        await Promise.all(
          all.slice(i, i + atOnce).map(async name => {
            if ((await wordOrNone(words, name)) === 'downloading') found.add(name)
            looked.add(name)
          }),
        )
      for (const [name, word] of notes) word === 'downloading' ? found.add(name) : found.delete(name)
      list = [...found].sort()
      foundAt = performance.now()
      tookMs = foundAt - from
      return list
    } catch (error) {
      dirty = true
      throw error
    } finally {
      running = undefined
    }
  }

  /** The look's own list, or, when that takes long and goes on, what it has found so far and what the list before says of the rest. */
  const soonOf = async (look: Promise<readonly string[]>): Promise<readonly string[]> => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(resolve, Math.max(0, startedAt + waitMs - performance.now()), undefined)
    })
    const soon = await Promise.race([look, late]).finally(() => clearTimeout(timer))
    if (soon !== undefined) return soon
    look.catch(() => {
      // The next call looks again, and has the error when there is nothing to give.
    })
    const others = (list ?? [...asked]).filter(name => !looked.has(name))
    const soFar = new Set([...found, ...others])
    for (const [name, word] of notes) word === 'downloading' ? soFar.add(name) : soFar.delete(name)
    return [...soFar].sort()
  }

  return {
    async get() {
      const age = performance.now() - foundAt
      if (list !== undefined && age < Math.max(restTimes * tookMs, dirty ? 0 : staleMs)) return list
      running ??= look()
      if (list === undefined || tookMs < patienceMs || age > Math.max(oldMs, 2 * restTimes * tookMs))
        return await soonOf(running)
      running.catch(() => {
        // The next call looks again, and has the error when there is nothing older to give.
      })
      return list
    },
    last: () => list ?? [],
    note(name, word) {
      notes.set(name, word)
      const others = (list ?? []).filter(each => each !== name)
      if (list !== undefined) list = word === 'downloading' ? [...others, name].sort() : others
      dirty = true
    },
    changed() {
      dirty = true
    },
  }
}

/** A link in the place of a dataset, or one that may not be read, is refused by /ds; the others are listed all the same. */
async function wordOrNone(words: Kept<Said>, name: string): Promise<Word | undefined> {
  try {
    return (await words.get(name)).word
  } catch (error) {
    if (error instanceof Trouble && isOfOne(error)) return undefined
    throw error
  }
}
