// Certificate, key, password, VOMS, authorities and revocation lists: will a server take us, and can we tell a server? Never shows a
// secret, and never makes a proxy.

import { X509Certificate } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { passwordPathOf } from '../credential/maker.ts'
import { readPassword } from '../credential/password.ts'
import { bad, type Finding, good, skipped, warning } from '../words/checkup.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import { toIso } from '../words/world.ts'
import type { Needs } from './needs.ts'

const soonMs = 30 * 86_400_000

/** The certificate that a proxy is made of, its key and password; nothing where no proxy is made here. */
export async function checkMaking({ options: { maker }, world }: Needs): Promise<readonly Finding[]> {
  if (maker === undefined) return []
  const findings = [
    await checkCertificate(maker.certPath, world.now()),
    await checkKey(maker.keyPath, maker.copyKey),
  ]
  const { given, path } = maker.password
  if (path !== undefined) {
    const text = await readPassword(path)
    findings.push(
      text instanceof Trouble
        ? bad(
            'password',
            `${text.detail}.`,
            'Put the password of the key into it, in its first line, for you alone to read (chmod 600).',
          )
        : good('password', `${path} can be read.`),
    )
  } else if (given !== undefined) findings.push(good('password', 'It was given at the start.'))
  else if (await isEncrypted(maker.keyPath))
    findings.push(
      bad(
        'password',
        'The key has a password, and none is known.',
        `Set GRID_PASSWORD_FILE, or hand it to the daemon: desktop-rucio password (it goes by ${passwordPathOf(maker.proxyPath)}).`,
      ),
    )
  findings.push(...(await checkVoms(maker)))
  return findings
}

async function checkCertificate(path: string, now: number): Promise<Finding> {
  const check = 'user certificate'
  const advice = 'Ask your certificate authority for a new one, and put it there.'
  try {
    const certificate = new X509Certificate(await readFile(path))
    const [from, end] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    if (end <= now) return bad(check, `${path} ended ${toIso(end)}.`, advice)
    if (from > now)
      return bad(check, `${path} counts only from ${toIso(from)}.`, 'Set the clock of this machine.')
    if (end < now + soonMs) return warning(check, `${path} ends ${toIso(end)}.`, advice)
    return good(check, `${path}, until ${toIso(end)}.`)
  } catch (error) {
    const why = codeOf(error)
    return bad(
      check,
      why === 'ENOENT'
        ? `${path} is not there.`
        : `${path} cannot be read as a certificate (${why ?? String(error)}).`,
      'Name the directory of usercert.pem and userkey.pem with --cert-dir.',
    )
  }
}

async function checkKey(path: string, copyKey: boolean): Promise<Finding> {
  const check = 'private key'
  try {
    const mode = (await stat(path)).mode & 0o777
    await readFile(path)
    // voms-proxy-init takes 400 and 600 only (facts: its words for any other do not say so).
    if (mode === 0o400 || mode === 0o600 || copyKey)
      return good(check, `${path} can be read, mode ${mode.toString(8)}.`)
    return bad(
      check,
      `${path} has mode ${mode.toString(8)}; voms-proxy-init takes 400 and 600 only.`,
      `chmod 400 ${path}; on a share that shows every file like that, set GRID_KEY_COPY=1.`,
    )
  } catch (error) {
    return bad(
      check,
      codeOf(error) === 'ENOENT'
        ? `${path} is not there.`
        : `${path} cannot be read (${codeOf(error) ?? String(error)}).`,
      'Put it there, owned by the user of the daemon, with mode 400.',
    )
  }
}

async function isEncrypted(path: string): Promise<boolean> {
  try {
    return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(await readFile(path, 'latin1'))
  } catch {
    // The check of the key says what is the matter with it.
    return false
  }
}

/** Is each VO among the addresses of VOMS servers? The places are those of voms-proxy-init (facts/credentials.md 2). */
async function checkVoms(maker: NonNullable<Needs['options']['maker']>): Promise<readonly Finding[]> {
  const home = maker.env['HOME']
  const places =
    maker.vomses === undefined
      ? [
          ...(home === undefined ? [] : [join(home, '.glite', 'vomses'), join(home, '.voms', 'vomses')]),
          '/etc/vomses',
        ]
      : [maker.vomses]
  const texts = (await Promise.all(places.map(textsIn))).flat().join('\n')
  const vomsdir = maker.env['X509_VOMS_DIR'] ?? '/etc/grid-security/vomsdir'
  return await Promise.all(
    maker.voms.map(async ({ vo }) => {
      const check = `VO ${vo}`
      if (!texts.split('\n').some(line => line.trimStart().startsWith(`"${vo}"`)))
        return bad(
          check,
          `No address of its VOMS server stands in ${places.join(', ')}.`,
          'Ask the VO for its vomses line, and name the file in VOMS_USERCONF.',
        )
      if ((await textsIn(join(vomsdir, vo))).length === 0)
        return warning(
          check,
          `${join(vomsdir, vo)} holds no .lsc file: its attributes cannot be checked here.`,
          'Ask the VO for its .lsc files, and name the directory above in X509_VOMS_DIR.',
        )
      return good(check, 'Its VOMS servers are known.')
    }),
  )
}

/** Of a file, or of all files of a directory; [] where there is none. */
async function textsIn(path: string): Promise<string[]> {
  try {
    if ((await stat(path)).isFile()) return [await readFile(path, 'utf8')]
    const names = (await readdir(path)).filter(each => !each.startsWith('.'))
    return (await Promise.all(names.map(each => textsIn(join(path, each))))).flat()
  } catch {
    // Not there: the caller says what was looked for.
    return []
  }
}

/** What is shown to servers now. */
export async function checkCredential({ credential }: Needs): Promise<readonly Finding[]> {
  const check = 'credential'
  const { is_good, error, identity, proxy_ends, certificate_ends, warnings } = await credential.state()
  if (!is_good) return [bad(check, `${error ?? 'It is not good'}.`, 'See the log grid_cert of the daemon.')]
  const end = proxy_ends ?? certificate_ends
  const shown =
    identity === null ? 'No certificate is shown.' : `${identity}${end === null ? '' : `, until ${end}`}.`
  return [
    good(check, shown),
    ...(warnings ?? []).map(each => warning(check, each, 'See GET /status, grid_cert.')),
  ]
}

export async function checkAuthorities({ credential, options, world }: Needs): Promise<readonly Finding[]> {
  const check = 'authorities'
  const { caDir, caBundle, strictCrl } = options.credential
  const { trouble, pems, expired, broken, revocations } = await credential.authorities.look()
  const where =
    [caDir, caBundle].filter(each => each !== undefined).join(' and ') ||
    'Mozilla’s list, as nothing is configured'
  if (trouble !== undefined)
    return [
      bad(
        check,
        `${trouble.detail}.`,
        'Name the directory of the grid’s authorities in X509_CERT_DIR (packages igtf-policy-* or ca-policy-egi-core).',
      ),
    ]
  const counted = `${pems.length} valid, ${expired} expired, ${broken} not readable: ${where}.`
  const first =
    broken === 0 ? good(check, counted) : warning(check, counted, 'Install the package of authorities anew.')
  const lists = 'revocation lists'
  if (revocations === undefined) return [first, skipped(lists, 'There is no directory of authorities.')]
  const { fresh, stale, missing } = revocations.counts(world.now())
  const text = `${fresh} fresh, ${stale} run out, ${missing} missing.`
  if (stale + missing === 0) return [first, good(lists, text)]
  const advice = 'Run fetch-crl, or let the daemon (GET /status, authorities.update, says why it could not).'
  return [
    first,
    strictCrl === true
      ? bad(lists, `${text} CRL_STRICT=1 refuses the servers of these authorities.`, advice)
      : warning(lists, `${text} What these authorities have revoked since is not known.`, advice),
  ]
}
