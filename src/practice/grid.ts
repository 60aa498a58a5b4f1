// The practice grid: a stand-in for a Rucio server and its storages, all on loopback, that misbehaves on request. For the demo and the
// tests. Never keeps anything on a disk.

import { caPem } from './certificates.ts'
import { contentsOf } from './contents.ts'
import type { CatalogueFaults, Faults } from './faults.ts'
import { openCatalogue } from './rest.ts'
import { bytesOf, type Seed, type SeedFile } from './seed.ts'
import { openStorage, type Storage } from './storage.ts'

export type { CatalogueFaults, Faults, Seed, SeedFile }
export { bytesOf }

/** [from, to) of a file; the pieces of one answer joined */
export type Sent = { readonly rse: string; readonly did: string; readonly from: number; readonly to: number }

export type PracticeGrid = {
  /** https://localhost:PORT of the REST interface (accounts jdoe / jdoe-secret and root / root-secret) */
  readonly url: string
  /** PEM text that verifies all its servers */
  readonly caPem: string
  /** `host:port` of an RSE. Throws for an RSE that it was not started with */
  readonly rse: (name: string) => string
  setFaults(rse: string, faults: Partial<Faults>): Promise<void>
  /** the REST interface itself; keys that are left out stay as they were */
  setCatalogue(faults: CatalogueFaults): Promise<void>
  setSeed(seed: Seed): void
  /** body bytes that left each RSE, by range, in order of the answers' starts; of a redirect the RSE that sent them */
  sent(): readonly Sent[]
  forgetSent(): void
  /** the header Authorization of each request to an RSE so far; '' where there was none */
  authorizations(rse: string): readonly string[]
  /** how many connections an RSE has reset since the start because of `dropEvery` */
  cuts(rse: string): number
  /** requests that the catalogue answered: `METHOD path`, with the query, as they came */
  calls(): readonly string[]
  /** texts of the traces that the catalogue took (takesTraces), in order */
  traces(): readonly string[]
  stop(): Promise<void>
}

export type StartOptions = {
  readonly seed: Seed
  /** RSE names; each gets a port. A name that begins with TAPE is of type TAPE; DOWN… has a port nobody listens on */
  readonly rses: readonly string[]
  /** schemes of its PFNs by RSE, default ['davs']; root and file may be named and are not served; http is served without TLS */
  readonly schemes?: Readonly<Record<string, readonly string[]>>
}

// Ports below 1024 that are never given out as free ones, so that nobody comes to listen on them meanwhile.
const deadPorts = [9, 1, 7, 11, 13, 17, 19]

export async function startPracticeGrid(options: StartOptions): Promise<PracticeGrid> {
  let contents = contentsOf(options.seed)
  let sent: { readonly rse: string; readonly did: string; from: number; to: number }[] = []
  const cuts = new Map<string, number>()
  const storages = new Map<string, Storage>()
  const ports = new Map<string, number>()
  const schemes = (rse: string): readonly string[] => options.schemes?.[rse] ?? ['davs']
  const isPlain = (rse: string): boolean => schemes(rse).some(each => each === 'http' || each === 'dav')

  const surroundings = {
    find: (rse: string, path: string) => contents.find(rse, path),
    entries: (rse: string, path: string) => contents.entries(rse, path),
    base(rse: string) {
      const port = ports.get(rse)
      return port === undefined ? undefined : `${isPlain(rse) ? 'http' : 'https'}://localhost:${port}`
    },
    sending(rse: string, did: string) {
      let list = sent
      let entry: (typeof sent)[number] | undefined
      return (from: number, to: number) => {
        // Forgotten meanwhile: a new entry begins.
        if (entry === undefined || entry.to !== from || list !== sent) {
          list = sent
          entry = { rse, did, from, to }
          sent.push(entry)
        } else entry.to = to
      }
    },
    cutting(rse: string) {
      cuts.set(rse, (cuts.get(rse) ?? 0) + 1)
    },
  }

  for (const rse of options.rses)
    if (isPlain(rse) && schemes(rse).some(each => each === 'https' || each === 'davs'))
      throw new Error(`${rse}: one port speaks TLS or not; give the two schemes to two RSEs`)
  let dead = 0
  for (const rse of options.rses) {
    if (rse.startsWith('DOWN')) {
      const port = deadPorts[dead++]
      if (port === undefined) throw new Error(`at most ${deadPorts.length} RSEs may be named DOWN…`)
      ports.set(rse, port)
      continue
    }
    const storage = await openStorage(rse, !isPlain(rse), surroundings)
    storages.set(rse, storage)
    ports.set(rse, storage.port)
  }
  const catalogue = await openCatalogue({
    contents: () => contents,
    rses: options.rses.map(name => ({ name, port: ports.get(name) ?? 0, schemes: schemes(name) })),
  })

  function storage(rse: string): Storage {
    const found = storages.get(rse)
    if (found === undefined) throw new Error(`no storage ${rse} is served here`)
    return found
  }
  return {
    url: `https://localhost:${catalogue.port}`,
    caPem,
    rse(name) {
      const port = ports.get(name)
      if (port === undefined) throw new Error(`the practice grid has no RSE ${name}`)
      return `localhost:${port}`
    },
    async setFaults(rse, faults) {
      const target = faults.redirectTo ?? ''
      if (target !== '' && !ports.has(target)) throw new Error(`the practice grid has no RSE ${target}`)
      await storage(rse).setFaults(faults)
    },
    authorizations: rse => storage(rse).authorizations(),
    setCatalogue: faults => catalogue.setFaults(faults),
    setSeed(seed) {
      contents = contentsOf(seed)
    },
    sent: () => sent.map(each => ({ ...each })),
    forgetSent() {
      sent = []
    },
    cuts: rse => cuts.get(rse) ?? 0,
    calls: () => catalogue.calls(),
    traces: () => catalogue.traces(),
    async stop() {
      await Promise.all([catalogue.stop(), ...[...storages.values()].map(each => each.stop())])
    },
  }
}
