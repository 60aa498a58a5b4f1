// What the catalogue says of DIDs: one of them, its files, its children, searches (facts/rucio.md 3). Gives values, never HTTP.

import { createHash } from 'node:crypto'
import { bytesIn, type Contents, type Entry, filesOf } from './contents.ts'
import { checksumOf, type SeedFile } from './seed.ts'

/** GET /dids/S/N.
 *  @param depth of `?dynamic_depth=`: FILE counts files now, DATASET adds up what closed datasets have on record */
export async function didOf(entry: Entry, depth: 'FILE' | 'DATASET' | undefined): Promise<unknown> {
  const { scope, name, type } = entry
  if (entry.type === 'FILE') {
    const { bytes } = entry.file
    const { adler32, md5 } = await sumsOf(entry.file)
    return { scope, name, type, account: 'root', bytes, length: 1, md5, adler32 }
  }
  const files = filesOf(depth === 'DATASET' ? closedOf(entry) : entry)
  const known = depth !== undefined || (entry.type === 'DATASET' && !entry.open)
  return {
    scope,
    name,
    type,
    account: 'root',
    open: entry.type === 'CONTAINER' || entry.open,
    monotonic: false,
    expired_at: null,
    length: known ? files.length : null,
    bytes: known ? bytesIn(files) : null,
  }
}

/** A line of …/files; with `parent` a line of /dids/bulkfiles. */
export async function fileLine(
  file: SeedFile,
  more: { readonly long?: boolean; readonly parent?: { readonly scope: string; readonly name: string } },
): Promise<unknown> {
  const { scope, name, bytes, events } = file
  return {
    scope,
    name,
    bytes,
    adler32: await sumOf(file, 'adler32'),
    guid: createHash('md5').update(`guid ${scope}:${name}`).digest('hex').toUpperCase(),
    events: events ?? null,
    ...(more.long === true ? { lumiblocknr: null } : {}),
    ...(more.parent === undefined ? {} : { parent_scope: more.parent.scope, parent_name: more.parent.name }),
  }
}

/** Lines of …/dids. */
export async function childLines(entry: Entry): Promise<readonly unknown[]> {
  if (entry.type === 'CONTAINER')
    return entry.children.map(({ scope, name, type }) => ({
      scope,
      name,
      type,
      bytes: null,
      adler32: null,
      md5: null,
    }))
  if (entry.type === 'FILE') return []
  return Promise.all(
    entry.files.map(async file => {
      const { scope, name, bytes } = file
      const { adler32, md5 } = await sumsOf(file)
      return { scope, name, type: 'FILE', bytes, adler32, md5 }
    }),
  )
}

/** Lines of …/dids/search; undefined = no such type. */
export function searchLines(
  contents: Contents,
  scope: string,
  query: URLSearchParams,
): readonly unknown[] | undefined {
  const types = searchTypes.get(query.get('type') ?? 'collection')
  if (types === undefined) return undefined
  // The official client sends a list as Python writes it: [{'name': 'x*'}].
  const inFilters = /'name': '([^']*)'/.exec(query.get('filters') ?? '')?.[1]
  const pattern = query.get('name') ?? inFilters ?? '*'
  const wanted = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/[*%]/g, '.*')}$`, 'i')
  const found = [...contents.all()].filter(
    entry => entry.scope === scope && types.includes(entry.type) && wanted.test(entry.name),
  )
  if (query.get('long') !== 'True') return found.map(entry => entry.name)
  return found.map(entry => {
    const files = filesOf(entry)
    const known = entry.type === 'FILE' || (entry.type === 'DATASET' && !entry.open)
    return {
      scope,
      name: entry.name,
      did_type: entry.type,
      bytes: known ? bytesIn(files) : null,
      length: known ? files.length : null,
    }
  })
}

/** What the catalogue has on record; null where the seed says that it has not. */
export async function sumsOf(
  file: SeedFile,
): Promise<{ readonly adler32: string | null; readonly md5: string | null }> {
  return { adler32: await sumOf(file, 'adler32'), md5: await sumOf(file, 'md5') }
}

async function sumOf(file: SeedFile, algorithm: 'adler32' | 'md5'): Promise<string | null> {
  return file.checksums.includes(algorithm) ? checksumOf(file, 'good', algorithm) : null
}

const searchTypes = new Map<string, readonly Entry['type'][]>([
  ['all', ['CONTAINER', 'DATASET', 'FILE']],
  ['collection', ['CONTAINER', 'DATASET']],
  ['container', ['CONTAINER']],
  ['dataset', ['DATASET']],
  ['file', ['FILE']],
])

/** Open datasets have nothing on record, so they count as empty. */
function closedOf(entry: Entry): Entry {
  if (entry.type === 'CONTAINER')
    return {
      type: 'CONTAINER',
      scope: entry.scope,
      name: entry.name,
      children: entry.children.map(closedOf),
    }
  return entry.type === 'DATASET' && entry.open ? { ...entry, files: [] } : entry
}
