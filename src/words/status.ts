// status/KEY.json and the states of the data directory. Never measures them.

import { asObject } from './text.ts'

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
  /** authorities by the state of their revocation lists; only where there is a directory for them */
  readonly crl?: { readonly fresh: number; readonly stale: number; readonly missing: number }
  /** what a user should do something about before it is an error: a certificate that ends within 30 days, a renewal that failed */
  readonly warnings?: readonly string[]
  /** the first VO of the proxy's VOMS attributes, their FQANs, and when they end */
  readonly vo?: string | null
  readonly fqans?: readonly string[]
  readonly voms_ends?: string | null
  /** where the proxy lies that is shown; null when none is configured */
  readonly proxy_path?: string | null
  /** null when nobody here makes the proxy */
  readonly renewal?: Renewal | null
}

export type Renewal = {
  /** ISO times; null for `next` = not before something changes */
  readonly made: string | null
  readonly next: string | null
  /** why the last try failed */
  readonly error: { readonly message: string; readonly at: string } | null
}

/** status/grid_cert.json as GET /status gives it: every key of the record goes out, those that this version does not know included. */
export function readGridCert(json: unknown): GridCert | undefined {
  const { format, ...keys } = asObject(json) ?? {}
  const { is_good, identity, proxy_ends, certificate_ends, token_ends, error } = keys
  if ((format !== undefined && format !== 1) || typeof is_good !== 'boolean') return undefined
  const texts = { identity, proxy_ends, certificate_ends, token_ends, error }
  for (const text of Object.values(texts))
    if (text !== undefined && text !== null && typeof text !== 'string') return undefined
  return { is_good, ...noCert, ...keys }
}

const noCert = { identity: null, proxy_ends: null, certificate_ends: null, token_ends: null, error: null }

/** No credential is configured or known yet: none is known to be bad. */
export const unknownCert: GridCert = { is_good: true, ...noCert }

/** What the data directory is good for right now. */
export type DataState = 'starting' | 'ready' | 'read_only' | 'data_dir_missing' | 'disk_slow' | 'stopping'

/** Names of GET /logs, in the frozen order. */
export const logNames = ['web_server', 'rucio_downloader', 'grid_cert'] as const
export type LogName = (typeof logNames)[number]
/** Writes one line to a log; secrets are filtered by the log itself. */
export type Log = (name: LogName, text: string) => void
