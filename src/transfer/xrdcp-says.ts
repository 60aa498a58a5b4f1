// What xrdcp ended with -> whose fault it was, in one of our reasons. Pure; never repeats an address, which may hold a secret.

import { clean, Trouble } from '../words/reason.ts'
import { Miss } from './miss.ts'

/** How xrdcp ended without bringing all that was wanted. */
export type Ended = {
  /** null when a signal ended it */
  readonly code: number | null
  readonly stderr: string
  /** bytes that it brought */
  readonly came: number
  /** it had a proxy or a token to show */
  readonly showed: boolean
  /** a token was kept back, because this storage sends on to other hosts */
  readonly keptBack?: boolean
}

/** It was to go nowhere but to the host of its address, and that sent it on (XRD_REDIRECTLIMIT=0). */
export function wasSentOn(stderr: string): boolean {
  return /Redirect limit has been reached/i.test(lastError(stderr))
}

/** Exit codes tell kinds of errors alone (50 ours, 51 the connection, 52 the log-in or a time-out, 53 a query, 54 the server's or the
 *  disk's), so that its sentence is read first: `[ERROR] Server responded with an error: [3011] …` (xrdcp 5.5.3, each of these measured or
 *  from XProtocol.hh).
 *  @param place the RSE and host, to name it */
export function missOfXrdcp({ code, stderr, came, showed, keptBack = false }: Ended, place: string): Miss {
  const said = lastError(stderr)
  const number = /\[(3\d{3})\]/.exec(said)?.[1]
  if (/^Local error:/i.test(said)) return ours(said)
  if (number !== undefined) return ofServer(Number(number), said, { place, showed, keptBack })
  if (/Auth failed|authentication failed/i.test(said))
    return new Miss('replica', notTaken({ place, showed, keptBack }))
  if (/corrupted data|checksum/i.test(said))
    return new Miss(
      'strike',
      new Trouble('corrupt', `${place} sends what xrdcp cannot read (${short(said)})`),
    )
  if (/Resource not found|No such file/i.test(said))
    return new Miss('replica', new Trouble('no_replica', `${place} does not have it`))
  if (/Invalid address/i.test(said)) return down(`${place} is a name that nobody knows`, 0)
  if (/TLS error.*not configured to support encryption/i.test(said))
    return new Miss(
      'replica',
      new Trouble(
        'refused',
        `${place} encrypts nothing, which its address (roots) or "plain_data": false asks for`,
      ),
    )
  if (wasSentOn(stderr))
    return new Miss('replica', new Trouble('refused', `${place} sends us on from host to host`))
  if (/TLS error/i.test(said))
    return new Miss(
      'replica',
      new Trouble('refused', `no encrypted connection to ${place} that can be trusted (${short(said)})`),
    )
  if (/Operation expired|timeout|timed out/i.test(said)) return down(`${place} does not answer`, came)
  if (code === 51 || /Connection error|Socket|stream/i.test(said))
    return down(came > 0 ? `the connection to ${place} broke` : `${place} refuses connections`, came)
  if (code === 0)
    return new Miss(
      'strike',
      new Trouble('corrupt', `the file at ${place} is shorter than the catalogue says`),
    )
  if (code === null) return new Miss('replica', new Trouble('stalled', `xrdcp broke down at ${place}`))
  return new Miss('replica', new Trouble('refused', `xrdcp ended with ${code} at ${place} (${short(said)})`))
}

type Shown = { readonly place: string; readonly showed: boolean; readonly keptBack: boolean }

/** kXR error numbers of XProtocol.hh. */
function ofServer(number: number, said: string, { place, showed, keptBack }: Shown): Miss {
  switch (number) {
    case 3010:
      return new Miss(
        'replica',
        new Trouble('refused', `${place} does not let us read it (${short(said)})`),
        undefined,
        true,
      )
    case 3030:
      return new Miss('replica', notTaken({ place, showed, keptBack }))
    case 3011: // not found
    case 3014: // a redirector that knows no server with it
    case 3029: // no replicas
      return new Miss('replica', new Trouble('no_replica', `${place} does not have it`))
    case 3015: // not a file
    case 3016: // a directory
    case 3019: // checksum
      return new Miss('strike', new Trouble('corrupt', `${place} has something else there (${short(said)})`))
    case 3008: // no memory
    case 3012: // server error
    case 3024: // overloaded
      return new Miss('host', new Trouble('host_down', `${place} says that it cannot now (${short(said)})`))
    default:
      return new Miss('replica', new Trouble('refused', `${place} answers ${short(said)}`))
  }
}

/** xrdcp 5.5.3 makes no proxy of certificate and key, not even where the key has no password. */
function notTaken({ place, showed, keptBack }: Shown): Trouble {
  if (keptBack)
    return new Trouble(
      'auth',
      `${place} sends us on to other hosts, and a token is shown to no host but the one that the catalogue names`,
    )
  return new Trouble(
    'auth',
    showed
      ? `${place} does not take our proxy or token`
      : `${place} wants to know who asks, which over XRootD takes a proxy: give a certificate (--cert-dir) or a proxy (X509_USER_PROXY)`,
  )
}

function ours(said: string): Miss {
  if (/no space|quota/i.test(said))
    return new Miss('us', new Trouble('disk_full', 'the disk takes no more bytes'))
  if (/read-only/i.test(said)) return new Miss('us', new Trouble('read_only', `xrdcp says ${short(said)}`))
  return new Miss('us', new Trouble('disk_error', `xrdcp says ${short(said)}`))
}

/** Nothing came: the host is to be left alone. A connection that breaks in mid-file says nothing against it. */
function down(what: string, came: number): Miss {
  return came > 0
    ? new Miss('line', new Trouble('stalled', what))
    : new Miss('host', new Trouble('host_down', what))
}

/** `Run: [ERROR] Server responded …` without what stands before; xrdcp says why in its last such line. */
function lastError(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter(each => /\[(ERROR|FATAL)\]/.test(each))
  return (lines.at(-1) ?? '').replace(/^.*\[(?:ERROR|FATAL)\]\s*/, '').trim()
}

/** Without addresses: their queries may hold secrets. */
function short(said: string): string {
  const plain = said.replace(/\b\w+:\/\/\S+/g, '…').replace(/\?\S*/g, '?…')
  return clean(plain, 120)
}
