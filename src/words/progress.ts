// Bytes not yet synced and rates: the one table in memory that the web reads. The transfer writes it, nobody else.

export type FileProgress = {
  /** bytes of the file that lie in the part, unsynced ones included */
  readonly bytes: number
  /** bytes a second over the last seconds; null when unknown */
  readonly rate: number | null
  /** RSE that sends now */
  readonly rse: string | null
  /** its `host:port` */
  readonly host: string | null
}

/** NAME -> path -> progress; only files that are being fetched now stand in it. */
export type ProgressTable = ReadonlyMap<string, ReadonlyMap<string, FileProgress>>
