// What voms-proxy-init says -> a sentence that a user can act on, and when it may be tried again. Pure; reads text alone.
//
// The texts are those of the C++ client 2.1.1 and the Java client 3.3.2 of Debian, as they were seen, and what they repeat of servers (vomsd,
// VOMSErrorMessage of voms-admin and of INDIGO IAM). What is new to us is shown as it is.

import { clean } from '../words/reason.ts'

export type Refusal = {
  /** what went wrong and what to do; holds no secret when `text` held none */
  readonly message: string
  /** decide/renewal.ts */
  readonly again: 'change' | 'network' | 'later'
}

export type Asked = {
  /** GRID_VOMS as it was given; undefined = a plain proxy */
  readonly voms: string | undefined
  readonly certPath: string
  readonly keyPath: string
}

type Row = readonly [RegExp, Refusal['again'], (asked: Asked, found: RegExpExecArray) => string]

const rows: readonly Row[] = [
  [
    /bad decrypt|maybe wrong password|password is incorrect|bad password read|Failed to read pass-phrase/i,
    'change',
    () => wrongPassword,
  ],
  [
    /don't match|not matching/i,
    'change',
    ({ certPath, keyPath }) =>
      `${keyPath} is not the key of ${certPath}: put the two there that were issued together`,
  ],
  [
    /User unknown to this VO/i,
    'later',
    ({ voms }) =>
      `the VOMS server does not know this certificate: you are no member of ${voms ?? 'the VO'}, or have not registered this certificate there. Ask the VO to add it; it is tried again each hour`,
  ],
  [
    /User is currently suspended|is currently suspended\. Reason|is not active\./i,
    'later',
    ({ voms }) =>
      `your membership of ${voms ?? 'the VO'} is suspended or not active: renew it with the VO (its rules may have to be signed anew); it is tried again each hour`,
  ],
  [
    /Unable to satisfy|not a member|no such (group|role)|not authorized to request attribute/i,
    'later',
    ({ voms }) =>
      `the VOMS server does not give ${voms ?? 'it'} to this certificate: check group and role in GRID_VOMS, or ask the VO for them`,
  ],
  [
    /VOMS server for .*not known/i,
    'change',
    ({ voms }) =>
      `no VOMS server is known for ${voms ?? 'it'}: check the name in GRID_VOMS, or add the VO to vomses (VOMS_USERCONF, ~/.glite/vomses, /etc/vomses)`,
  ],
  // The C++ client reads no refusal that comes by REST; it asks again in the old way, and shows what comes of that.
  [
    /Server Answer was incorrectly formatted/i,
    'later',
    ({ voms }) =>
      `the VOMS server refused, and this voms-proxy-init does not show why: are you a member, and do you hold ${voms ?? 'what was asked for'} (GRID_VOMS)? The client of Java (voms-clients-java) shows the reason; it is tried again each hour`,
  ],
  [
    /AC not yet valid|not yet valid/i,
    'network',
    () =>
      'what the VOMS server signs is not yet valid here: the clock of this machine is behind, set it right',
  ],
  [
    /AC (?:has )?expired|certificate has expired/i,
    'network',
    () =>
      'a certificate on the way to the VOMS server has ended, or the clock of this machine is ahead: check the clock and the CA directory',
  ],
  [
    /No trusted CA|self.signed certificate in certificate chain|unable to get (?:local )?issuer|unable to access trusted certificates|Invalid trust anchors/i,
    'change',
    () =>
      'the certificate of the VOMS server cannot be verified: the CA directory (X509_CERT_DIR) is missing, empty or without its authority',
  ],
  [
    /outdated CRL|CRL (?:has|was) expired|Signature of a CRL/i,
    'later',
    () => 'a revocation list in the CA directory has ended: run fetch-crl',
  ],
  [
    /certificate (?:has been |was )?revoked/i,
    'change',
    () => 'this certificate, or that of the VOMS server, has been revoked: ask its authority',
  ],
  [
    /Cannot verify AC signature|LSC|vomsdir/i,
    'change',
    ({ voms }) =>
      `the attributes of ${voms ?? 'the VO'} cannot be verified: its .lsc file is missing in the vomsdir (X509_VOMS_DIR, /etc/grid-security/vomsdir)`,
  ],
  [
    /Cannot write proxy|No space left|Error creating proxy certificate|Parameters unset/i,
    'network',
    () => 'the proxy could not be written: the directory for proxies is full or not ours to write',
  ],
  [
    /oid exists|Connection refused|SSL handshake|timed? ?out|Unexpected end of file|UnknownHost|Name or service|No route to host|unreachable|capable of returning a valid AC|Unable to connect|Error contacting|Error while contacting/i,
    'network',
    ({ voms }) =>
      `the VOMS server of ${voms ?? 'the VO'} was not reached: check the network and its address in vomses; it is tried again every five minutes`,
  ],
]

export const wrongPassword =
  'the password of the private key is wrong: put the right one into GRID_PASSWORD_FILE, or give it with desktop-rucio password'

/** @param text what the client said on both streams; its words are looked for in it as it is, for a password may be one of them
 *  @param shown the same without the password
 *  @param reachedNothing it ran into its time limit */
export function explain(
  { text, shown }: { readonly text: string; readonly shown: string },
  asked: Asked,
  reachedNothing: boolean,
): Refusal {
  if (reachedNothing)
    return {
      again: 'network',
      message: `the VOMS server of ${asked.voms ?? 'the VO'} did not answer in time: check the network; it is tried again every five minutes`,
    }
  for (const [pattern, again, message] of rows) {
    const found = pattern.exec(text)
    if (found !== null) return { again, message: message(asked, found) }
  }
  return {
    again: 'network',
    message: `voms-proxy-init made no proxy: ${clean(lastWords(shown), 200) || 'it gave no reason'}`,
  }
}

/** What a user should know of a client that made a good proxy and complained all the same; undefined when there is nothing. */
export function complaint(text: string): string | undefined {
  const seconds = /validity of this VOMS AC in your proxy is shortened to (\d+) seconds/i.exec(text)?.[1]
  if (seconds !== undefined)
    return `the VOMS server gives attributes for ${Math.round(Number(seconds) / 3600)} hours only`
  if (/Cannot verify AC signature/i.test(text))
    return 'the attributes of the proxy could not be verified here: the vomsdir (X509_VOMS_DIR) lacks the .lsc file of this VOMS server'
  if (/certificate (?:has been |was )?revoked/i.test(text))
    return 'this certificate, or that of the VOMS server, has been revoked: ask its authority'
  if (/outdated CRL/i.test(text)) return 'a revocation list in the CA directory has ended: run fetch-crl'
  return undefined
}

/** The C++ client always says that there is no .rnd, and draws rows of dots and plus signs. */
function lastWords(text: string): string {
  const lines = text
    .split(/[\r\n]+/)
    .map(line => line.replace(/[.+*]{4,}/g, '').trim())
    .filter(line => line !== '' && !/\.rnd|^Function:|^Creating|^Contacting|^Your identity/.test(line))
  return lines.slice(-2).join('; ')
}
