// Certificates and revocation lists by the openssl command, and which of them a storage of the running grid shows. Puts the grid back as it
// was when told to.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { service } from './job.ts'
import { variable } from './seeded.ts'

export type Ca = { readonly cert: string; readonly key: string; readonly hash: string }

/** The grid's own. */
export function gridCa(): Ca {
  return caOf(join(variable('GRID_DIR'), 'certs', 'ca.pem'), join(variable('GRID_DIR'), 'certs', 'ca.key'))
}

/** @param dir a new file each for certificate and key of another authority */
export function anotherCa(dir: string): Ca {
  const [cert, key] = [join(dir, 'another.pem'), join(dir, 'another.key')]
  openssl([
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '30'],
    ...['-subj', '/DC=org/DC=gridtest/CN=Another Test CA'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  return caOf(cert, key)
}

/** A revocation list, PEM. @param revoked paths of certificates @param until the list runs out */
export function crlOf(ca: Ca, revoked: readonly string[], dir: string, until: Date): string {
  const name = `crl-${revoked.length}-${until.getTime()}`
  const [config, out] = [join(dir, `${name}.cnf`), join(dir, `${name}.pem`)]
  writeFileSync(join(dir, `${name}.txt`), '')
  writeFileSync(
    config,
    `[ca]\ndefault_ca=one\n[one]\ndatabase=${dir}/${name}.txt\ndefault_md=sha256\ndefault_crl_days=1\n`,
  )
  const by = ['ca', '-config', config, '-cert', ca.cert, '-keyfile', ca.key]
  for (const each of revoked) openssl([...by, '-revoke', each])
  const days = [
    '-crl_lastupdate',
    stamp(new Date(until.getTime() - 86_400_000)),
    '-crl_nextupdate',
    stamp(until),
  ]
  openssl([...by, '-gencrl', ...days, '-out', out])
  return readFileSync(out, 'utf8')
}

/** Storage XRD2 shows a new certificate of `ca` from now on.
 *  @returns its path, and what puts the old one back */
export function showAnother(ca: Ca, name: string): { readonly cert: string; readonly restore: () => void } {
  const certs = join(variable('GRID_DIR'), 'certs')
  const [key, cert, request] = [`${name}-key`, name, `${name}-request`].map(each =>
    join(certs, `${each}.pem`),
  ) as [string, string, string]
  const extensions = join(certs, `${name}.cnf`)
  writeFileSync(
    extensions,
    'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n',
  )
  openssl([
    ...['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request],
    ...['-subj', `/DC=org/DC=gridtest/CN=${name}`],
  ])
  openssl([
    ...['x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '30'],
    ...['-CAserial', join(certs, `${name}.srl`), '-sha256', '-out', cert, '-extfile', extensions],
  ])
  // The storage runs as another user where the grid was started by root, and wants its key to be its own.
  if (process.getuid?.() === 0) program('chown', ['xrootd:xrootd', key, cert])
  program('chmod', ['400', key])
  const config = join(variable('GRID_DIR'), 'etc', 'xrd2.cfg')
  const before = readFileSync(config, 'utf8')
  restart(config, before.replaceAll(/\S+\/xrdcert\.pem/g, cert).replaceAll(/\S+\/xrdkey\.pem/g, key))
  return {
    cert,
    restore() {
      restart(config, before)
      program('rm', ['-f', key, cert, request, extensions, join(certs, `${name}.srl`)])
    },
  }
}

function restart(config: string, text: string): void {
  service('kill', 'xrd2')
  writeFileSync(config, text)
  service('start', 'xrd2')
}

function caOf(cert: string, key: string): Ca {
  return { cert, key, hash: openssl(['x509', '-in', cert, '-noout', '-hash']).trim() }
}

/** As openssl takes it: YYYYMMDDHHMMSSZ. */
function stamp(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
}

export function openssl(args: readonly string[]): string {
  return program('openssl', args)
}

function program(name: string, args: readonly string[]): string {
  const done = spawnSync(name, [...args], { encoding: 'utf8' })
  if (done.error !== undefined) throw done.error
  if (done.status !== 0) throw new Error(`${name} ${args[0]}: ${done.stderr}`)
  return done.stdout
}
