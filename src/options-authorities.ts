// How authorities and revocation lists are kept up to date, and how strictly: environment -> options. Never runs anything.

import { access, constants, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { CredentialOptions } from './credential/credential.ts'
import type { UpdateOptions } from './credential/update.ts'
import { splitCommand } from './words/argv.ts'
import type { Env } from './words/env.ts'

/** CRL_STRICT=1, CRL_DIR, CERT_UPDATE_COMMAND and CERT_UPDATE=0.
 *  @param credential with the authorities that are configured
 *  @returns `message` for a setting that makes no sense, which ends the start */
export async function readAuthoritiesOptions(
  credential: CredentialOptions,
  env: Env,
): Promise<
  | { readonly credential: CredentialOptions; readonly certUpdate: UpdateOptions }
  | { readonly message: string }
> {
  const dir = await firstDir([credential.caDir, credential.caBundle])
  const strictCrl = env['CRL_STRICT'] === '1'
  if (strictCrl && dir === undefined)
    return {
      message: 'CRL_STRICT=1 needs a directory of authorities and their revocation lists: set X509_CERT_DIR',
    }
  const chosen = env['CRL_DIR'] ?? ''
  if (chosen !== '' && !isAbsolute(chosen)) return { message: 'CRL_DIR is a whole path, beginning with /' }
  const text = env['CERT_UPDATE_COMMAND'] ?? ''
  const command = text.trim() === '' ? undefined : splitCommand(text)
  if (command !== undefined && 'message' in command)
    return { message: `CERT_UPDATE_COMMAND cannot be taken: ${command.message}` }
  const cache = cacheDir(env)
  const own = dir !== undefined && (await isWritable(dir)) ? undefined : cache && join(cache, 'crl')
  // Lists that an earlier run has put elsewhere are read as long as they lie there.
  const crlDir = chosen === '' ? own : chosen
  const listsDir = crlDir ?? dir
  return {
    credential: { ...credential, strictCrl, ...(crlDir === undefined ? {} : { crlDir }) },
    certUpdate: {
      off: env['CERT_UPDATE'] === '0' || (command === undefined && dir === undefined),
      ...(command === undefined ? {} : { command }),
      ...(dir === undefined ? {} : { dir }),
      ...(listsDir === undefined ? {} : { listsDir }),
      ...(cache === undefined ? {} : { stateDir: join(cache, 'fetch-crl') }),
      env: childEnv(env, dir, listsDir),
    },
  }
}

/** Where programs of this user keep what can be had again. */
function cacheDir(env: Env): string | undefined {
  const named = env['XDG_CACHE_HOME'] ?? ''
  if (isAbsolute(named)) return join(named, 'desktop-rucio')
  const home = env['HOME'] ?? ''
  // A user that a container made up has / for a home.
  return isAbsolute(home) && home !== '/' ? join(home, '.cache', 'desktop-rucio') : undefined
}

/** All that the program gets. A proxy of the web is passed on, save with a password in it. */
function childEnv(env: Env, dir: string | undefined, listsDir: string | undefined): Record<string, string> {
  const given: Record<string, string> = {
    LC_ALL: 'C',
    // fetch-crl lies where users' shells do not look.
    PATH: `${env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`,
  }
  if (dir !== undefined) given['X509_CERT_DIR'] = dir
  if (listsDir !== undefined) given['CRL_DIR'] = listsDir
  for (const name of [
    'HOME',
    'TMPDIR',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
  ]) {
    const value = env[name] ?? ''
    if (value !== '' && !(/proxy/i.test(name) && value.includes('@'))) given[name] = value
  }
  return given
}

async function firstDir(paths: readonly (string | undefined)[]): Promise<string | undefined> {
  for (const path of paths) {
    if (path === undefined || path === '') continue
    try {
      if ((await stat(path)).isDirectory()) return path
    } catch {
      // What cannot be looked at is no directory now; the credential says what is the matter with it.
    }
  }
  return undefined
}

async function isWritable(dir: string): Promise<boolean> {
  try {
    await access(dir, constants.W_OK)
    return true
  } catch {
    // Whatever the reason: lists go elsewhere.
    return false
  }
}
