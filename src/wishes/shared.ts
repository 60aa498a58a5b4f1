// One look for all who ask at the same time. Never gives anybody a look that began before they asked.

/** @param look finds something out
 *  @returns the same, shared: who asks while a look is under way gets the next one, together with all others who wait for it. A look
 *  that has begun already may have passed by what they need to see. */
export function shared<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  const begin = (): Promise<T> => {
    next = undefined
    const mine = look()
    running = mine
    const end = () => {
      if (running === mine) running = undefined
    }
    mine.then(end, end)
    return mine
  }

  return () => {
    if (running === undefined) return begin()
    next ??= running.then(begin, begin)
    return next
  }
}
