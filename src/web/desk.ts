// What every call of one Site shares: kept words and views, the waiters, and the time limit on looks at DATA.
// Never lets a call hang with the disk, and never answers for a data directory that is not there.

import { layout } from '../disk/layout.ts'
import { readRecord } from '../disk/read.ts'
import { checkRoot } from '../disk/root.ts'
import { knownNames } from '../disk/word.ts'
import type { Accepted } from '../wishes/accept.ts'
import { shared } from '../wishes/shared.ts'
import { keepWords, type Said } from '../wishes/words.ts'
import { type AuthoritiesState, readAuthoritiesState } from '../words/authorities.ts'
import type { Destination } from '../words/destination.ts'
import { type Did, printDid } from '../words/did.ts'
import { nameOf } from '../words/names.ts'
import { type RuleLeft, readRulesLeft, rulesLeftNow } from '../words/rulesLeft.ts'
import { type GridCert, readGridCert } from '../words/status.ts'
import { type Downloading, openDownloading } from './downloading.ts'
import { type Overview, openOverview } from './overview.ts'
import { type Patient, patient } from './patient.ts'
import { Problem } from './problem.ts'
import type { Site, WebOptions } from './server.ts'
import { keepViews, type View } from './view.ts'
import type { Waiters } from './wait.ts'

export type Desk = {
  readonly site: Site
  readonly options: WebOptions
  readonly waiters: Waiters
  readonly views: Patient<View>
  readonly downloading: Downloading
  readonly overview: Overview
  /** grid_cert of status/; undefined when there is none */
  readonly cert: () => Promise<GridCert | undefined>
  /** the same as it was last read, for when the disk does not give it */
  lastCert: GridCert | undefined
  /** authorities of status/; null when there is none yet */
  readonly authorities: () => Promise<AuthoritiesState | null>
  lastAuthorities: AuthoritiesState | null
  /** rules_left of status/, those that have not ended */
  readonly rulesLeft: () => Promise<readonly RuleLeft[]>
  lastRulesLeft: readonly RuleLeft[]
  word(name: string): Promise<Said>
  /** POST and DELETE, their refusals thrown as Problems. What is kept of the NAME goes. */
  wish(kind: 'want' | 'remove', did: Did, to?: Destination | null): Promise<Said>
  /** @throws Problem 503 where DATA is missing, slow, not yet ours, or not to be written */
  check(needs: 'data' | 'write'): Promise<void>
  /** @throws Problem 503 `disk_slow` when the look takes too long; it goes on, and what it finds is kept for the next */
  within<T>(look: Promise<T>): Promise<T>
  close(): void
}

/** @param slowMs a look at DATA may take this long */
export function openDesk(site: Site, options: WebOptions, waiters: Waiters, slowMs: number): Desk {
  const words = keepWords(site.root, options.world)
  const views = patient(keepViews(site.root, options.world, words))
  const downloading = openDownloading(site.root, words)
  const stop = site.onChange(name => {
    words.drop(name)
    views.changed(name)
    downloading.changed()
    if (name === undefined) overview.drop()
    waiters.changed()
  })
  const within = <T>(look: Promise<T>): Promise<T> => limited(look, slowMs)
  const overview = openOverview(
    () => within(knownNames(site.root)),
    name => within(views.get(name)),
  )
  const rootNow = shared(() => checkRoot(site.root))
  return {
    site,
    options,
    waiters,
    views,
    downloading,
    overview,
    cert: shared(() => readRecord(site.root, layout.status(site.root, 'grid_cert'), readGridCert)),
    lastCert: undefined,
    authorities: shared(
      async () =>
        (await readRecord(site.root, layout.status(site.root, 'authorities'), readAuthoritiesState)) ?? null,
    ),
    lastAuthorities: null,
    rulesLeft: shared(async () => {
      const found = await readRecord(site.root, layout.status(site.root, 'rules_left'), readRulesLeft)
      return rulesLeftNow(found?.rules ?? [], options.world.now())
    }),
    lastRulesLeft: [],
    within,
    word: name => within(words.get(name)),
    async wish(kind, did, to) {
      const name = nameOf(did)
      const { accept } = site
      const said = saidOf(await within(kind === 'want' ? accept.want(did, to) : accept.remove(did)), did)
      words.drop(name)
      views.drop(name)
      downloading.note(name, said.word)
      overview.drop()
      waiters.changed()
      site.log('web_server', `${kind === 'want' ? 'POST' : 'DELETE'} ${printDid(did)}: ${said.word}`)
      return said
    },
    async check(needs) {
      const { state, message } = site.state()
      if (state === 'starting' || (state === 'stopping' && needs === 'write'))
        throw new Problem(503, 'starting', message, { 'Retry-After': '2' })
      if (state === 'disk_slow') throw slow(message)
      if (state === 'data_dir_missing') throw missing(message)
      if (state === 'read_only' && needs === 'write')
        throw new Problem(503, 'read_only', message, { 'Retry-After': '60' })
      // The loop looks now and then only; an unmounted directory must not pass for an empty one meanwhile.
      if ((await within(rootNow())) === 'missing') throw missing()
    },
    close: stop,
  }
}

function saidOf(accepted: Accepted, did: Did): Said {
  switch (accepted.kind) {
    case 'answer': {
      const { kind: _, ...said } = accepted
      return said
    }
    case 'name_taken':
      throw new Problem(
        409,
        'name_taken',
        `${accepted.by} is here already, and ${printDid(did)} would lie under the same name on some disks; remove that one first.`,
      )
    case 'queue_full':
      throw queueFull('requests')
  }
}

export function queueFull(what: 'requests' | 'listings'): Problem {
  return new Problem(503, 'queue_full', `Too many ${what} wait already; ask again when some are done.`, {
    'Retry-After': '60',
  })
}

function missing(
  message = 'The data directory is not there (not mounted, or emptied); mount it again, and work goes on by itself.',
): Problem {
  return new Problem(503, 'data_dir_missing', message, { 'Retry-After': '10' })
}

function slow(message = 'The disk does not answer in time; look at the disk, then ask again.'): Problem {
  return new Problem(503, 'disk_slow', message, { 'Retry-After': '10' })
}

async function limited<T>(look: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(slow()), ms)
  })
  try {
    return await Promise.race([look, late])
  } finally {
    clearTimeout(timer)
  }
}
