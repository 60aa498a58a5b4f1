// The certificate authorities that servers are verified with. Never trusts a server without one.

import { X509Certificate } from 'node:crypto'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { Trouble } from '../words/reason.ts'

export type Authorities = {
  /** PEM blocks; the public web's own (Mozilla's) when nothing is configured */
  readonly pems: readonly string[]
  readonly expired: number
  /** files that hold no certificate or cannot be read */
  readonly broken: number
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Once one is configured the public web's authorities no longer count: the grid's own list is the whole list.
 *  @param dir X509_CERT_DIR: hashed names (HASH.0); each real file is read once, both hashes lead to it
 *  @param bundle one PEM file of many certificates, or a directory as above
 *  @returns Trouble('auth') when what is configured gives not one certificate: nothing could be verified */
export async function readAuthorities(
  dir: string | undefined,
  bundle: string | undefined,
  now: number,
): Promise<Authorities | Trouble> {
  const configured = [dir, bundle].filter(each => each !== undefined && each !== '') as string[]
  if (configured.length === 0) return { pems: rootCertificates, expired: 0, broken: 0 }
  const pems = new Set<string>()
  let expired = 0
  let broken = 0
  for (const path of await realFiles(configured)) {
    const blocks = (await textOf(path)).match(certificate) ?? []
    if (blocks.length === 0) broken++
    for (const block of blocks) {
      const end = endOf(block)
      if (end === undefined) broken++
      else if (end <= now) expired++
      else pems.add(`${block}\n`)
    }
  }
  if (pems.size === 0)
    return new Trouble(
      'auth',
      `no valid certificate of an authority in ${configured.join(' and ')} (${expired} expired, ${broken} unreadable): servers cannot be verified`,
    )
  return { pems: [...pems], expired, broken }
}

async function realFiles(configured: readonly string[]): Promise<Set<string>> {
  const files = new Set<string>()
  for (const path of configured) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.add(await realpath(path))
        continue
      }
      // .r0 (revocation lists), .signing_policy and .info lie beside them. Aliases are links to what a hash leads to as well.
      for (const name of await readdir(path))
        if (/\.\d+$/.test(name) && !/\.r\d+$/.test(name)) files.add(await target(join(path, name)))
    } catch {
      // A path that cannot be read counts as one broken file: textOf() gives nothing for it.
      files.add(path)
    }
  }
  return files
}

async function target(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    // A link to nothing; it is counted as broken when it is read.
    return path
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch {
    // Unreadable is counted as broken by the caller, who says how many there were.
    return ''
  }
}

function endOf(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo)
  } catch {
    // Counted as broken by the caller: `ca` with garbage in it is no error in Node, just an authority less.
    return undefined
  }
}
