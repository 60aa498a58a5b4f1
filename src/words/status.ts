// status/KEY.json and the states of the data directory. Never measures them.

/** status/grid_cert.json, and `grid_cert` of GET /status */
export type GridCert = {
  /** no credential that is configured, of whatever kind, is known to be bad */
  readonly is_good: boolean
  readonly identity: string | null
  /** ISO times of the ends; null when there is none or it is unknown */
  readonly proxy_ends: string | null
  readonly certificate_ends: string | null
  readonly token_ends: string | null
  /** a sentence, or null */
  readonly error: string | null
}

/** What the data directory is good for right now. */
export type DataState = 'starting' | 'ready' | 'read_only' | 'data_dir_missing' | 'disk_slow' | 'stopping'

export const dataStates = [
  'starting',
  'ready',
  'read_only',
  'data_dir_missing',
  'disk_slow',
  'stopping',
] as const

/** Names of GET /logs, in the frozen order. */
export const logNames = ['web_server', 'rucio_downloader', 'grid_cert'] as const
export type LogName = (typeof logNames)[number]
/** Writes one line to a log; secrets are filtered by the log itself. */
export type Log = (name: LogName, text: string) => void
