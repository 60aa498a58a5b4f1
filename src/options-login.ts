// The settings of logging in by OIDC and SSH, under the official client's names. Never reads a key or a token.

import { isAbsolute, join, relative, resolve } from 'node:path'
import type { OidcOptions } from './catalogue/oidc.ts'
import type { RucioOptions } from './catalogue/rucio.ts'
import type { AuthType } from './words/auth.ts'
import type { Env } from './words/env.ts'

type Client = (key: string) => string | undefined
type Chosen = {
  readonly authType: AuthType
  readonly authHost: string
  readonly account: string | undefined
}

/** @returns what `authType` needs beyond account and password, or a sentence on what is missing */
export function readLoginWay(
  { authType, authHost, account }: Chosen,
  client: Client,
  env: Env,
): Pick<RucioOptions, 'oidc' | 'sshKeyPath'> | string {
  switch (authType) {
    case 'userpass':
    case 'x509':
    case 'x509_proxy':
    case 'token':
      return {}
    case 'ssh': {
      const sshKeyPath = atHome(client('ssh_private_key'), env)
      if (sshKeyPath === undefined || account === undefined)
        return 'auth_type ssh needs ssh_private_key (a file with an RSA key) and account in rucio.cfg, or RUCIO_CLIENT_SSH_PRIVATE_KEY and RUCIO_ACCOUNT'
      return { sshKeyPath }
    }
    case 'oidc':
      return { oidc: readOidc({ authHost, account }, client, env) }
  }
}

/** A token of Rucio is not for everybody who may read the data.
 *  @returns a sentence, or undefined when all is well */
export function liesInData(data: string, oidc: OidcOptions | undefined): string | undefined {
  if (oidc?.keptAt === undefined) return undefined
  const way = relative(resolve(data), oidc.keptAt)
  if (way.startsWith('..') || isAbsolute(way)) return undefined
  return `the token of Rucio may not lie in the data directory: ${oidc.keptAt}; name another file as auth_token_file_path in rucio.cfg`
}

function readOidc(
  { authHost, account }: Pick<Chosen, 'authHost' | 'account'>,
  client: Client,
  env: Env,
): OidcOptions {
  const audience = client('oidc_audience')
  const issuer = client('oidc_issuer')
  const refreshLifetime = client('oidc_refresh_lifetime')
  const minutes = Number(client('auth_oidc_refresh_before_exp') ?? 20)
  const keptAt = tokenPlace(
    client('auth_token_file_path'),
    `${hostOf(authHost)}_${account ?? 'default'}`,
    env,
  )
  return {
    scope: client('oidc_scope') ?? 'openid profile',
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(refreshLifetime === undefined ? {} : { refreshLifetime }),
    // The official client is run by hand and has both off; a daemon is alone for weeks.
    polling: isOn(client('oidc_polling')),
    refresh: isOn(client('auth_oidc_refresh_active')),
    refreshBeforeMs: (Number.isFinite(minutes) && minutes >= 0 ? minutes : 20) * 60_000,
    ...(keptAt === undefined ? {} : { keptAt }),
  }
}

/** The official client's file when it is named, else one of the user's own state (XDG Base Directory); undefined without a home. */
function tokenPlace(named: string | undefined, name: string, env: Env): string | undefined {
  const own = atHome(named, env)
  if (own !== undefined) return resolve(own)
  const home = env['HOME'] ?? ''
  const state = env['XDG_STATE_HOME'] ?? ''
  const dir = isAbsolute(state) ? state : isAbsolute(home) ? join(home, '.local', 'state') : undefined
  return dir === undefined ? undefined : join(dir, 'desktop-rucio', `token_${name.replace(/[^\w.-]/g, '_')}`)
}

/** As the official client's paths may begin. */
function atHome(path: string | undefined, env: Env): string | undefined {
  return path?.startsWith('~/') === true && env['HOME'] ? join(env['HOME'], path.slice(2)) : path
}

function hostOf(url: string): string {
  return url.replace(/^https?:\/\//i, '').replace(/\/.*$/, '')
}

/** As Python's configparser reads a boolean; what is not set is on. */
function isOn(text: string | undefined): boolean {
  return text === undefined || !/^(0|no|false|off)$/i.test(text.trim())
}
