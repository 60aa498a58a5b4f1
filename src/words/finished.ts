// A file that has just got its final name, as whoever counts transfers wants to know it. Never tells by which address it came.

export type Finished = {
  /** NAME of the dataset that asked for it */
  readonly name: string
  /** `scope:name` of the file */
  readonly did: string
  readonly bytes: number
  /** that sent last; undefined where nothing had to be sent (an empty file, or one that had come before a restart) */
  readonly source: { readonly rse: string; readonly scheme: string } | undefined
  /** ms since 1970, of the last try */
  readonly startedAt: number
  readonly endedAt: number
}
