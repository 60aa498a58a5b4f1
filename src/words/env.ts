// The environment of a process, as it was given. Reads none.

export type Env = Readonly<Record<string, string | undefined>>

/** What is set to nothing is not set: Compose and start scripts hand on all that they know of. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
