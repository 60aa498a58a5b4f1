// PEM of a proxy, or of a certificate and its key -> what a connection needs, and its dates. Never reads a file, never asks for a password.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { Trouble } from '../words/reason.ts'
import { isProxy, type VomsAttributes, vomsOf } from './der.ts'
import { isEncrypted } from './password.ts'

export type Pair = {
  /** all CERTIFICATE blocks, in the file's order: a proxy comes before the certificate that it was made with */
  readonly cert: string
  readonly key: string
  /** the user's own name, /DC=…/CN=…, without the proxy's */
  readonly identity: string
  /** ms since 1970: from when, and until when all of it counts (proxy and every certificate behind it up to the user's) */
  readonly from: number
  readonly end: number
  readonly certificateEnd: number
  readonly isProxy: boolean
  readonly voms: VomsAttributes | undefined
}

/** @param keyPem the same text when certificate and key lie in one file
 *  @param shown the file's name for messages
 *  @returns Trouble('auth') with a sentence for what cannot be used; dates are not judged here */
export function readPair(certPem: string, keyPem: string, shown: string): Pair | Trouble {
  const blocks =
    certPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.map(each => `${each}\n`) ??
    []
  if (blocks.length === 0) return new Trouble('auth', `${shown} holds no certificate`)
  const key = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/.exec(keyPem)?.[0]
  if (key === undefined)
    return new Trouble('auth', `${shown}: there is no private key beside the certificate`)
  if (isEncrypted(key))
    return new Trouble(
      'auth',
      `${shown}: the private key has a password; name a file that holds it in GRID_PASSWORD_FILE, and a proxy is made with it`,
    )
  try {
    return examine(blocks, key, shown)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return new Trouble('auth', `${shown} is not whole or not a certificate (${why})`, error)
  }
}

function examine(blocks: readonly string[], key: string, shown: string): Pair | Trouble {
  const chain = blocks.map(each => new X509Certificate(each))
  const userAt = chain.findIndex(each => !isProxy(each))
  const user = chain[userAt]
  const first = chain[0]
  // A cut proxy file may lack just the last block: no identity, and no server would take it.
  if (user === undefined || first === undefined)
    return new Trouble('auth', `${shown} lacks the certificate that the proxy was made with: it is cut short`)
  if (!first.checkPrivateKey(createPrivateKey(key)))
    return new Trouble('auth', `${shown}: the private key is not that of the certificate`)
  const mine = chain.slice(0, userAt + 1)
  if (mine.some((each, i) => i < userAt && !each.verify((chain[i + 1] ?? each).publicKey)))
    return new Trouble('auth', `${shown}: the proxy was not made with the certificate behind it`)
  return {
    cert: blocks.join(''),
    key,
    identity: nameOf(user),
    from: Math.max(...mine.map(each => Date.parse(each.validFrom))),
    end: Math.min(...mine.map(each => Date.parse(each.validTo))),
    certificateEnd: Date.parse(user.validTo),
    isProxy: userAt > 0,
    voms: vomsOf(first),
  }
}

/** The subject as the grid writes it: /DC=…/CN=… */
export function nameOf(certificate: X509Certificate): string {
  return `/${certificate.subject.split('\n').join('/').replaceAll('\\,', ',')}`
}
