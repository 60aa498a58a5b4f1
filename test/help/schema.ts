// JSON Schema 2020-12, as much of it as our own schemas use; any other keyword is an error. Never fetches a schema from anywhere
// but the tree.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

type Json = Readonly<Record<string, unknown>>
/** A schema and the file that its references start from. */
type Place = { readonly schema: Json; readonly file: string }

const files = new Map<string, Json>()
const noTime = 'is no time in UTC'
const notes = new Set(['$schema', '$defs', 'title', 'description', 'default', 'examples'])

/** @param file of a schema
 *  @param options.times false: the form of times is not looked at, as readers of records take any text there
 *  @returns what is wrong with a value, each with its place in it; empty when nothing is. What is absent and what is undefined are
 *  the same, as in JSON text */
export function complaintsOf(file: string, value: unknown, options = { times: true }): string[] {
  return check({ schema: load(file), file }, value, '').filter(
    each => options.times || !each.endsWith(noTime),
  )
}

/** Keys that a schema names at its top. */
export function keysOf(file: string): string[] {
  return Object.keys((load(file)['properties'] as Json | undefined) ?? {})
}

export function load(file: string): Json {
  const known = files.get(file) ?? (JSON.parse(readFileSync(file, 'utf8')) as Json)
  files.set(file, known)
  return known
}

function check(place: Place, value: unknown, at: string): string[] {
  return Object.entries(place.schema).flatMap(([keyword, expected]) => {
    if (notes.has(keyword)) return []
    const judge = judges[keyword]
    if (judge === undefined) throw new Error(`${place.file}: the keyword ${keyword} is none of ours`)
    return judge(value, expected, place, at)
  })
}

const patterns = new Map<string, RegExp>()

function patternOf(source: string): RegExp {
  const known = patterns.get(source) ?? new RegExp(source, 'u')
  patterns.set(source, known)
  return known
}

type Judge = (value: unknown, expected: unknown, place: Place, at: string) => string[]

const judges: Readonly<Record<string, Judge>> = {
  $ref: (value, expected, { file }, at) => check(follow(file, expected as string), value, at),
  allOf: (value, expected, { file }, at) =>
    (expected as Json[]).flatMap(schema => check({ schema, file }, value, at)),
  anyOf(value, expected, { file }, at) {
    const all = (expected as Json[]).map(schema => check({ schema, file }, value, at))
    return all.some(each => each.length === 0) ? [] : all.flat()
  },
  type: (value, expected, _, at) =>
    [expected].flat().some(type => isOfType(value, String(type))) ? [] : [`${at}: not of type ${expected}`],
  const: (value, expected, _, at) => (isDeepStrictEqual(value, expected) ? [] : [`${at}: not ${expected}`]),
  enum: (value, expected, _, at) =>
    (expected as unknown[]).includes(value) ? [] : [`${at}: none of ${expected}`],
  required: (value, expected, _, at) =>
    isObject(value)
      ? (expected as string[]).filter(key => value[key] === undefined).map(key => `${at}/${key}: missing`)
      : [],
  properties: (value, expected, { file }, at) =>
    isObject(value)
      ? Object.entries(expected as Record<string, Json>).flatMap(([key, schema]) =>
          value[key] === undefined ? [] : check({ schema, file }, value[key], `${at}/${key}`),
        )
      : [],
  items: (value, expected, { file }, at) =>
    Array.isArray(value)
      ? value.flatMap((each, i) => check({ schema: expected as Json, file }, each, `${at}/${i}`))
      : [],
  pattern: (value, expected, _, at) =>
    typeof value !== 'string' || patternOf(expected as string).test(value)
      ? []
      : [`${at}: ${JSON.stringify(value)} does not fit its pattern`],
  format: (value, expected, { file }, at) => {
    if (expected !== 'date-time') throw new Error(`${file}: the format ${expected} is none of ours`)
    if (typeof value !== 'string') return []
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) && Number.isFinite(Date.parse(value))
    return time ? [] : [`${at}: ${JSON.stringify(value)} ${noTime}`]
  },
  minimum: (value, expected, _, at) =>
    typeof value !== 'number' || value >= (expected as number) ? [] : [`${at}: below ${expected}`],
  maximum: (value, expected, _, at) =>
    typeof value !== 'number' || value <= (expected as number) ? [] : [`${at}: above ${expected}`],
  minLength: (value, expected, _, at) =>
    typeof value !== 'string' || [...value].length >= (expected as number) ? [] : [`${at}: too short`],
  maxLength: (value, expected, _, at) =>
    typeof value !== 'string' || [...value].length <= (expected as number) ? [] : [`${at}: too long`],
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'null':
      return value === null
    case 'string':
    case 'boolean':
      return typeof value === type
    default:
      throw new Error(`${type} is no type of JSON`)
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `FILE#/$defs/NAME` or `#/$defs/NAME`. */
function follow(from: string, ref: string): Place {
  const [path = '', pointer = ''] = ref.split('#')
  const file = path === '' ? from : join(dirname(from), path)
  let schema = load(file)
  for (const key of pointer.split('/').slice(1)) {
    const next = schema[key]
    if (!isObject(next)) throw new Error(`${from}: ${ref} leads nowhere`)
    schema = next
  }
  return { schema, file }
}
