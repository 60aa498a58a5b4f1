// Certificate, VO and password of the grid -> what the making of a proxy needs. Never asks for anything, never runs anything.

import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CredentialOptions } from './credential/credential.ts'
import type { MakerOptions } from './credential/maker.ts'
import { proxyPathFor } from './credential/proxy-place.ts'
import { type Env, nonEmpty } from './words/env.ts'
import { Trouble } from './words/reason.ts'
import { parseVoms } from './words/voms.ts'

/** A secret of Docker and Compose. */
const secretPath = '/run/secrets/grid_password'

/** What a child may know of our environment; the password is not among it. */
const passedOn = [
  ...['PATH', 'HOME', 'X509_VOMS_DIR', 'VOMS_USERCONF', 'JAVA_HOME', 'VOMS_CLIENTS_JAVA_OPTIONS'],
  ...['LD_LIBRARY_PATH', 'GLITE_LOCATION', 'VOMS_LOCATION'],
] as const

export type GridOptions = {
  readonly maker: MakerOptions
  /** what the rest of the options shall read instead: the proxy that is made, and no password */
  readonly env: Env
}

/** @param certDir --cert-dir
 *  @param client a value of rucio.cfg
 *  @returns undefined when no proxy is to be made: nothing asks for one, or X509_USER_PROXY names one that somebody else makes */
export async function readGrid(
  certDir: string | undefined,
  client: (key: string) => string | undefined,
  dataDir: string,
  env: Env,
): Promise<GridOptions | { readonly message: string } | undefined> {
  const value = (name: string): string | undefined => nonEmpty(env[name])
  const asked = certDir ?? value('GRID_VOMS') ?? value('GRID_PASSWORD') ?? value('GRID_PASSWORD_FILE')
  if (asked === undefined || value('X509_USER_PROXY') !== undefined) return undefined
  const voms = parseVoms(value('GRID_VOMS') ?? '')
  if (voms instanceof Trouble) return { message: voms.detail }
  const valid = value('GRID_PROXY_VALID') ?? '24:00'
  if (!/^[0-9]{1,3}:[0-5][0-9]$/.test(valid) || /^0+:00$/.test(valid))
    return { message: `GRID_PROXY_VALID takes hours and minutes like 24:00, not ${JSON.stringify(valid)}` }
  const proxyPath = await proxyPathFor(dataDir, env)
  if (proxyPath instanceof Trouble) return { message: proxyPath.detail }
  const [given, file] = [value('GRID_PASSWORD'), value('GRID_PASSWORD_FILE')]
  const path = file ?? (given === undefined && (await isThere(secretPath)) ? secretPath : undefined)
  const caDir = value('X509_CERT_DIR')
  const vomses = value('VOMS_USERCONF') ?? value('VOMSES')
  const { GRID_PASSWORD: _, ...others } = env
  return {
    maker: {
      proxyPath,
      ...certificateOf(certDir, client, env),
      voms,
      valid,
      copyKey: env['GRID_KEY_COPY'] === '1',
      ...(caDir === undefined ? {} : { caDir }),
      ...(vomses === undefined ? {} : { vomses }),
      env: {
        ...Object.fromEntries(
          passedOn.flatMap(name => {
            const text = value(name)
            return text === undefined ? [] : [[name, text]]
          }),
        ),
        ...(caDir === undefined ? {} : { X509_CERT_DIR: caDir }),
      },
      password: {
        ...(given === undefined ? {} : { given }),
        ...(path === undefined ? {} : { path: resolve(path) }),
      },
    },
    env: { ...others, X509_USER_PROXY: proxyPath },
  }
}

/** How to log in where a proxy is made: with it, unless something else is said. */
export function proxyType(
  said: string | undefined,
  client: (key: string) => string | undefined,
  env: Env,
): string | undefined {
  const type = said ?? nonEmpty(env['RUCIO_AUTH_TYPE']) ?? client('auth_type') ?? 'x509_proxy'
  // To Rucio they are one; the key that has a password would be of no use.
  return type === 'x509' ? 'x509_proxy' : type
}

/** The options of a daemon that makes its proxy: it shows that one, and neither certificate nor key beside it. */
export function withProxy(
  maker: MakerOptions,
  { credential, secrets }: { readonly credential: CredentialOptions; readonly secrets: readonly string[] },
): {
  readonly maker: MakerOptions
  readonly credential: CredentialOptions
  readonly secrets: readonly string[]
} {
  const { caDir } = credential
  const { certPath: _, keyPath: __, ...others } = credential
  const { given } = maker.password
  return {
    maker: { ...maker, ...(caDir === undefined ? {} : { caDir }) },
    credential: { ...others, proxyPath: maker.proxyPath, ownProxy: true },
    secrets: given === undefined ? secrets : [...secrets, given],
  }
}

function certificateOf(
  certDir: string | undefined,
  client: (key: string) => string | undefined,
  env: Env,
): { readonly certPath: string; readonly keyPath: string } {
  const inDir = (dir: string) => ({
    certPath: resolve(dir, 'usercert.pem'),
    keyPath: resolve(dir, 'userkey.pem'),
  })
  if (certDir !== undefined) return inDir(certDir)
  const certPath = env['X509_USER_CERT'] || client('client_cert')
  const keyPath = env['X509_USER_KEY'] || client('client_key') || certPath
  if (certPath === undefined || keyPath === undefined) return inDir(join(env['HOME'] ?? '/', '.globus'))
  return { certPath: resolve(certPath), keyPath: resolve(keyPath) }
}

async function isThere(path: string): Promise<boolean> {
  try {
    const found = await stat(path)
    // Compose cannot leave a secret out: an empty one is how it says that there is none.
    return found.isFile() && found.size > 0
  } catch {
    // Not there, or not for us to see: then it is not meant for us.
    return false
  }
}
