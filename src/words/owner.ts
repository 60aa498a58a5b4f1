// The small records of DATA/.rucio: format.json, owner.json, hosts/HOST.json. Never reads or writes them.

import { asObject, isTotal } from './text.ts'

export type Format = { readonly format: 1; readonly id: string; readonly scope_rule: 'default' }

export type Owner = {
  readonly format: 1
  /** random, of one process's life */
  readonly boot_id: string
  readonly host: string
  readonly pid: number
  /** where its HTTP interface listens; null until it does */
  readonly url: string | null
  readonly started: string
}

/** How a storage has done. */
export type HostRecord = {
  readonly format: 1
  readonly host: string
  /** in a row */
  readonly failures: number
  /** ISO time */
  readonly rest_until: string | null
  /** bytes a second, of the last good transfers */
  readonly rate: number | null
}

export function readFormat(json: unknown): Format | undefined {
  const { format, id, scope_rule } = asObject(json) ?? {}
  if (format !== 1 || typeof id !== 'string' || id === '' || scope_rule !== 'default') return undefined
  return { format, id, scope_rule }
}

export function readOwner(json: unknown): Owner | undefined {
  const { format, boot_id, host, pid, url, started } = asObject(json) ?? {}
  if (format !== 1 || typeof boot_id !== 'string' || typeof host !== 'string' || !isTotal(pid))
    return undefined
  if (typeof started !== 'string') return undefined
  return { format, boot_id, host, pid, url: typeof url === 'string' ? url : null, started }
}

export function readHostRecord(json: unknown): HostRecord | undefined {
  const { format, host, failures, rest_until, rate } = asObject(json) ?? {}
  if (format !== 1 || typeof host !== 'string' || !isTotal(failures)) return undefined
  return {
    format,
    host,
    failures,
    rest_until: typeof rest_until === 'string' ? rest_until : null,
    rate: isTotal(rate) ? rate : null,
  }
}
