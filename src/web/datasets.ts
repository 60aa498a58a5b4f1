// GET /datasets and GET /datasets/NAME: what comes, how fast, and why not. Reads records and the table of progress; never acts.

import { knownNames } from '../disk/word.ts'
import { parseDid } from '../words/did.ts'
import { isComponent, nameOf } from '../words/names.ts'
import type { FileProgress } from '../words/progress.ts'
import { Trouble } from '../words/reason.ts'
import type { RuleRecord } from '../words/rule.ts'
import { type Answer, listed } from './answer.ts'
import type { Call } from './calls.ts'
import { type Member, syncedBytes, type Unfinished } from './counts.ts'
import type { Desk } from './desk.ts'
import type { Brief } from './overview.ts'
import { Problem } from './problem.ts'
import type { View } from './view.ts'

export async function getDatasets(_: Call, desk: Desk): Promise<Answer> {
  const all = await desk.overview.get()
  // What comes now has files whose bytes lie in parts: these count, so it is looked at closely.
  const coming = all.map(each => each.name).filter(name => (desk.site.progress.get(name)?.size ?? 0) > 0)
  const views = await Promise.all(coming.map(name => desk.within(desk.views.get(name))))
  const closely = new Map(views.map(view => [view.name, view]))
  return { status: 200, body: { pieces: listed('{"datasets":[', summaries(all, closely, desk), ']}') } }
}

function* summaries(
  all: readonly Brief[],
  closely: ReadonlyMap<string, View>,
  desk: Desk,
): Generator<object> {
  for (const brief of all)
    yield summary(closely.get(brief.name) ?? { ...brief, unfinished: [], members: [] }, desk)
}

export async function getDataset(call: Call, desk: Desk): Promise<Answer> {
  const known = await desk.within(knownNames(desk.site.root))
  const name = nameIn(call.rest, known)
  if (name === undefined)
    throw new Problem(404, 'not_found', 'Nobody has asked for this dataset here; POST /ds?ds_name=… does.')
  const view = await desk.within(desk.views.get(name))
  const { total, done } = view.files
  const more = {
    ...summary(view, desk),
    unfinished_more: Math.max(0, (total ?? 0) - done - view.unfinished.length),
  }
  const head = JSON.stringify(more).slice(0, -1)
  const files = unfinishedFiles(view, desk.site.progress.get(name))
  return { status: 200, body: { pieces: both(head, files, view.members) } }
}

async function* both(
  head: string,
  files: Iterable<object>,
  members: readonly Member[],
): AsyncGenerator<string> {
  yield* listed(`${head},"unfinished":[`, files, ']')
  yield* listed(',"datasets":[', members, ']}')
}

/** NAME as answers and folders have it, or a DID. */
function nameIn(rest: string, known: ReadonlySet<string>): string | undefined {
  if (isComponent(rest) && known.has(rest)) return rest
  const did = parseDid(rest)
  const name = did instanceof Trouble ? undefined : nameOf(did)
  return name !== undefined && known.has(name) ? name : undefined
}

function summary(view: View, desk: Desk): object {
  const progress = desk.site.progress.get(view.name)
  const soFar = view.bytes.synced + unsynced(view, progress)
  const rate = rateOf(progress)
  const left = view.bytes.total === null ? null : view.bytes.total - soFar
  const waiting = desk.site.waiting(view.name)
  const isComing = view.state === 'waiting' && progress !== undefined && progress.size > 0
  return {
    name: view.name,
    did: view.did,
    state: isComing ? 'downloading' : view.state,
    files: view.files,
    bytes: { total: view.bytes.total, so_far: soFar },
    rate,
    eta_seconds: left === null || rate === null || rate <= 0 ? null : Math.ceil(Math.max(0, left) / rate),
    priority: view.priority,
    rule: view.rule === null ? null : ruleShown(view.rule),
    reason: view.problem === null ? (waiting?.reason ?? null) : 'refused',
    message: view.problem ?? waiting?.message ?? null,
  }
}

/** What a person, or a site, needs to know of a rule. */
function ruleShown(rule: RuleRecord): object {
  const { id, rse, mount, account, ours, state, locks, error } = rule
  const { expires_at, renewal_refused_at, looked_at } = rule
  return { id, rse, mount, account, ours, state, locks, error, expires_at, renewal_refused_at, looked_at }
}

/** Bytes that lie in parts and that no sidecar counts yet. */
function unsynced(view: View, progress: ReadonlyMap<string, FileProgress> | undefined): number {
  if (progress === undefined || progress.size === 0) return 0
  let sum = 0
  for (const { line, sidecar } of view.unfinished) {
    const now = progress.get(line.path)
    if (now !== undefined) sum += Math.min(now.bytes, line.bytes) - syncedBytes(sidecar)
  }
  return sum
}

/** Bytes a second of all files that are coming; null when nothing is, or none is known yet. */
function rateOf(progress: ReadonlyMap<string, FileProgress> | undefined): number | null {
  const rates = [...(progress?.values() ?? [])].flatMap(each => (each.rate === null ? [] : [each.rate]))
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0)
}

function* unfinishedFiles(
  view: View,
  progress: ReadonlyMap<string, FileProgress> | undefined,
): Generator<object> {
  for (const each of view.unfinished) yield unfinishedFile(each, progress?.get(each.line.path))
}

function unfinishedFile({ line, sidecar }: Unfinished, now: FileProgress | undefined): object {
  const source =
    now?.rse != null && now.host !== null ? { rse: now.rse, host: now.host } : (sidecar?.source ?? null)
  return {
    path: line.path,
    did: line.did,
    bytes: line.bytes,
    so_far: now === undefined ? syncedBytes(sidecar) : Math.min(now.bytes, line.bytes),
    rate: now?.rate ?? null,
    reason: sidecar?.error?.reason ?? null,
    message: sidecar?.error?.message ?? null,
    tries: sidecar?.tries ?? 0,
    next_try: sidecar?.next_try ?? null,
    source,
  }
}
