// POST /replicas/list: where files lie, in the order of use (facts/rucio.md 5). Gives values, never HTTP.

import { createHash } from 'node:crypto'
import { asObject } from '../words/text.ts'
import { type Contents, filesOf } from './contents.ts'
import { sumsOf } from './dids.ts'
import { pathOf, type SeedFile } from './seed.ts'

export type Rse = { readonly name: string; readonly port: number; readonly schemes: readonly string[] }

export type ReplicaAnswer =
  | { readonly kind: 'lines'; readonly lines: readonly unknown[] }
  | { readonly kind: 'error'; readonly status: number; readonly class: string; readonly message: string }

/** @param body of the request, from JSON */
export async function listReplicas(
  contents: Contents,
  rses: readonly Rse[],
  body: unknown,
): Promise<ReplicaAnswer> {
  const asked = asObject(body) ?? {}
  const dids = readDids(asked['dids'])
  if (typeof dids === 'string') return { kind: 'error', status: 400, class: 'InvalidObject', message: dids }
  const sort = asked['sort'] ?? 'geoip'
  if (!['geoip', 'custom_table', 'random'].includes(String(sort))) {
    const message = `Sorting algorithm: ${sort} is not supported. Supported protocols: ['geoip', 'custom_table', 'random']`
    return { kind: 'error', status: 400, class: 'SortingAlgorithmNotSupported', message }
  }
  const expression = asked['rse_expression'] ?? '*'
  const allowed = typeof expression === 'string' ? rsesOf(expression, rses) : new Set<string>()
  if (allowed.size === 0) {
    const message = 'RSE Expression resulted in an empty set.'
    return { kind: 'error', status: 500, class: 'InvalidRSEExpression', message }
  }
  const files = new Map<string, SeedFile>()
  for (const { scope, name } of dids) {
    const entry = contents.did(scope, name)
    if (entry === undefined) continue
    for (const file of filesOf(entry)) files.set(`${file.scope}:${file.name}`, file)
  }
  const options = {
    schemes: Array.isArray(asked['schemes']) ? asked['schemes'].map(String) : undefined,
    // `all` gives each URL once, marked lan.
    domain: asked['domain'] === 'lan' || asked['domain'] === 'all' ? 'lan' : 'wan',
    allStates: asked['all_states'] === true,
    random: sort === 'random',
    rses: rses.filter(rse => allowed.has(rse.name)),
  }
  const lines = await Promise.all(
    [...files.values()].map(file => replicaLine(file, archiveOf(contents, file), options)),
  )
  return { kind: 'lines', lines: lines.filter(line => line !== undefined) }
}

/** `scheme://localhost:PORT/rucio/…`; root has two slashes, a POSIX RSE has no port. */
export function pfnOf(
  rse: Rse,
  scheme: string,
  file: { readonly scope: string; readonly name: string },
): string {
  const path = `rucio/${pathOf(file.scope, file.name)}`
  if (scheme === 'file') return `file://localhost:0/${path}`
  return `${scheme}://localhost:${rse.port}${scheme === 'root' ? '//' : '/'}${path}`
}

/** 32 hex digits that an RSE keeps for its life. */
export function rseId(name: string): string {
  return createHash('md5').update(name).digest('hex')
}

export function isTape(name: string): boolean {
  return name.startsWith('TAPE')
}

/** Of a member the archive that it is in: its addresses are that one's. */
function archiveOf(contents: Contents, file: SeedFile): SeedFile | undefined {
  const entry = file.inside === undefined ? undefined : contents.did(file.scope, file.inside)
  return entry?.type === 'FILE' ? entry.file : undefined
}

async function replicaLine(
  file: SeedFile,
  archive: SeedFile | undefined,
  options: {
    readonly schemes: readonly string[] | undefined
    readonly domain: string
    readonly allStates: boolean
    readonly random: boolean
    readonly rses: readonly Rse[]
  },
): Promise<unknown> {
  // Own keys in the seed's order are the order of use: that is what a test wants to rule over.
  const here = Object.entries((archive ?? file).replicas).flatMap(([name, kind]) => {
    const rse = options.rses.find(each => each.name === name)
    return rse === undefined || (kind === 'unavailable' && !options.allStates) ? [] : [{ rse, kind }]
  })
  if (here.length === 0) return undefined
  const places = here.flatMap(({ rse }) => {
    const schemes =
      options.schemes === undefined
        ? rse.schemes.slice(0, 1)
        : rse.schemes.filter(each => options.schemes?.includes(each))
    // XRootD reads one member by itself; over anything else the client takes it out (facts/rucio.md 5).
    return archive === undefined
      ? schemes.map(scheme => ({ rse, pfn: pfnOf(rse, scheme, file), extract: false }))
      : schemes.map(scheme => ({
          rse,
          pfn: `${pfnOf(rse, scheme, archive)}?xrdcl.unzip=${encodeURIComponent(file.name)}`,
          extract: scheme !== 'root',
        }))
  })
  if (options.random) places.sort(() => Math.random() - 0.5)
  const pfns = places.map(({ rse, pfn, extract }, i) => [
    pfn,
    {
      rse_id: rseId(rse.name),
      rse: rse.name,
      type: isTape(rse.name) ? 'TAPE' : 'DISK',
      volatile: false,
      domain: archive === undefined ? options.domain : 'zip',
      priority: i + 1,
      client_extract: extract,
    },
  ])
  const byRse = new Map<string, string[]>()
  for (const { rse, pfn } of places) byRse.set(rse.name, [...(byRse.get(rse.name) ?? []), pfn])
  const { adler32, md5 } = await sumsOf(file)
  return {
    scope: file.scope,
    name: file.name,
    bytes: file.bytes,
    md5,
    adler32,
    pfns: Object.fromEntries(pfns),
    rses: Object.fromEntries(byRse),
    states: Object.fromEntries(
      here.map(({ rse, kind }) => [rse.name, kind === 'unavailable' ? 'UNAVAILABLE' : 'AVAILABLE']),
    ),
  }
}

/** The DIDs, or what the server's schema says against them, with the whole request in it. */
function readDids(value: unknown): readonly { readonly scope: string; readonly name: string }[] | string {
  const wrong = (why: string): string =>
    `Problem validating r_dids: ${why}\n\nFailed validating in schema:\n    {'description': 'Array of Data Identifiers(DIDs)', 'type': 'array', 'maxItems': 1000}\n\nOn instance:\n    ${JSON.stringify(value)}`
  if (!Array.isArray(value)) return wrong(`${JSON.stringify(value)} is not of type 'array'`)
  if (value.length > 1000) return wrong(`${JSON.stringify(value)} is too long`)
  const dids = []
  for (const each of value) {
    const { scope, name } = asObject(each) ?? {}
    if (typeof scope !== 'string') return wrong("'scope' is a required property")
    if (typeof name !== 'string') return wrong("'name' is a required property")
    dids.push({ scope, name })
  }
  return dids
}

/** The part of Rucio's expressions that is of use here: names, `*`, attributes, joined by | & \ from left to right. */
export function rsesOf(expression: string, rses: readonly Rse[]): ReadonlySet<string> {
  const tokens = expression.split(/([|&\\])/).map(each => each.trim())
  let result: string[] = []
  for (let i = 0; i < tokens.length; i += 2) {
    const term = rses.map(rse => rse.name).filter(name => fits(tokens[i] ?? '', name))
    const before = result
    if (i === 0) result = term
    else if (tokens[i - 1] === '|') result = [...before, ...term]
    else if (tokens[i - 1] === '&') result = before.filter(name => term.includes(name))
    else result = before.filter(name => !term.includes(name))
  }
  return new Set(result)
}

function fits(term: string, rse: string): boolean {
  if (term === '*' || term === rse) return true
  if (term === 'istape=true' || term === 'rse_type=TAPE') return isTape(rse)
  return term === 'rse_type=DISK' && !isTape(rse)
}
