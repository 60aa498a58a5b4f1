// What the doctor says of this machine: one finding a check. Never checks anything.

export type Finding = {
  /** what was looked at, in some words */
  readonly check: string
  /** bad = a transfer that needs it fails; warning = it may, or some do; skipped = it could not be looked at, or nothing needs it */
  readonly state: 'good' | 'warning' | 'bad' | 'skipped'
  /** what was found, in a sentence */
  readonly message: string
  /** what to do about it */
  readonly advice: string | null
}

/** GET /doctor */
export type Checkup = {
  /** nothing is bad */
  readonly healthy: boolean
  /** ISO time of its end */
  readonly at: string
  readonly findings: readonly Finding[]
}

export function good(check: string, message: string): Finding {
  return { check, state: 'good', message, advice: null }
}

export function skipped(check: string, message: string): Finding {
  return { check, state: 'skipped', message, advice: null }
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: 'warning', message, advice }
}

export function bad(check: string, message: string, advice: string): Finding {
  return { check, state: 'bad', message, advice }
}
