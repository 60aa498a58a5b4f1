// Every record that lies in a data directory, with the schema that describes it. Never changes one.

import { type Dirent, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../../src/words/reason.ts'

const schemas = fileURLToPath(new URL('../../../src/disk/schemas/', import.meta.url))

/** Path of the schema NAME.json of src/disk. */
export function schemaOf(name: string): string {
  return join(schemas, `${name}.json`)
}

export type RecordHere = {
  /** relative to the data directory, with the line where there are several */
  readonly where: string
  /** of schemaOf(); undefined for a file of the daemon's that nothing describes */
  readonly schema: string | undefined
  readonly json: unknown
}

// In this order; what is not JSON has no schema's name.
const kinds: readonly (readonly [RegExp, string | null])[] = [
  [/^config\.json$/, 'config'],
  [/^requests\/[^/]+\.json$/, 'request'],
  [/^[^./][^/]*\/\.rucio\/request\.json$/, 'request'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/listing\.jsonl$/, 'listing'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/verified\.jsonl$/, 'verified'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/complete$/, 'complete'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/parts\/.*\.json$/, 'sidecar'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/rule\.json$/, 'rule'],
  [/^([^./][^/]*\/\.rucio|\.rucio\/trash\/[^/]+)\/places\.jsonl$/, 'places'],
  [/^\.rucio\/trash\/[^/]+\/request\.json$/, 'request'],
  [/^\.rucio\/format\.json$/, 'format'],
  [/^\.rucio\/owner\.json$/, 'owner'],
  [/^\.rucio\/catalogue\/.*\.jsonl$/, 'listing'],
  [/^\.rucio\/catalogue\/.*\.queued$/, 'queued'],
  [/^\.rucio\/hosts\/.*\.json$/, 'host'],
  [/^\.rucio\/status\/grid_cert\.json$/, 'grid_cert'],
  [/^\.rucio\/status\/authorities\.json$/, 'authorities'],
  [/^\.rucio\/status\/rules_left\.json$/, 'rules_left'],
  [/^\.rucio\/(logs|staging|lock)\//, null],
  [/\/parts\/.*\.part$/, null],
  [/\/\.rucio\/aside\//, null],
]

/** All that lies below a directory. A folder that goes while it is listed makes readdir fail as a whole: then it is listed once more. */
async function listed(dir: string): Promise<Dirent[]> {
  for (;;) {
    try {
      return await readdir(dir, { recursive: true, withFileTypes: true })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !existsSync(dir)) throw error
    }
  }
}

export async function recordsIn(dir: string): Promise<RecordHere[]> {
  const found: RecordHere[] = []
  for (const file of await listed(dir)) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name).slice(dir.length + 1)
    const kind = kinds.find(([shape]) => shape.test(path))?.[1]
    if (kind === null || (kind === undefined && !path.includes('.rucio/'))) continue
    // It may have gone, or been moved, since it was listed.
    const text = await textOf(join(dir, path))
    if (text !== undefined) found.push(...recordsOf(path, kind, text))
  }
  return found
}

function recordsOf(path: string, kind: string | undefined, text: string): RecordHere[] {
  // Your own may be empty.
  if ((kind === 'request' || kind === 'config') && text.trim() === '') return []
  if (kind !== 'listing' && kind !== 'verified' && kind !== 'places')
    return [{ where: path, schema: kind, json: JSON.parse(text) }]
  // A last line without newline may be half of one: it does not count.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      const json: unknown = JSON.parse(line)
      return { where: `${path}:${i + 1}`, schema: i > 0 ? `${kind}.line` : headOf(kind, json), json }
    })
}

function headOf(kind: string, json: unknown): string {
  const none = typeof json === 'object' && json !== null && 'type' in json && json.type === 'NONE'
  return none ? 'missing.head' : `${kind}.head`
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
