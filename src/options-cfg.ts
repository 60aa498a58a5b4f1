// Which rucio.cfg counts, and a setting of the official client from the environment or from it. Never says what a setting means.

import { readFile } from 'node:fs/promises'
import { type Cfg, cfgValue, parseCfg } from './rucioCfg.ts'
import { type Env, nonEmpty } from './words/env.ts'
import { codeOf } from './words/reason.ts'

type Found = {
  /** its section [client] */
  readonly cfg: Cfg
  /** its section [trace] */
  readonly trace: Cfg
  /** which file it is, for what is missing */
  readonly note: string
  /** undefined where there is none */
  readonly path?: string
}

/** A key of [client]: RUCIO_CLIENT_KEY, the short names that users know, RUCIO_CFG_CLIENT_KEY, then rucio.cfg. */
export function clientValue(key: string, cfg: Cfg, env: Env): string | undefined {
  const upper = key.toUpperCase()
  const short: Record<string, string> = {
    client_cert: 'RUCIO_CLIENT_CERT',
    client_key: 'RUCIO_CLIENT_KEY',
    client_x509_proxy: 'RUCIO_CLIENT_PROXY',
  }
  const found = nonEmpty(
    env[`RUCIO_CLIENT_${upper}`] ??
      env[short[key] ?? ''] ??
      env[`RUCIO_CFG_CLIENT_${upper}`] ??
      cfgValue(cfg, key),
  )
  if (found === undefined || !/cert|key|proxy|path/.test(key)) return found
  // The official client takes `$X509_USER_PROXY` and the like in its paths, and its template is full of them: what is not set
  // is no configuration.
  let unset = false
  const path = found.replace(/\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?/g, (_, name: string) => {
    unset ||= nonEmpty(env[name]) === undefined
    return env[name] ?? ''
  })
  return unset ? undefined : path
}

export async function findCfg(
  named: string | undefined,
  env: Env,
): Promise<Found | { readonly message: string }> {
  const home = nonEmpty(env['RUCIO_HOME'])
  const explicit = named ?? nonEmpty(env['RUCIO_CONFIG'])
  const paths =
    explicit !== undefined
      ? [explicit]
      : [...(home === undefined ? [] : [`${home}/etc/rucio.cfg`]), '/opt/rucio/etc/rucio.cfg']
  for (const path of paths) {
    try {
      const text = await readFile(path, 'utf8')
      const what = /^\s*\[client\]\s*$/m.test(text) ? 'was read' : 'has no section [client]'
      return { cfg: parseCfg(text), trace: parseCfg(text, 'trace'), note: ` (${path} ${what})`, path }
    } catch (error) {
      if (explicit !== undefined || codeOf(error) !== 'ENOENT')
        return {
          message: `${path} cannot be read (${codeOf(error) ?? String(error)}); check RUCIO_CONFIG and its mode`,
        }
    }
  }
  return { cfg: new Map(), trace: new Map(), note: '' }
}
