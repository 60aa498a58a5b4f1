// config.json: limits that a user may change while the daemon runs. Never reads the file.

import { type Destination, readDestination } from './destination.ts'
import { Trouble } from './reason.ts'
import { asObject, parseJson } from './text.ts'

export type Config = {
  readonly files_at_once: number
  readonly datasets_at_once: number
  readonly reserve_bytes: number
  /** connections for one big file */
  readonly connections_per_file: number
  /** false refuses plain http for data */
  readonly plain_data: boolean
  /** rucio: every file by the official client, which else is the last way */
  readonly engine: 'auto' | 'rucio'
  /** where new wishes go that do not say it themselves; left out: to this disk */
  readonly destination?: Destination
}

export const defaultConfig: Config = {
  files_at_once: 4,
  datasets_at_once: 2,
  reserve_bytes: 2 ** 30,
  connections_per_file: 4,
  plain_data: true,
  engine: 'auto',
}

const wholeNumbers = {
  files_at_once: [1, 64],
  datasets_at_once: [1, 64],
  reserve_bytes: [0, 2 ** 50],
  connections_per_file: [1, 16],
} as const

/** Text of config.json -> limits, or a Trouble that says which key is wrong. An empty file is all defaults. */
export function parseConfig(text: string): Config | Trouble {
  if (text.trim() === '') return defaultConfig
  const parsed = parseJson(text)
  if (parsed instanceof Trouble) return parsed
  const object = asObject(parsed.json)
  if (object === undefined)
    return new Trouble('refused', 'config.json is an object like {"files_at_once": 4}')
  if (object['format'] !== undefined && object['format'] !== 1)
    return new Trouble('refused', '"format" is 1 or absent')
  const numbers: Record<string, number> = {}
  for (const [key, [least, most]] of Object.entries(wholeNumbers)) {
    const value = object[key]
    if (value === undefined) continue
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      return new Trouble('refused', `"${key}" is a whole number from ${least} to ${most}`)
    numbers[key] = value
  }
  const plain = object['plain_data']
  if (plain !== undefined && typeof plain !== 'boolean')
    return new Trouble('refused', '"plain_data" is true or false')
  const engine = object['engine']
  if (engine !== undefined && engine !== 'auto' && engine !== 'rucio')
    return new Trouble('refused', '"engine" is "auto" or "rucio"')
  const place = object['destination']
  const destination = place === undefined || place === null ? undefined : readDestination(place)
  if (destination instanceof Trouble) return destination
  return {
    ...defaultConfig,
    ...numbers,
    plain_data: plain ?? true,
    engine: engine ?? 'auto',
    ...(destination === undefined ? {} : { destination }),
  }
}
