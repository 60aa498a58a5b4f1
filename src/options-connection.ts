// Which Rucio server, and how to log in to it and be known to storages: settings -> options, or one sentence on what is wrong. Never
// logs in, and never looks whether a certificate is good.

import type { RucioOptions } from './catalogue/rucio.ts'
import type { CredentialOptions } from './credential/credential.ts'
import type { UpdateOptions } from './credential/update.ts'
import { readAuthoritiesOptions } from './options-authorities.ts'
import { type Given, isNoDir, type Wrong, wrong } from './options-given.ts'
import { readLoginWay } from './options-login.ts'
import { type AuthType, authTypes, isAuthType } from './words/auth.ts'
import { type Env, nonEmpty } from './words/env.ts'

/** What logging in needs, and whom a connection trusts. */
export type Login = {
  readonly rucio: RucioOptions
  readonly credential: CredentialOptions
  readonly certUpdate: UpdateOptions
  /** texts that may stand in no log */
  readonly secrets: readonly string[]
}

type Servers = { readonly rucioHost: string; readonly authHost: string }

/** Where every grid installation keeps its authorities; taken when nothing else is said. */
const gridAuthorities = '/etc/grid-security/certificates'

export async function readConnection(given: Given, env: Env): Promise<Login | Wrong> {
  const servers = readServers(given)
  if ('message' in servers) return servers
  const way = readAuthType(given, env)
  if ('message' in way) return way
  const rucio = readRucio(servers, way.authType, given, env)
  if ('message' in rucio) return rucio
  const authorities = await readAuthoritiesOptions(await readCredential(way.authType, given, env), env)
  if ('message' in authorities) return authorities
  const secrets = [rucio.password, nonEmpty(env['BEARER_TOKEN'])].flatMap(each => each ?? [])
  return { rucio, ...authorities, secrets }
}

function readServers({ one, client, note }: Given): Servers | Wrong {
  const rucioHost = one('rucio-host') ?? client('rucio_host')
  if (rucioHost === undefined)
    return wrong(
      `say which Rucio server: --rucio-host https://…, RUCIO_CLIENT_RUCIO_HOST, or rucio_host in a rucio.cfg (RUCIO_CONFIG)${note}`,
    )
  const authHost = one('auth-host') ?? client('auth_host') ?? rucioHost
  for (const [key, host] of Object.entries({ rucio_host: rucioHost, auth_host: authHost }))
    if (!/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i.test(host))
      return wrong(
        `${key} is an address like https://rucio.example.org, not ${JSON.stringify(host.slice(0, 80))}`,
      )
  if (!isSafeHost(rucioHost) || !isSafeHost(authHost))
    return wrong(
      'rucio_host and auth_host are https://…; plain http would show the token to anyone on the line',
    )
  return { rucioHost, authHost }
}

function readAuthType({ one, client, note }: Given, env: Env): { readonly authType: AuthType } | Wrong {
  const authType = one('auth-type') ?? nonEmpty(env['RUCIO_AUTH_TYPE']) ?? client('auth_type')
  if (authType === undefined)
    return wrong(
      `say how to log in: --auth-type, RUCIO_AUTH_TYPE or auth_type in rucio.cfg (${authTypes.join(', ')})${note}`,
    )
  if (!isAuthType(authType))
    return wrong(
      `auth_type ${JSON.stringify(authType.slice(0, 40))} is not served by this version; use ${authTypes.join(', ')}`,
    )
  return { authType }
}

function readRucio(
  servers: Servers,
  authType: AuthType,
  { one, client, note }: Given,
  env: Env,
): RucioOptions | Wrong {
  const username = client('username')
  const password = client('password')
  if (authType === 'userpass' && (username === undefined || password === undefined))
    return wrong(
      `auth_type userpass needs username and password in rucio.cfg, or RUCIO_CLIENT_USERNAME and RUCIO_CLIENT_PASSWORD${note}`,
    )
  // The key may lie in the certificate's file.
  if (authType === 'x509' && client('client_cert') === undefined)
    return wrong(
      `auth_type x509 needs client_cert and client_key in rucio.cfg, or RUCIO_CLIENT_CERT and RUCIO_CLIENT_KEY${note}`,
    )
  const tokenPath = client('auth_token_file_path')
  if (authType === 'token' && tokenPath === undefined)
    return wrong(
      `auth_type token needs a file that holds a Rucio token: auth_token_file_path in rucio.cfg${note}`,
    )
  const account = one('account') ?? nonEmpty(env['RUCIO_ACCOUNT']) ?? client('account')
  // As the official client reads it; `def` is what it says to servers with one VO, and what they take without a word.
  const vo = nonEmpty(env['RUCIO_VO']) ?? client('vo')
  if (vo !== undefined && !/^[A-Za-z0-9._-]{1,255}$/.test(vo))
    return wrong(`vo in rucio.cfg (RUCIO_VO) is the name of a VO, not ${JSON.stringify(vo.slice(0, 80))}`)
  const way = readLoginWay({ authType, authHost: servers.authHost, account }, client, env)
  if (typeof way === 'string') return wrong(`${way}${note}`)
  return {
    ...servers,
    authType,
    ...(account === undefined ? {} : { account }),
    ...(vo === undefined ? {} : { vo }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tokenPath === undefined ? {} : { tokenPath }),
    ...way,
  }
}

async function readCredential(
  authType: AuthType,
  { one, client }: Given,
  env: Env,
): Promise<CredentialOptions> {
  const isProxy = authType === 'x509_proxy'
  const proxyPath =
    nonEmpty(env['X509_USER_PROXY']) ?? client('client_x509_proxy') ?? (isProxy ? defaultProxy() : undefined)
  // A certificate beside a proxy would only be another identity for the same storage.
  const [certPath, keyPath] = isProxy ? [] : [client('client_cert'), client('client_key')]
  const caBundle = one('ca-cert') ?? client('ca_cert')
  const gridDir = (await isNoDir(gridAuthorities)) === undefined ? gridAuthorities : undefined
  const caDir = nonEmpty(env['X509_CERT_DIR']) ?? (caBundle === undefined ? gridDir : undefined)
  return {
    authType,
    ...(proxyPath === undefined ? {} : { proxyPath }),
    ...(certPath === undefined ? {} : { certPath }),
    ...(keyPath === undefined ? {} : { keyPath }),
    ...(caDir === undefined ? {} : { caDir }),
    ...(caBundle === undefined ? {} : { caBundle }),
    env,
  }
}

/** Where voms-proxy-init puts it. */
function defaultProxy(): string {
  return `/tmp/x509up_u${process.getuid?.() ?? 0}`
}

/** https, or http on this machine itself. */
function isSafeHost(host: string): boolean {
  return /^https:/i.test(host) || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/i.test(host)
}
