// Which replica first, by which engine, and what it means when there is none. Pure: hosts at rest, strikes and what is installed are
// given, nothing is asked.

import type { Strike } from '../words/part.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import { fromIso } from '../words/world.ts'

/** Wrong bytes or nonsense so often, and a replica is left alone for an hour. */
export const strikesOut = 3
export const outMs = 3_600_000

export type Choice =
  /** best first, at least one */
  | { readonly kind: 'usable'; readonly replicas: readonly Replica[] }
  /** what there is lies behind hosts at rest; `until` is the first end of a rest, ms since 1970 */
  | { readonly kind: 'resting'; readonly until: number }
  /** nothing to ask now, and why */
  | { readonly kind: 'none'; readonly trouble: Trouble }

/** What fetches bytes from a replica: our own code for https and for a member of a zip that is fetched over it, xrdcp, the official client. */
export type Engine = 'https' | 'xrdcp' | 'archive' | 'rucio'

// The order of use where nothing speaks against a replica: what costs least and resumes best comes first.
const engines: readonly Engine[] = ['https', 'xrdcp', 'archive', 'rucio']

/** @param by 'rucio' when the configuration wants everything by the official client */
export function engineOf({ pfn, clientExtract }: Replica, by: 'auto' | 'rucio'): Engine {
  if (by === 'rucio') return 'rucio'
  if (isXrootd(pfn.scheme)) return 'xrdcp'
  if (wireScheme(pfn.scheme) === undefined) return 'rucio'
  // The official client has a tar; we read zips.
  return clientExtract ? (isZip.test(pfn.path) ? 'archive' : 'rucio') : 'https'
}

/** As Rucio tells an archive by its name. */
const isZip = /\.zipx?(\.[0-9]+)*$/i

/** The order of use: the official client last, replicas without strikes first, then https before xrdcp, then the catalogue's order, then
 *  the faster host. Hosts at rest, and replicas with three strikes within the last hour, are left out; so is what no engine that is
 *  installed here can fetch.
 *  @param missing engine -> what to install, in words that follow `…, and`
 *  @param resting `host:port` -> ms since 1970
 *  @param rates `host:port` -> bytes a second, where it is known */
export function chooseReplicas(seen: {
  readonly file: FileReplicas
  readonly plainData: boolean
  readonly by: 'auto' | 'rucio'
  readonly missing: ReadonlyMap<Engine, string>
  readonly strikes: readonly Strike[]
  readonly resting: ReadonlyMap<string, number>
  readonly rates: ReadonlyMap<string, number>
  readonly now: number
}): Choice {
  const { file, strikes, resting, rates, now } = seen
  const reachable = reachableOf(file, seen)
  if (reachable instanceof Trouble) return { kind: 'none', trouble: reachable }
  const struck = (replica: Replica) => strikes.find(each => each.rse === replica.rse)?.count ?? 0
  const inPlay = reachable.filter(each => !isOut(strikes, each.rse, now))
  if (inPlay.length === 0)
    return {
      kind: 'none',
      trouble: new Trouble('corrupt', `every replica gave wrong bytes (${rsesOf(reachable)})`),
    }
  const restOf = (replica: Replica) => resting.get(hostPort(replica.pfn)) ?? 0
  const awake = inPlay.filter(each => restOf(each) <= now)
  if (awake.length === 0) return { kind: 'resting', until: Math.min(...inPlay.map(restOf)) }
  const rate = (replica: Replica) => rates.get(hostPort(replica.pfn)) ?? 0
  const engine = (replica: Replica) => engines.indexOf(engineOf(replica, seen.by))
  const last = (replica: Replica) => (engineOf(replica, seen.by) === 'rucio' ? 1 : 0)
  const replicas = awake.sort(
    (a, b) =>
      last(a) - last(b) ||
      struck(a) - struck(b) ||
      engine(a) - engine(b) ||
      a.priority - b.priority ||
      rate(b) - rate(a),
  )
  return { kind: 'usable', replicas }
}

/** Three strikes, the last one less than an hour ago. */
export function isOut(strikes: readonly Strike[], rse: string, now: number): boolean {
  const strike = strikes.find(each => each.rse === rse)
  if (strike === undefined || strike.count < strikesOut) return false
  const age = now - (fromIso(strike.at) ?? 0)
  // A time in the future is that of a clock that jumped.
  return age >= 0 && age < outMs
}

/** Two PFNs with one key are one replica: a storage offers the same file as https and as davs. */
export function replicaKey(replica: Replica): string {
  const { pfn } = replica
  return `${wireScheme(pfn.scheme) ?? pfn.scheme}://${hostPort(pfn)}${pfn.path}`
}

/** The scheme on the wire of what our own engine speaks: davs is https. undefined = a program's. */
export function wireScheme(scheme: string): 'https' | 'http' | undefined {
  if (scheme === 'https' || scheme === 'davs') return 'https'
  return scheme === 'http' ? 'http' : undefined
}

function isXrootd(scheme: string): boolean {
  return scheme === 'root' || scheme === 'roots'
}

/** Can its engine promise that no byte goes over a line in the clear? xrdcp can also for root, which it is told to encrypt (transfer/xrdcp.ts).
 *  The official client chooses protocols and follows redirects as it likes: of what it brings only a file of this machine goes over no line. */
function isEncrypted(replica: Replica, by: 'auto' | 'rucio'): boolean {
  switch (engineOf(replica, by)) {
    case 'https':
    case 'archive':
      return wireScheme(replica.pfn.scheme) === 'https'
    case 'xrdcp':
      return true
    case 'rucio':
      return replica.pfn.scheme === 'file'
  }
}

function reachableOf(
  file: FileReplicas,
  seen: {
    readonly plainData: boolean
    readonly by: 'auto' | 'rucio'
    readonly missing: ReadonlyMap<Engine, string>
  },
): Replica[] | Trouble {
  const { plainData, by, missing } = seen
  const { did, replicas, refused } = file
  if (replicas.length === 0)
    return refused > 0
      ? new Trouble('refused', `${refused} addresses of replicas of ${did} were refused`)
      : new Trouble('no_replica', `no storage offers ${did}`)
  const onDisk = replicas.filter(each => each.type === 'DISK')
  if (onDisk.length === 0) return new Trouble('only_tape', `${did} lies on tape only (${rsesOf(replicas)})`)
  const spoken = onDisk.filter(each => !missing.has(engineOf(each, by)))
  if (spoken.length === 0) return new Trouble('unsupported', cannot(did, onDisk, seen))
  const allowed = spoken.filter(each => plainData || isEncrypted(each, by))
  if (allowed.length === 0)
    return new Trouble(
      'unsupported',
      `${did} is offered as ${schemesOf(spoken)}${by === 'rucio' ? ' by the official client' : ''} only, which promises no encryption, and "plain_data" is false`,
    )
  const byKey = new Map<string, Replica>()
  for (const each of [...allowed].sort((a, b) => a.priority - b.priority))
    if (!byKey.has(replicaKey(each))) byKey.set(replicaKey(each), each)
  return [...byKey.values()]
}

/** What is offered, and what to install for it: of the engines that would serve the best one is enough. */
function cannot(
  did: string,
  replicas: readonly Replica[],
  { by, missing }: { readonly by: 'auto' | 'rucio'; readonly missing: ReadonlyMap<Engine, string> },
): string {
  const wanted = new Set(replicas.map(each => engineOf(each, by)))
  const first = engines.find(each => wanted.has(each))
  const install = first === undefined ? undefined : missing.get(first)
  return `${did} is offered as ${schemesOf(replicas)} only, and ${install ?? 'nothing here fetches that'}`
}

function schemesOf(replicas: readonly Replica[]): string {
  return [...new Set(replicas.map(each => each.pfn.scheme))].join(', ')
}

function rsesOf(replicas: readonly Replica[]): string {
  return [...new Set(replicas.map(each => each.rse))].join(', ')
}
