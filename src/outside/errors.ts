// What Node says of a connection that failed -> Trouble with a reason. Never connects or waits.

import { clockNote, withClockNote } from '../words/clock.ts'
import { hostPort } from '../words/pfn.ts'
import { codeOf, Trouble, toTrouble } from '../words/reason.ts'
import { hasNetwork, isLoopbackName } from './address.ts'
import { serverClock } from './serverClock.ts'

type Place = { readonly host: string; readonly port: number }

// Alerts that name our certificate. With TLS 1.3 they come after 'secureConnect' as a code of their own, with TLS 1.2 as EPROTO
// with the alert in the message (facts/rucio.md 7).
const ourCertificate =
  /alert[ _](?:bad[ _]certificate|unsupported[ _]certificate|certificate[ _](?:revoked|expired|unknown|required)|unknown[ _]ca|access[ _]denied|no[ _]certificate)/i
// OpenSSL's names for a server certificate that does not verify.
const theirCertificate =
  /^(?:UNABLE_TO_|CERT_|CRL_|SELF_SIGNED_|DEPTH_ZERO_|ERROR_IN_CERT_|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME)/
// The certificate may be in order, and its authority is one that nobody has told us of.
const unknownAuthority = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/
const noRoute = new Set(['ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN'])
const noName = new Set(['ENOTFOUND', 'EADDRNOTAVAIL', 'EHOSTUNREACH'])
const words: Record<string, string> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'closed the connection without an answer',
  EPIPE: 'closed the connection without an answer',
  ENOTFOUND: 'is a name that nobody knows',
  EAI_AGAIN: 'is a name that cannot be looked up now',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'does not answer',
}

// A connection to anywhere else within this time proves that this machine is not offline.
const proofMs = 60_000
let connectedAt = Number.NEGATIVE_INFINITY

/** A connection stands: where it leads elsewhere, this machine has a network. */
export function noteConnected(host: string): void {
  if (!isLoopbackName(host)) connectedAt = performance.now()
}

/** An error before the head of an answer. What is a Trouble already stays as it is. */
export function lineTrouble(error: unknown, place: Place): Trouble {
  if (error instanceof Trouble) return error
  const shown = hostPort(place)
  const codes = allCodes(error)
  const [code = ''] = codes
  const text = error instanceof Error ? error.message : ''
  if (ourCertificate.test(`${code} ${text}`)) {
    const alert = ourCertificate.exec(`${code} ${text}`)?.[0].replaceAll('_', ' ').toLowerCase() ?? ''
    const detail = `${shown} does not take our certificate (${alert})`
    return new Trouble('auth', withClockNote(detail, serverClock()), error)
  }
  if (theirCertificate.test(code))
    return new Trouble(
      'refused',
      `the certificate of ${shown} cannot be trusted: ${text} (${code})${advice(code)}`,
      error,
    )
  if (isOffline(codes, place.host))
    return new Trouble('offline', `${shown} cannot be reached (${code})`, error)
  // Out of file handles is a fault of this machine, not of the host.
  if (code === 'EMFILE' || code === 'ENFILE') return toTrouble(error)
  if (code.startsWith('HPE_') || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return new Trouble('host_down', `${shown} speaks another language (${code})`, error)
  if (code.startsWith('ERR_') && !code.startsWith('ERR_SSL_')) return toTrouble(error)
  const what = words[code] ?? `gave an error: ${text}`
  return new Trouble('host_down', `${shown} ${what}${code === '' ? '' : ` (${code})`}`, error)
}

function advice(code: string): string {
  if (unknownAuthority.test(code))
    return '; name its authority with X509_CERT_DIR, --ca-cert or ca_cert in rucio.cfg'
  // Who looks at a good certificate with a wrong clock sees one that has ended or has not begun.
  if (/^CERT_(?:NOT_YET_VALID|HAS_EXPIRED)$/.test(code))
    return `; ${clockNote(serverClock()) ?? 'is the clock of this machine right?'}`
  return ''
}

// A host with IPv6 only gives ENETUNREACH, one broken name server EAI_AGAIN, while all else is well: a connection elsewhere
// within the last minute speaks against `offline`, no address of our own at all speaks for it.
function isOffline(codes: readonly string[], host: string): boolean {
  if (codes.length === 0 || isLoopbackName(host)) return false
  if (!codes.every(each => noRoute.has(each) || noName.has(each))) return false
  if (!hasNetwork()) return true
  return codes.every(each => noRoute.has(each)) && performance.now() - connectedAt > proofMs
}

/** The codes of all addresses that were tried, or the one code. */
function allCodes(error: unknown): readonly string[] {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(each => codeOf(each) ?? '')
  const code = codeOf(error)
  return code === undefined ? [] : [code]
}
