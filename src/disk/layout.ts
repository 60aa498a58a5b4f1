// Every path in DATA. Nobody else joins paths. Never touches the disk.

import { join } from 'node:path'

/** A data directory that was opened by openRoot(). */
export type Root = {
  /** absolute */
  readonly dir: string
  /** of format.json */
  readonly id: string
  /** random, of this process's life: fence and name of the staging folder */
  readonly bootId: string
  /** the daemon's writes look at owner.json first; the CLI's do not (it holds no lease) */
  readonly fenced: boolean
  /** format.json is of a newer format than this version knows: nothing may be written */
  readonly readOnly?: true
}

const own = (root: Root, ...rest: string[]): string => join(root.dir, '.rucio', ...rest)
const dataset = (root: Root, name: string, ...rest: string[]): string => join(root.dir, name, ...rest)

/** `name` is always NAME (words/names.ts), `path` a ListingLine's: one safe component each. */
export const layout = {
  requests: (root: Root) => join(root.dir, 'requests'),
  request: (root: Root, name: string) => join(root.dir, 'requests', `${name}.json`),
  problem: (root: Root, file: string) => join(root.dir, 'requests', `${file}.problem`),
  watch: (root: Root) => join(root.dir, 'watch'),
  config: (root: Root) => join(root.dir, 'config.json'),

  dataset: (root: Root, name: string) => dataset(root, name),
  file: (root: Root, name: string, path: string) => dataset(root, name, path),
  incomplete: (root: Root, name: string) => dataset(root, name, 'INCOMPLETE.txt'),
  records: (root: Root, name: string) => dataset(root, name, '.rucio'),
  listing: (root: Root, name: string) => dataset(root, name, '.rucio', 'listing.jsonl'),
  verified: (root: Root, name: string) => dataset(root, name, '.rucio', 'verified.jsonl'),
  complete: (root: Root, name: string) => dataset(root, name, '.rucio', 'complete'),
  keptRequest: (root: Root, name: string) => dataset(root, name, '.rucio', 'request.json'),
  rule: (root: Root, name: string) => dataset(root, name, '.rucio', 'rule.json'),
  places: (root: Root, name: string) => dataset(root, name, '.rucio', 'places.jsonl'),
  parts: (root: Root, name: string) => dataset(root, name, '.rucio', 'parts'),
  part: (root: Root, name: string, path: string) => dataset(root, name, '.rucio', 'parts', `${path}.part`),
  sidecar: (root: Root, name: string, path: string) => dataset(root, name, '.rucio', 'parts', `${path}.json`),
  aside: (root: Root, name: string) => dataset(root, name, '.rucio', 'aside'),

  own: (root: Root) => own(root),
  format: (dir: string) => join(dir, '.rucio', 'format.json'),
  owner: (root: Root) => own(root, 'owner.json'),
  lock: (root: Root) => own(root, 'lock'),
  /** the directory whose mtime is the lease */
  lease: (root: Root) => own(root, 'lock', 'daemon'),
  catalogue: (root: Root) => own(root, 'catalogue'),
  answer: (root: Root, name: string) => own(root, 'catalogue', `${name}.jsonl`),
  queued: (root: Root, name: string) => own(root, 'catalogue', `${name}.queued`),
  hosts: (root: Root) => own(root, 'hosts'),
  /** `host` as hostPort() of words/pfn.ts gives it */
  host: (root: Root, host: string) => own(root, 'hosts', `${host.replace(/[^A-Za-z0-9._-]/g, '=')}.json`),
  status: (root: Root, key: string) => own(root, 'status', `${key}.json`),
  logs: (root: Root) => own(root, 'logs'),
  log: (root: Root, name: string) => own(root, 'logs', `${name}.log`),
  stagings: (root: Root) => own(root, 'staging'),
  staging: (root: Root) => own(root, 'staging', root.bootId),
  trash: (root: Root) => own(root, 'trash'),
  /** what was NAME/.rucio */
  trashed: (root: Root, name: string) => own(root, 'trash', name),
} as const
