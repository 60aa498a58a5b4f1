// Which certificates their authorities have revoked, by the lists that lie beside them. Never fetches a list, and never trusts an
// authority: OpenSSL has verified the chain before it comes here.

import { type KeyObject, X509Certificate } from 'node:crypto'
import { type Crl, nameOf } from './crl.ts'

export type CrlCounts = {
  /** authorities by their newest list: one that counts now, one that has run out, none */
  readonly fresh: number
  readonly stale: number
  readonly missing: number
}

export type Revocations = {
  /** @param chain DER, a server's certificate first
   *  @returns an Error with a `code` as OpenSSL's: CERT_REVOKED, and in strict mode CRL_HAS_EXPIRED or UNABLE_TO_GET_CRL */
  check(chain: readonly Buffer[]): (Error & { readonly code: string }) | undefined
  counts(now: number): CrlCounts
}

type Authority = { readonly key: KeyObject; readonly lists: readonly Crl[] }

/** A list counts for the authority of its name whose key it was signed with; an old one still revokes, for nobody takes that back.
 *  @param authorities PEM
 *  @param strict without a list that counts now of each issuer in a chain nothing is taken */
export function openRevocations(
  authorities: readonly string[],
  lists: readonly Crl[],
  { strict, now }: { readonly strict: boolean; readonly now: () => number },
): Revocations {
  const named = new Map<string, Authority[]>()
  for (const pem of authorities) {
    const certificate = new X509Certificate(pem)
    const key = certificate.publicKey
    const { subject } = nameOf(certificate.raw)
    const own = lists.filter(each => each.issuer === subject && each.isSignedBy(key))
    named.set(subject, [...(named.get(subject) ?? []), { key, lists: own }])
  }
  return {
    check(chain) {
      for (const raw of chain) {
        const { issuer, subject, serial } = nameOf(raw)
        // An authority that signed itself is trusted because it lies there; its list cannot be asked about itself.
        if (issuer === subject) continue
        // Two authorities may bear one name while one takes the other's place: whose it is, its signature says.
        const of = named.get(issuer) ?? []
        const by = of.length === 0 ? undefined : of.find(({ key }) => new X509Certificate(raw).verify(key))
        if (by?.lists.some(each => each.serials.has(serial)) === true)
          return wrong('CERT_REVOKED', `its authority has revoked it (serial ${serial})`)
        if (strict) {
          const state = stateOf(by?.lists ?? [], now())
          if (state === 'stale')
            return wrong('CRL_HAS_EXPIRED', 'the revocation list of its authority has run out')
          if (state === 'missing')
            return wrong('UNABLE_TO_GET_CRL', 'there is no revocation list of its authority')
        }
      }
      return undefined
    },
    counts(at) {
      const counts = { fresh: 0, stale: 0, missing: 0 }
      for (const each of [...named.values()].flat()) counts[stateOf(each.lists, at)]++
      return counts
    },
  }
}

function stateOf(lists: readonly Crl[], now: number): keyof CrlCounts {
  if (lists.length === 0) return 'missing'
  return lists.some(each => each.from <= now && (each.until ?? Number.POSITIVE_INFINITY) > now)
    ? 'fresh'
    : 'stale'
}

function wrong(code: string, what: string): Error & { readonly code: string } {
  return Object.assign(new Error(what), { code })
}
