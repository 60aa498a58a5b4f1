// Which file an archive is of which a replica is a member: the catalogue names its address alone. Never fetches it.

import { replicaKey, wireScheme } from '../decide/replicas.ts'
import { openData } from '../outside/redirect.ts'
import { dropBody } from '../outside/request.ts'
import { makeDid, printDid } from '../words/did.ts'
import { readFullDid } from '../words/names.ts'
import { Trouble } from '../words/reason.ts'
import type { FileReplicas, Replica } from '../words/replica.ts'
import { placeOf } from './https.ts'
import { Miss, missBeforeAnswer } from './miss.ts'
import type { Means } from './try.ts'

export type ArchiveAsk = {
  readonly means: Means
  /** of the member: its address is that of the archive, with `xrdcl.unzip=MEMBER` in its query */
  readonly replica: Replica
  /** of the member */
  readonly did: string
  readonly plainData: boolean
  readonly replicasOf: (did: string, signal: AbortSignal) => Promise<FileReplicas>
}

/** The archive with its size, its checksums where the catalogue has them, and the addresses over which we fetch it ourselves. Its name is
 *  the last part of the address; where a file of that name in the member's scope, or in that of the path, lies at just that place, it is
 *  the archive. Else the storage is asked for its size.
 *  @throws Miss; Trouble of the catalogue; the reason of `signal` */
export async function findArchive(ask: ArchiveAsk, signal: AbortSignal): Promise<FileReplicas> {
  const { replica, means } = ask
  const here = bareOf(replica)
  const candidates = didsOf(ask)
  for (const did of candidates) {
    const found = await ask.replicasOf(did, signal)
    if (found.bytes === 0 || !found.replicas.some(each => isSamePlace(each, replica))) continue
    const others = found.replicas.filter(
      each => !each.clientExtract && each.type === 'DISK' && wireScheme(each.pfn.scheme) !== undefined,
    )
    const rest = others.filter(each => replicaKey(each) !== replicaKey(here))
    return { ...found, replicas: [here, ...rest] }
  }
  means.tell(`${ask.did}: the catalogue does not name its archive; ${placeOf(replica)} is asked for its size`)
  const bytes = await sizeAt(ask, here, signal)
  return { did: candidates[0] ?? ask.did, bytes, replicas: [here], refused: 0 }
}

/** The same at every storage that lays files by Rucio's own rule (`ab/cd/NAME`): what an archive is known by on our disk. */
export function placeInStorage({ pfn }: Replica): string {
  return pfn.path.split('/').slice(-3).join('/')
}

function isSamePlace(one: Replica, other: Replica): boolean {
  return one.rse === other.rse && placeInStorage(one) === placeInStorage(other)
}

function didsOf({ did, replica }: ArchiveAsk): string[] {
  const parts = replica.pfn.path.split('/').map(decode)
  const name = parts.at(-1) ?? ''
  const scopes = [readFullDid(did)?.scope, parts.at(-4)]
  const dids = scopes.flatMap(scope => {
    const made = scope === undefined ? undefined : makeDid(scope, name)
    return made === undefined || made instanceof Trouble ? [] : [printDid(made)]
  })
  return [...new Set(dids)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A `%` that stands for itself.
    return text
  }
}

/** The archive itself: what XRootD would take out of it is no part of its address, whatever else the query holds. */
function bareOf(replica: Replica): Replica {
  const query = replica.pfn.query
    .replace(/^\?/, '')
    .split('&')
    .filter(each => each !== '' && !each.startsWith('xrdcl.unzip='))
    .join('&')
  return {
    ...replica,
    clientExtract: false,
    pfn: { ...replica.pfn, query: query === '' ? '' : `?${query}` },
  }
}

async function sizeAt(ask: ArchiveAsk, replica: Replica, signal: AbortSignal): Promise<number> {
  const { means, plainData } = ask
  const [identity, token] = await Promise.all([means.identity(), means.token()])
  let opened: Awaited<ReturnType<typeof openData>>
  try {
    // A GET, since an address may be signed for that alone.
    opened = await openData(replica.pfn, {
      method: 'GET',
      headers: { 'Accept-Encoding': 'identity', Range: 'bytes=0-0' },
      identity,
      token,
      plainData,
      limits: means.limits,
      signal,
    })
  } catch (error) {
    signal.throwIfAborted()
    throw missBeforeAnswer(error, true)
  }
  const { answer } = opened
  dropBody(answer)
  const total =
    answer.statusCode === 206
      ? /^bytes 0-0\/([0-9]{1,15})$/.exec(answer.headers['content-range'] ?? '')?.[1]
      : answer.statusCode === 200
        ? /^[0-9]{1,15}$/.exec(answer.headers['content-length'] ?? '')?.[0]
        : undefined
  if (total !== undefined && Number(total) > 0) return Number(total)
  throw new Miss(
    'replica',
    new Trouble('no_replica', `${placeOf(replica)} does not give the archive (${answer.statusCode})`),
  )
}
