// What is asked of a server's certificate after OpenSSL has verified it: its host name, and what came with the authorities. Never asks
// OpenSSL to read revocation lists: its crl option makes every authority without a list fail (credentials.md 0.7).

import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls'

/** @param chain DER, the server's own certificate first, up to the authority
 *  @returns what is wrong with it */
export type ChainCheck = (chain: readonly Buffer[]) => Error | undefined

/** It goes with the context, as both are of one set of authorities: new lists make a new context, so that no session of before is
 *  resumed, which Node does without any check. */
const checks = new WeakMap<SecureContext, ChainCheck>()

/** Servers that are met with this context have to pass `check` too. */
export function setChainCheck(context: SecureContext, check: ChainCheck): void {
  checks.set(context, check)
}

/** For `checkServerIdentity` of tls.connect() and of an Agent. */
export function serverCheck(
  context: SecureContext,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) => {
    const wrong = checkServerIdentity(host, certificate)
    if (wrong !== undefined) return wrong
    return checks.get(context)?.(chainOf(certificate))
  }
}

/** Node hands this callback the whole chain (getPeerCertificate(true)); the issuer of the last is itself. */
function chainOf(certificate: PeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  let next: { readonly raw?: Buffer; readonly issuerCertificate?: PeerCertificate } | undefined = certificate
  for (let raw = next?.raw; raw !== undefined && !includes(chain, raw); raw = next?.raw) {
    chain.push(raw)
    next = next?.issuerCertificate
  }
  return chain
}

function includes(chain: readonly Buffer[], raw: Buffer): boolean {
  return chain.some(each => each.equals(raw))
}
