// What GET /status says of the credential: what the files hold, and how it stands with making the proxy. Pure.

import { type Apart, clockNote, withClockNote } from '../words/clock.ts'
import type { GridCert } from '../words/status.ts'
import { toIso } from '../words/world.ts'
import type { Pair } from './certificate.ts'
import type { MakerSeen } from './maker.ts'

/** Certificates are issued by people, who take days. */
const warnMs = 30 * 86_400_000

/** Keys that say what the pair is made of. */
export function describePair(pair: Pair | undefined, proxyPath: string | undefined) {
  const { voms } = pair ?? {}
  return {
    vo: voms?.vos[0] ?? null,
    fqans: voms?.fqans ?? [],
    voms_ends: voms === undefined ? null : toIso(voms.end),
    proxy_path: proxyPath ?? null,
  }
}

/** @returns sentences; none while all is well for the next month */
export function warningsOf(pair: Pair | undefined, now: number): string[] {
  if (pair === undefined) return []
  const leftMs = pair.certificateEnd - now
  if (leftMs > warnMs || leftMs <= 0) return []
  const days = Math.floor(leftMs / 86_400_000)
  return [
    `the certificate of ${pair.identity} ends ${toIso(pair.certificateEnd)}, in ${days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`}: get a new one from your authority`,
  ]
}

/** A wrong clock is told beside whatever is wrong, for it may be the cause; where all is well it is a warning. */
export function withClock(cert: GridCert, apart: Apart | undefined): GridCert {
  const note = clockNote(apart)
  if (note === undefined) return cert
  if (cert.error !== null) return { ...cert, error: withClockNote(cert.error, apart) }
  return { ...cert, warnings: [...(cert.warnings ?? []), note] }
}

/** A renewal that fails while the proxy that we hold still counts is a warning; without one it is the error. */
export function withMaker(cert: GridCert, maker: MakerSeen | undefined): GridCert {
  if (maker === undefined) return { ...cert, renewal: null }
  const { refusal, complaint, nextAt, madeAt } = maker
  const failed = refusal === undefined ? [] : [refusal.message]
  const hasProxy = cert.proxy_ends !== null
  const errors = [...(cert.error === null ? [] : [cert.error]), ...(hasProxy ? [] : failed)]
  return {
    ...cert,
    is_good: errors.length === 0,
    error: errors.length === 0 ? null : errors.join('; '),
    warnings: [
      ...(cert.warnings ?? []),
      ...(hasProxy ? failed.map(each => `the proxy could not be renewed: ${each}`) : []),
      ...(complaint === undefined ? [] : [complaint]),
    ],
    renewal: {
      made: madeAt === undefined ? null : toIso(madeAt),
      next: Number.isFinite(nextAt) && nextAt > 0 ? toIso(nextAt) : null,
      error: refusal === undefined ? null : { message: refusal.message, at: toIso(refusal.at) },
    },
  }
}
