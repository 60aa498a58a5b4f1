// What decide() sees of a dataset's rule: its record, its destination as request and config.json have it, the last look under the mount.
// Read once and kept; what act-rule.ts writes drops it from the notes. Never changes the disk.

import type { WishSeen } from '../decide/observation.ts'
import type { RuleSeen, RuleTimes, Sight } from '../decide/rule.ts'
import { layout } from '../disk/layout.ts'
import { readPlaces } from '../disk/places.ts'
import { readRecord } from '../disk/read.ts'
import type { Config } from '../words/config.ts'
import { type Destination, type RuleWanted, usualLifetimeDays } from '../words/destination.ts'
import type { Request } from '../words/request.ts'
import { type PlacesHead, type RuleRecord, readRuleRecord } from '../words/rule.ts'
import type { Daemon } from './daemon.ts'

export type RuleNotes = {
  /** NAME -> its rule.json; undefined = there is none */
  readonly records: Map<string, RuleRecord | undefined>
  /** NAME -> head of its places.jsonl */
  readonly places: Map<string, PlacesHead | undefined>
  readonly sights: Map<string, Sight>
  /** NAMEs that lie elsewhere, as the last pass saw them: nothing of them is kept in work */
  elsewhere: ReadonlySet<string>
}

export function emptyRuleNotes(): RuleNotes {
  return { records: new Map(), places: new Map(), sights: new Map(), elsewhere: new Set() }
}

/** What was read of NAME counts no longer. */
export function forgetRule(notes: RuleNotes, name: string): void {
  notes.records.delete(name)
  notes.places.delete(name)
}

/** @param fetched when its listing was fetched; asked for what lies elsewhere alone
 *  @returns its kind, and its rule where it has one or shall have one */
export async function ruleSeen(
  daemon: Daemon,
  notes: RuleNotes,
  { name, request }: { readonly name: string; readonly request: Request },
  config: Config,
  fetched: () => Promise<string | undefined>,
): Promise<{ readonly kind: WishSeen['kind']; readonly rule: RuleSeen | undefined }> {
  const record = await recordOf(daemon, notes, name)
  const to = destinationOf(request, record, config)
  const kind = kindOf(request, record, to)
  const wanted = kind === 'elsewhere' ? to : undefined
  if (wanted === undefined && record === undefined) return { kind, rule: undefined }
  const places = wanted === undefined ? undefined : await placesOf(daemon, notes, name)
  const placed =
    places !== undefined &&
    places.fetched === (await fetched()) &&
    places.rse === wanted?.rse &&
    places.mount === wanted.mount
  const times: RuleTimes = daemon.ruleTimes
  return { kind, rule: { wanted, record, placed, sight: notes.sights.get(name), times } }
}

function kindOf(
  request: Request,
  record: RuleRecord | undefined,
  to: RuleWanted | undefined,
): WishSeen['kind'] {
  if (request.remove) return 'remove'
  // What has come stays while it is paused, so a rule that is there is kept up; none is made.
  if (request.paused) return to !== undefined && record !== undefined ? 'elsewhere' : 'paused'
  if (to !== undefined) return 'elsewhere'
  return request.repair ? 'repair' : 'want'
}

/** The request's own word first; then the rule that there is, so that a config.json that is changed or lost moves nothing; then
 *  config.json. What is whole here and harmed is mended here. */
function destinationOf(
  request: Request,
  record: RuleRecord | undefined,
  config: Config,
): RuleWanted | undefined {
  if (request.destination === null) return undefined
  const usual = config.destination
  const filled = (own: Destination): RuleWanted => {
    const known = usual?.rse === own.rse ? usual : undefined
    const last = record?.rse === own.rse ? record : undefined
    return {
      rse: own.rse,
      mount: own.mount ?? known?.mount ?? last?.mount ?? null,
      lifetimeDays: own.lifetime_days ?? known?.lifetime_days ?? last?.lifetime_days ?? usualLifetimeDays,
    }
  }
  if (request.destination !== undefined) return filled(request.destination)
  if (record !== undefined) return filled({ rse: record.rse })
  return request.repair || usual === undefined ? undefined : filled(usual)
}

async function recordOf(daemon: Daemon, notes: RuleNotes, name: string): Promise<RuleRecord | undefined> {
  if (!notes.records.has(name))
    notes.records.set(name, await readRecord(daemon.root, layout.rule(daemon.root, name), readRuleRecord))
  return notes.records.get(name)
}

async function placesOf(daemon: Daemon, notes: RuleNotes, name: string): Promise<PlacesHead | undefined> {
  if (!notes.places.has(name)) notes.places.set(name, await readPlaces(daemon.root, name))
  return notes.places.get(name)
}
