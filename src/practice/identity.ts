// Who is at the other end of a TLS connection: the certificate that it showed, checked against the practice CA. Never asks Node's own
// verdict, which refuses proxies (RFC 3820).

import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { caPem } from './certificates.ts'

/** The DN as Rucio writes it (`/DC=org/…/CN=Jane Doe`), without the CNs that a proxy added; undefined without a good certificate. */
export function subjectOf(socket: TLSSocket): string | undefined {
  const chain = shown(socket)
  for (const [i, certificate] of chain.entries()) {
    if (!isInDate(certificate)) return undefined
    if (certificate.verify(practiceCa.publicKey)) return `/${certificate.subject.replaceAll('\n', '/')}`
    const issuer = chain[i + 1]
    if (issuer === undefined || !certificate.verify(issuer.publicKey)) return undefined
  }
  return undefined
}

/** It showed one, and it is expired or of a CA that we do not know: real servers break the connection then (facts/rucio.md 0.8). */
export function hasBadCertificate(socket: TLSSocket): boolean {
  return shown(socket).length > 0 && subjectOf(socket) === undefined
}

const practiceCa = new X509Certificate(caPem)

function shown(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  // A certificate that signed itself is its own issuer, and the last.
  while (next?.raw !== undefined && chain.length < 10) {
    chain.push(new X509Certificate(next.raw))
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate
  }
  return chain
}

function isInDate(certificate: X509Certificate): boolean {
  const now = Date.now()
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo)
}
