// requests/NAME.json: what a user wants of one DID. Never judges whether it can be had.

import { type Destination, readDestination } from './destination.ts'
import { Trouble } from './reason.ts'
import { asObject, parseJson } from './text.ts'

export type Request = {
  /** only where the file's name does not say it */
  readonly did?: string
  /** higher first */
  readonly priority: number
  readonly paused: boolean
  /** DELETE: what is Rucio's goes from the disk, then the request */
  readonly remove: boolean
  /** the audit found harm in a whole dataset */
  readonly repair: boolean
  /** null: on this disk, whatever config.json says; left out: as config.json says */
  readonly destination?: Destination | null
  /** ISO time */
  readonly created?: string
}

export const plainRequest: Request = { priority: 0, paused: false, remove: false, repair: false }

/** A request's text -> the request, or a Trouble that tells its user what to mend. An empty file will do. */
export function parseRequest(text: string): Request | Trouble {
  if (text.trim() === '') return plainRequest
  const parsed = parseJson(text)
  if (parsed instanceof Trouble) return parsed
  const object = asObject(parsed.json)
  if (object === undefined) return bad('a request is an object like {"priority": 1}')
  const { format, did, priority, paused, remove, repair, destination, created } = object
  if (format !== undefined && format !== 1) return bad('"format" is 1 or absent')
  if (did !== undefined && typeof did !== 'string') return bad('"did" is a text like "scope:name"')
  if (priority !== undefined && (typeof priority !== 'number' || !Number.isFinite(priority)))
    return bad('"priority" is a number, higher first')
  for (const [key, value] of [
    ['paused', paused],
    ['remove', remove],
    ['repair', repair],
  ] as const)
    if (value !== undefined && typeof value !== 'boolean') return bad(`"${key}" is true or false`)
  const place = destination === undefined || destination === null ? destination : readDestination(destination)
  if (place instanceof Trouble) return place
  return {
    ...(did === undefined ? {} : { did }),
    priority: priority ?? 0,
    paused: paused === true,
    remove: remove === true,
    repair: repair === true,
    ...(place === undefined ? {} : { destination: place }),
    ...(typeof created === 'string' ? { created } : {}),
  }
}

function bad(what: string): Trouble {
  return new Trouble('refused', what)
}
