// The command line of serve and login -> what each needs, or one sentence on what is wrong. Never opens the data directory, never logs in.

import { resolve } from 'node:path'
import type { TraceOptions } from './catalogue/traces.ts'
import type { MakerOptions } from './credential/maker.ts'
import { type Access, readAccess } from './options-access.ts'
import { type Login, readConnection } from './options-connection.ts'
import { type Given, isNoDir, readGiven, splitList, type Wrong, wrong } from './options-given.ts'
import { proxyType, readGrid, withProxy } from './options-grid.ts'
import { liesInData } from './options-login.ts'
import { readTimes, type TimeOptions } from './options-times.ts'
import { readTraces } from './options-traces.ts'
import { type Env, nonEmpty } from './words/env.ts'

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
  /** a proxy is to be made, and kept good */
  readonly maker?: MakerOptions
  /** the official client: its program where PATH has none, and the rucio.cfg that was read */
  readonly client: { readonly program?: string; readonly cfgPath?: string }
  /** WATCH_POLL=1: file events by looking, for mounts that announce nothing */
  readonly watchPoll: boolean
  /** DESKTOP_RUCIO_FILE_EVENTS=0: none at all, a look every 30 s finds what was written */
  readonly fileEvents: boolean
  /** undefined = none are sent */
  readonly traces?: TraceOptions
} & Login &
  TimeOptions

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
    ...readTimes(env),
  }
}

/** The same with another auth_type, where a proxy is made. */
function proxyGiven(given: Given, env: Env): Given {
  return {
    ...given,
    one: flag => (flag === 'auth-type' ? proxyType(given.one(flag), given.client, env) : given.one(flag)),
  }
}

function readPort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port <= 65535 ? port : undefined
}
