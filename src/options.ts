// Flags, environment and the official client's rucio.cfg, in that order -> what serve needs, or one sentence on what is wrong.
// Never opens the data directory, never logs in.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { RucioOptions } from './catalogue/rucio.ts'
import type { TraceOptions } from './catalogue/traces.ts'
import type { CredentialOptions } from './credential/credential.ts'
import type { MakerOptions } from './credential/maker.ts'
import type { UpdateOptions } from './credential/update.ts'
import type { RuleTimes } from './decide/rule.ts'
import type { AuditTimes } from './loop/audit.ts'
import { type Access, readAccess } from './options-access.ts'
import { readAuthoritiesOptions } from './options-authorities.ts'
import { clientValue, findCfg } from './options-cfg.ts'
import { proxyType, readGrid, withProxy } from './options-grid.ts'
import { liesInData, readLoginWay } from './options-login.ts'
import { readTraces } from './options-traces.ts'
import type { Cfg } from './rucioCfg.ts'
import { authTypes, isAuthType } from './words/auth.ts'
import { codeOf } from './words/reason.ts'

export type ServeOptions = {
  /** absolute */
  readonly data: string
  readonly dataId?: string
  readonly web: {
    readonly hosts: readonly string[]
    readonly port: number
    readonly allowedHosts: readonly string[]
    readonly cachePrefix: string | undefined
  } & Access
  readonly rucio: RucioOptions
  readonly credential: CredentialOptions
  readonly certUpdate: UpdateOptions
  /** a proxy is to be made, and kept good */
  readonly maker?: MakerOptions
  /** the official client: its program where PATH has none, and the rucio.cfg that was read */
  readonly client: { readonly program?: string; readonly cfgPath?: string }
  /** texts that may stand in no log */
  readonly secrets: readonly string[]
  /** WATCH_POLL=1: file events by looking, for mounts that announce nothing */
  readonly watchPoll: boolean
  /** DESKTOP_RUCIO_FILE_EVENTS=0: none at all, a look every 30 s finds what was written */
  readonly fileEvents: boolean
  /** undefined = none are sent */
  readonly traces?: TraceOptions
  readonly auditTimes: Partial<AuditTimes>
  readonly ruleTimes: Partial<RuleTimes>
  /** time between two checkpoints of a part, in ms; undefined = the usual */
  readonly checkpointMs?: number
}

export type Env = Readonly<Record<string, string | undefined>>

/** What is missing or contradictory, in one sentence; main.ts ends with code 2. */
export type Wrong = { readonly message: string }

const flags = {
  data: { type: 'string' },
  'data-id': { type: 'string' },
  host: { type: 'string', multiple: true },
  port: { type: 'string' },
  socket: { type: 'string' },
  'allowed-host': { type: 'string', multiple: true },
  'cache-prefix': { type: 'string' },
  'rucio-host': { type: 'string' },
  'auth-host': { type: 'string' },
  'rucio-config': { type: 'string' },
  account: { type: 'string' },
  'auth-type': { type: 'string' },
  'ca-cert': { type: 'string' },
  'cert-dir': { type: 'string' },
  client: { type: 'string' },
} as const

/** Where every grid installation keeps its authorities; taken when nothing else is said. */
const gridAuthorities = '/etc/grid-security/certificates'

type Given = {
  /** a flag, else DESKTOP_RUCIO_FLAG */
  readonly one: (flag: keyof typeof flags) => string | undefined
  readonly many: (flag: keyof typeof flags) => string[]
  /** a setting of the official client */
  readonly client: (key: string) => string | undefined
  /** which rucio.cfg was read */
  readonly note: string
  /** its section [trace] */
  readonly trace: Cfg
  readonly cfgPath: string | undefined
}

async function readGiven(argv: readonly string[], env: Env): Promise<Given | Wrong> {
  let given: Record<string, string | string[] | undefined>
  try {
    const parsed = parseArgs({ args: [...argv], options: flags, allowPositionals: false, strict: true })
    given = { ...parsed.values }
  } catch (error) {
    return wrong(`${firstSentence(error)}; desktop-rucio --help lists the options`)
  }
  const cfg = await findCfg(last(given['rucio-config']), env)
  if ('message' in cfg) return cfg
  const ofEnv = (flag: string): string | undefined =>
    env[`DESKTOP_RUCIO_${flag.replace(/-/g, '_').toUpperCase()}`]
  return {
    one: flag => nonEmpty(last(given[flag]) ?? ofEnv(flag)),
    many(flag) {
      const value = given[flag]
      return (Array.isArray(value) ? value : splitList(ofEnv(flag))).flatMap(splitList)
    },
    client: key => clientValue(key, cfg.cfg, env),
    note: cfg.note,
    trace: cfg.trace,
    cfgPath: cfg.path,
  }
}

/** What logging in needs, and nothing else. @param argv what follows `login` */
export async function readLoginOptions(argv: readonly string[], env: Env): Promise<Login | Wrong> {
  const given = await readGiven(argv, env)
  if ('message' in given) return given
  const login = await readConnection(given, env)
  if ('message' in login) return login
  const data = given.one('data')
  const inData = data === undefined ? undefined : liesInData(data, login.rucio.oidc)
  return inData === undefined ? login : wrong(inData)
}

/** @param argv what follows `serve` */
export async function readOptions(argv: readonly string[], env: Env): Promise<ServeOptions | Wrong> {
  const given = await readGiven(argv, env)
  if ('message' in given) return given
  const { one, many, cfgPath } = given
  const data = one('data')
  if (data === undefined) return wrong('say where the datasets shall lie: --data DIR, or DESKTOP_RUCIO_DATA')
  const noDir = await isNoDir(data)
  if (noDir !== undefined) return wrong(noDir)
  const port = readPort(one('port') ?? '8000')
  if (port === undefined)
    return wrong(`--port takes a number from 0 to 65535, not ${JSON.stringify(one('port'))}`)
  const grid = await readGrid(one('cert-dir'), given.client, resolve(data), env)
  if (grid !== undefined && 'message' in grid) return grid
  const login = await readConnection(grid === undefined ? given : proxyGiven(given, env), grid?.env ?? env)
  if ('message' in login) return login
  const inData = liesInData(data, login.rucio.oidc)
  if (inData !== undefined) return wrong(inData)
  const traces = readTraces(given.trace, login.rucio.rucioHost, env)
  if (typeof traces === 'string') return wrong(traces)
  const dataId = one('data-id')
  const program = one('client')
  const hosts = many('host')
  const access = await readAccess(one('socket'), resolve(data), env)
  if ('message' in access) return access
  const allowed = [...many('allowed-host'), ...splitList(env['ALLOWED_HOSTS'])]
  return {
    data: resolve(data),
    ...(dataId === undefined ? {} : { dataId }),
    web: {
      hosts: hosts.length === 0 && access.socketPath === undefined ? ['127.0.0.1', '::1'] : hosts,
      port,
      allowedHosts: allowed,
      cachePrefix: one('cache-prefix') ?? nonEmpty(env['CACHE_PREFIX']),
      ...access,
    },
    ...login,
    ...(traces === undefined ? {} : { traces }),
    ...(grid === undefined ? {} : withProxy(grid.maker, login)),
    client: {
      ...(program === undefined ? {} : { program: resolve(program) }),
      ...(cfgPath === undefined ? {} : { cfgPath }),
    },
    watchPoll: env['WATCH_POLL'] === '1',
    fileEvents: env['DESKTOP_RUCIO_FILE_EVENTS'] !== '0',
    auditTimes: readAuditTimes(env),
    ruleTimes: readRuleTimes(env),
    ...readCheckpoint(env),
  }
}

/** The same with another auth_type, where a proxy is made. */
function proxyGiven(given: Given, env: Env): Given {
  return {
    ...given,
    one: flag => (flag === 'auth-type' ? proxyType(given.one(flag), given.client, env) : given.one(flag)),
  }
}

export type Login = Pick<ServeOptions, 'rucio' | 'credential' | 'secrets' | 'certUpdate'>

async function readConnection(given: Given, env: Env): Promise<Login | Wrong> {
  const login = await readLogin(given, env)
  if ('message' in login) return login
  const authorities = await readAuthoritiesOptions(login.credential, env)
  return 'message' in authorities ? authorities : { ...login, ...authorities }
}

async function readLogin({ one, client, note }: Given, env: Env): Promise<Omit<Login, 'certUpdate'> | Wrong> {
  const gridDir = (await isNoDir(gridAuthorities)) === undefined ? gridAuthorities : undefined
  const rucioHost = one('rucio-host') ?? client('rucio_host')
  if (rucioHost === undefined)
    return wrong(
      `say which Rucio server: --rucio-host https://…, RUCIO_CLIENT_RUCIO_HOST, or rucio_host in a rucio.cfg (RUCIO_CONFIG)${note}`,
    )
  const authHost = one('auth-host') ?? client('auth_host') ?? rucioHost
  for (const [key, host] of [
    ['rucio_host', rucioHost],
    ['auth_host', authHost],
  ] as const)
    if (!/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i.test(host))
      return wrong(
        `${key} is an address like https://rucio.example.org, not ${JSON.stringify(host.slice(0, 80))}`,
      )
  if (!isSafeHost(rucioHost) || !isSafeHost(authHost))
    return wrong(
      'rucio_host and auth_host are https://…; plain http would show the token to anyone on the line',
    )
  const authType = one('auth-type') ?? nonEmpty(env['RUCIO_AUTH_TYPE']) ?? client('auth_type')
  const proxyPath = nonEmpty(env['X509_USER_PROXY']) ?? client('client_x509_proxy')
  const certPath = client('client_cert')
  const keyPath = client('client_key')
  if (authType === undefined)
    return wrong(
      `say how to log in: --auth-type, RUCIO_AUTH_TYPE or auth_type in rucio.cfg (${authTypes.join(', ')})${note}`,
    )
  if (!isAuthType(authType))
    return wrong(
      `auth_type ${JSON.stringify(authType.slice(0, 40))} is not served by this version; use ${authTypes.join(', ')}`,
    )
  const username = client('username')
  const password = client('password')
  if (authType === 'userpass' && (username === undefined || password === undefined))
    return wrong(
      `auth_type userpass needs username and password in rucio.cfg, or RUCIO_CLIENT_USERNAME and RUCIO_CLIENT_PASSWORD${note}`,
    )
  // The key may lie in the certificate's file.
  if (authType === 'x509' && certPath === undefined)
    return wrong(
      `auth_type x509 needs client_cert and client_key in rucio.cfg, or RUCIO_CLIENT_CERT and RUCIO_CLIENT_KEY${note}`,
    )
  const proxy = proxyPath ?? (authType === 'x509_proxy' ? defaultProxy() : undefined)
  const tokenPath = client('auth_token_file_path')
  if (authType === 'token' && tokenPath === undefined)
    return wrong(
      `auth_type token needs a file that holds a Rucio token: auth_token_file_path in rucio.cfg${note}`,
    )
  const account = one('account') ?? nonEmpty(env['RUCIO_ACCOUNT']) ?? client('account')
  const way = readLoginWay({ authType, authHost, account }, client, env)
  if (typeof way === 'string') return wrong(`${way}${note}`)
  const caBundle = one('ca-cert') ?? client('ca_cert')
  const caDir = nonEmpty(env['X509_CERT_DIR']) ?? (caBundle === undefined ? gridDir : undefined)
  return {
    rucio: {
      rucioHost,
      authHost,
      authType,
      ...(account === undefined ? {} : { account }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tokenPath === undefined ? {} : { tokenPath }),
      ...way,
    },
    credential: {
      authType,
      ...(proxy === undefined ? {} : { proxyPath: proxy }),
      // A certificate beside a proxy would only be another identity for the same storage.
      ...(certPath === undefined || authType === 'x509_proxy' ? {} : { certPath }),
      ...(keyPath === undefined || authType === 'x509_proxy' ? {} : { keyPath }),
      ...(caDir === undefined ? {} : { caDir }),
      ...(caBundle === undefined ? {} : { caBundle }),
      env,
    },
    secrets: [password, env['BEARER_TOKEN']].flatMap(each =>
      each === undefined || each === '' ? [] : [each],
    ),
  }
}

/** Where voms-proxy-init puts it. */
function defaultProxy(): string {
  return `/tmp/x509up_u${process.getuid?.() ?? 0}`
}

async function isNoDir(dir: string): Promise<string | undefined> {
  try {
    return (await stat(dir)).isDirectory() ? undefined : `${dir} is no directory`
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? `${dir} is not there; make it first (a missing mount must not be filled)`
      : `${dir} cannot be looked at: ${codeOf(error) ?? String(error)}`
  }
}

/** For tests and for small machines: how often whole datasets are looked at. */
function readAuditTimes(env: Env): Partial<AuditTimes> {
  const everyMs = seconds(env, 'DESKTOP_RUCIO_AUDIT_EVERY')
  const secondLookMs = seconds(env, 'DESKTOP_RUCIO_AUDIT_SECOND_LOOK')
  return {
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(secondLookMs === undefined ? {} : { secondLookMs }),
  }
}

/** For tests, and for sites where rules are short: how often they are looked at. */
function readRuleTimes(env: Env): Partial<RuleTimes> {
  const ms = seconds(env, 'DESKTOP_RUCIO_RULES_EVERY')
  return ms === undefined ? {} : { leastMs: ms, mostMs: ms, goodMs: ms, endMs: ms }
}

/** For tests that kill it: how often parts are synced and counted. */
function readCheckpoint(env: Env): { readonly checkpointMs?: number } {
  const checkpointMs = seconds(env, 'DESKTOP_RUCIO_CHECKPOINT_EVERY')
  return checkpointMs === undefined ? {} : { checkpointMs }
}

/** @returns ms; undefined where it is not set to a number above 0 */
function seconds(env: Env, name: string): number | undefined {
  const value = Number(env[name])
  return env[name] !== undefined && Number.isFinite(value) && value > 0 ? value * 1000 : undefined
}

/** https, or http on this machine itself. */
function isSafeHost(host: string): boolean {
  return /^https:/i.test(host) || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/i.test(host)
}

function readPort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port <= 65535 ? port : undefined
}

function last(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.at(-1) : value
}

function splitList(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter(each => each !== '')
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function wrong(message: string): Wrong {
  return { message }
}

function firstSentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/)[0] ?? ''
}
