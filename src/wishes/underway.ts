// A table of looks that are under way, each shared by whoever asks meanwhile. Keeps no result, and swallows no error of whoever asked.

type Run<T> = { readonly value: Promise<T> }

/** Enters `run` under NAME until it has ended. `found` has its value, unless somebody dropped or overtook it: who does that takes it out of
 *  the table, or puts another one there. An error goes to whoever awaits `run.value`; here it only ends the entry. */
export function enter<T, More>(
  table: Map<string, Run<T> & More>,
  name: string,
  run: Run<T> & More,
  found: (value: T) => void,
): void {
  table.set(name, run)
  const ended = (): boolean => {
    const current = table.get(name) === run
    if (current) table.delete(name)
    return current
  }
  run.value.then(
    value => {
      if (ended()) found(value)
    },
    () => ended(),
  )
}
