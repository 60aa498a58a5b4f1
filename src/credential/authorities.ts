// The certificate authorities that servers are verified with, and their revocation lists, as they lie on disk now. Never trusts a server
// without one, and never writes beside them.

import { createHash, X509Certificate } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { codeOf, Trouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'
import { type Crl, readCrl } from './crl.ts'
import { openRevocations, type Revocations } from './revocation.ts'

export type AuthoritiesOptions = {
  /** X509_CERT_DIR: hashed names, HASH.0 a certificate, HASH.r0 its revocation list */
  readonly caDir?: string
  /** ca_cert of rucio.cfg: one PEM file of many certificates, or a directory as above */
  readonly caBundle?: string
  /** CRL_DIR: more revocation lists, HASH.r0, where those of caDir cannot be written */
  readonly crlDir?: string
  /** without a revocation list that counts now no server is taken */
  readonly strictCrl?: boolean
}

export type Authorities = {
  /** PEM blocks; the public web's own (Mozilla's) when nothing is configured */
  readonly pems: readonly string[]
  /** 'auth' when what is configured gives not one certificate: nothing could be verified */
  readonly trouble: Trouble | undefined
  readonly expired: number
  /** files that hold neither certificate nor list, or cannot be read */
  readonly broken: number
  /** undefined without a directory, where no lists could lie */
  readonly revocations: Revocations | undefined
  /** of the newest revocation list, ms since 1970 */
  readonly newestListAt: number | undefined
  /** names all that connections are verified with: another key, another SecureContext */
  readonly key: string
}

export type AuthoritiesKeeper = {
  /** What lies there: directories are looked at each time, the files in them at least once a minute. */
  look(): Promise<Authorities>
  /** The next look is at every file: they have just been written. */
  renew(): void
}

/** Files behind the links of a directory, and those written in place, change without a sign on the directory. */
const lookEveryMs = 60_000
/** the biggest list of an authority of the grid has some megabytes */
const mostBytes = 64 * 2 ** 20
const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

type Certificate = { readonly pem: string; readonly end: number }
type Content = {
  readonly sign: string
  readonly mtimeMs: number
  readonly certificates: readonly Certificate[]
  readonly list: Crl | undefined
  readonly broken: number
}
type Scan = { readonly at: number; readonly sign: string; readonly found: Authorities }

/** Once one is configured the public web's authorities no longer count: the grid's own list is the whole list. */
export function openAuthorities(options: AuthoritiesOptions, world: World): AuthoritiesKeeper {
  const { caDir, caBundle, crlDir } = options
  const configured = [caDir, caBundle].filter(each => each !== undefined && each !== '') as string[]
  let known = new Map<string, Content>()
  let last: Scan | undefined
  let isDue = false

  async function scan(now: number): Promise<Authorities> {
    const paths = await pathsOf(configured, crlDir)
    const contents = new Map<string, Content>()
    // Both hashes lead to one file; each is read once.
    const seen = new Set<string>()
    for (const path of paths.files) {
      const found = await signOf(path)
      if (seen.has(found.sign)) continue
      if (found.isFile) seen.add(found.sign)
      const kept = known.get(path)
      contents.set(path, kept?.sign === found.sign ? kept : await contentOf(path, found))
    }
    known = contents
    return sum([...contents.values()], now, { options, configured, world, hasDir: paths.hasDir })
  }

  return {
    async look() {
      const now = world.now()
      if (configured.length === 0) return publicWeb
      const signs = [...configured, crlDir ?? ''].map(async path => (await signOf(path)).sign)
      const sign = (await Promise.all(signs)).join('\n')
      const isKept = last?.sign === sign && now - last.at < lookEveryMs && now >= last.at
      if (last !== undefined && isKept && !isDue) return last.found
      isDue = false
      last = { at: now, sign, found: await scan(now) }
      return last.found
    },
    renew() {
      isDue = true
    },
  }
}

const publicWeb: Authorities = {
  pems: rootCertificates,
  trouble: undefined,
  expired: 0,
  broken: 0,
  revocations: undefined,
  newestListAt: undefined,
  key: 'public web',
}

function sum(
  contents: readonly Content[],
  now: number,
  ground: {
    readonly options: AuthoritiesOptions
    readonly configured: readonly string[]
    readonly world: World
    readonly hasDir: boolean
  },
): Authorities {
  const { configured, world, hasDir } = ground
  const strict = ground.options.strictCrl === true
  const certificates = contents.flatMap(each => each.certificates)
  const pems = [...new Set(certificates.filter(({ end }) => end > now).map(({ pem }) => pem))]
  const lists = new Map(
    contents.flatMap(({ list }) => (list === undefined ? [] : [[list.digest, list] as const])),
  )
  const expired = certificates.filter(({ end }) => end <= now).length
  const broken = contents.reduce((count, each) => count + each.broken, 0)
  const written = contents.filter(({ list }) => list !== undefined).map(({ mtimeMs }) => mtimeMs)
  return {
    pems,
    trouble:
      pems.length > 0
        ? undefined
        : new Trouble(
            'auth',
            `no valid certificate of an authority in ${configured.join(' and ')} (${expired} expired, ${broken} unreadable): servers cannot be verified`,
          ),
    expired,
    broken,
    revocations: hasDir ? openRevocations(pems, [...lists.values()], { strict, now: world.now }) : undefined,
    newestListAt: written.length === 0 ? undefined : Math.max(...written),
    key: createHash('sha256')
      .update(JSON.stringify([pems, [...lists.keys()], strict]))
      .digest('hex'),
  }
}

/** Files that hold certificates or lists. A path that cannot be read is one of them, and counts as broken when it is read. */
async function pathsOf(
  configured: readonly string[],
  crlDir: string | undefined,
): Promise<{ readonly files: readonly string[]; readonly hasDir: boolean }> {
  const files: string[] = []
  let hasDir = false
  for (const path of configured) {
    const names = await namesIn(path)
    if (names === undefined) files.push(path)
    else {
      hasDir = true
      // .signing_policy and .info lie beside them, and NAME.pem, which the hashes lead to.
      files.push(...names.filter(each => /\.r?\d+$/.test(each)).map(each => join(path, each)))
    }
  }
  // It is made by the first update; until then nothing is missing there.
  const more = crlDir === undefined ? [] : ((await namesIn(crlDir)) ?? [])
  files.push(...more.filter(each => /\.r\d+$/.test(each)).map(each => join(crlDir ?? '', each)))
  return { files, hasDir }
}

/** undefined for what is no directory, or cannot be read as one. */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    return (await readdir(path)).sort()
  } catch {
    // The caller takes it for a file, and the reading of that says what is wrong.
    return undefined
  }
}

async function signOf(
  path: string,
): Promise<{ readonly sign: string; readonly isFile: boolean; readonly mtimeMs: number }> {
  try {
    const found = await stat(path)
    const { mtimeMs, size, ino, dev } = found
    const isFile = found.isFile() && size <= mostBytes
    return { sign: `${dev} ${ino} ${mtimeMs} ${size}`, isFile, mtimeMs }
  } catch (error) {
    return { sign: codeOf(error) ?? 'error', isFile: false, mtimeMs: 0 }
  }
}

async function contentOf(
  path: string,
  { sign, isFile, mtimeMs }: Awaited<ReturnType<typeof signOf>>,
): Promise<Content> {
  const nothing: Content = { sign, mtimeMs, certificates: [], list: undefined, broken: 1 }
  // A FIFO or a device would keep us waiting for ever.
  if (!isFile) return nothing
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch {
    // Unreadable is counted as broken; how many there are is said with what they are missed for.
    return nothing
  }
  if (/\.r\d+$/.test(path)) {
    try {
      return { ...nothing, list: readCrl(bytes), broken: 0 }
    } catch {
      // What is no list, or may not be judged by, is counted the same way.
      return nothing
    }
  }
  const blocks = bytes.toString('latin1').match(certificate) ?? []
  const certificates = blocks.flatMap(block => {
    const end = endOf(block)
    return end === undefined ? [] : [{ pem: `${block}\n`, end }]
  })
  return { ...nothing, certificates, broken: blocks.length === 0 ? 1 : blocks.length - certificates.length }
}

function endOf(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo)
  } catch {
    // Counted as broken by the caller: `ca` with garbage in it is no error in Node, just an authority less.
    return undefined
  }
}
