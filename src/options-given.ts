// Flags, else the environment, else the official client's rucio.cfg: one setting at a time, as a text. Never says what a setting means.

import { stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { clientValue, findCfg } from './options-cfg.ts'
import type { Cfg } from './rucioCfg.ts'
import { type Env, nonEmpty } from './words/env.ts'
import { codeOf } from './words/reason.ts'

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

export type Given = {
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

/** @param argv what follows the command */
export async function readGiven(argv: readonly string[], env: Env): Promise<Given | Wrong> {
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

/** @returns a sentence, or undefined for a directory */
export async function isNoDir(dir: string): Promise<string | undefined> {
  try {
    return (await stat(dir)).isDirectory() ? undefined : `${dir} is no directory`
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? `${dir} is not there; make it first (a missing mount must not be filled)`
      : `${dir} cannot be looked at: ${codeOf(error) ?? String(error)}`
  }
}

export function wrong(message: string): Wrong {
  return { message }
}

function last(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.at(-1) : value
}

export function splitList(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter(each => each !== '')
}

function firstSentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(/\.\s|\n/)[0] ?? ''
}
