/** What a program cannot know by itself. main.ts makes the one real World; tests make others. */
export type World = {
  /** ms since 1970 */
  now(): number
  /** in [0, 1) */
  chance(): number
}

/** ms since 1970 -> ISO 8601 in UTC, as every record holds it. */
export function toIso(at: number): string {
  return new Date(at).toISOString()
}

/** ISO 8601 -> ms since 1970, undefined for what is no time. */
export function fromIso(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const at = Date.parse(text)
  return Number.isFinite(at) ? at : undefined
}
