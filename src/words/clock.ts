// Our clock against that of a server, as far as its last answer told: how far they are apart, and what to say of it. Pure.

/** The Date header of an answer, and when it came by the clock that a person sets and by the one that only goes on (ms). */
export type ServerDate = {
  readonly host: string
  readonly theirs: number
  readonly wall: number
  readonly steady: number
}

/** positive = ours is ahead */
export type Apart = { readonly host: string; readonly apartMs: number }

/** Proxies are not yet valid, or not any more, on one side alone. Less is usual, and servers allow for it. */
export const apartMatters = 60_000
/** An answer of long ago says nothing of now. */
const oldMs = 3_600_000
const jumpMs = 5_000

/** @returns undefined without an answer, with one that is old, and after our clock was set or the machine has slept: which of the two it
 *  was only the next answer will tell */
export function apartFrom(
  seen: ServerDate | undefined,
  now: { readonly wall: number; readonly steady: number },
): Apart | undefined {
  if (seen === undefined) return undefined
  const passedMs = now.steady - seen.steady
  if (passedMs > oldMs || Math.abs(now.wall - seen.wall - passedMs) > jumpMs) return undefined
  return { host: seen.host, apartMs: seen.wall - seen.theirs }
}

/** `the clock of this machine is 7200 s behind that of rucio.example.org`. */
export function apartWords({ host, apartMs }: Apart): string {
  const seconds = Math.round(Math.abs(apartMs) / 1000)
  return `the clock of this machine is ${seconds} s ${apartMs < 0 ? 'behind' : 'ahead of'} that of ${host}`
}

/** What a sentence about a login, a proxy or a certificate that failed should add; undefined where the clock is no cause. */
export function clockNote(apart: Apart | undefined): string | undefined {
  if (apart === undefined || Math.abs(apart.apartMs) < apartMatters) return undefined
  return `${apartWords(apart)}: set it right first (timedatectl set-ntp true)`
}

/** `detail` with the clock as a possible cause, where it is one. */
export function withClockNote(detail: string, apart: Apart | undefined): string {
  const note = clockNote(apart)
  return note === undefined || detail.includes(note) ? detail : `${detail}; ${note}`
}
