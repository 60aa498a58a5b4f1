// watch/: a file that is dropped there asks for datasets, and its suffix becomes the answer. Needs no file events: a look is a
// plain readdir, and somebody calls it. Never touches links, folders, special files, and never loses a person's text.

import { join } from 'node:path'
import { layout, type Root } from '../disk/layout.ts'
import { say } from '../disk/logs.ts'
import { Fenced, move, putText, remove } from '../disk/put.ts'
import { names, type Stat, sameStat, statRegular } from '../disk/read.ts'
import { type Did, printDid } from '../words/did.ts'
import { nameOf } from '../words/names.ts'
import { sentence, Trouble, toTrouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'
import type { Accept } from './accept.ts'
import { isFreeFor, readText, regular, type Text } from './watchdisk.ts'
import {
  type Answer,
  answerName,
  type Refusal,
  readWatchName,
  readWatchText,
  stemOf,
  withDid,
  withoutRefusals,
  withRefusals,
  worst,
} from './watchfile.ts'
import { keepWords } from './words.ts'

/** One look at watch/ (DESIGN.md, "The watch folder"): takes what has settled (two looks 2 s apart agree), writes the answers, brings
 *  old answers up to date. Called by the loop; keeps what the last look saw in memory only.
 *  @returns ms until it wants to be called again because something has not settled or has no room; undefined when nothing waits */
export type WatchFolder = { look(): Promise<number | undefined> }

/** Two looks this far apart must agree in size and mtime before a file counts: editors truncate, and rename away. */
const settleMs = 2000
/** What had no room in the queue or on the disk is tried again after this time. */
const fullMs = 30_000
/** Answers are brought up to date again after this many times as long as it took, when there are so many that it takes long. */
const restTimes = 20

/** Answers are looked at in every scan, but a proof of each would keep an idle daemon busy: what is local and has not changed a name is
 *  proved again after so long. The audit finds in-place harm no sooner. */
const localMs = 600_000

/** Why a file that can take no comment was refused lies beside it, and goes with it. */
const orphan = '.refused.problem'

/** An answer: its state, and the DIDs that were asked for because of it. */
type Known = { readonly stat: Stat; readonly dids: readonly Did[] }

/** What the disk does not allow now is told in the log, once, and tried again; one file hinders no other.
 *  @throws Fenced, and what is a fault of ours */
export function openWatchFolder(root: Root, world: World, accept: Accept): WatchFolder {
  const words = keepWords(root, world, localMs)
  /** files that have not settled: their state, and since when it is so */
  const seen = new Map<string, { readonly stat: Stat; readonly at: number }>()
  /** answers as this process last knew them */
  const known = new Map<string, Known>()
  let answersAt = Number.NEGATIVE_INFINITY
  const pathOf = (file: string): string => join(layout.watch(root), file)

  /** @returns 0 when settled, else ms until it may have */
  const unsettledMs = (file: string, stat: Stat): number => {
    const now = world.now()
    const last = seen.get(file)
    if (last !== undefined && sameStat(last.stat, stat) && last.at <= now) {
      if (now - last.at >= settleMs) return 0
      return last.at + settleMs - now
    }
    seen.set(file, { stat, at: now })
    return settleMs
  }

  /** Takes the wishes of a settled file, save those that it had as an answer already (they may have been removed since); then gives
   *  it its answer's name. */
  const take = async (file: string, base: string, stat: Stat): Promise<number | undefined> => {
    const read = await readText(root, pathOf(file), stat)
    if (read.kind === 'gone') return settleMs
    const text = read.kind === 'text' ? withoutRefusals(read.text) : ''
    const { dids, bad, byName } =
      read.kind === 'text'
        ? readWatchText(base, text)
        : { dids: [], bad: [{ what: file, message: read.why }], byName: false }
    const refused: Refusal[] = [...bad]
    const given: Answer[] = []
    const had = new Set(known.get(file)?.dids.map(printDid))
    const taken: Did[] = []
    for (const did of dids) {
      if (had.has(printDid(did))) {
        given.push((await words.get(nameOf(did))).word)
        taken.push(did)
        continue
      }
      const answer = await accept.want(did)
      words.drop(nameOf(did))
      if (answer.kind === 'queue_full') return fullMs
      if (answer.kind === 'answer') {
        given.push(answer.word)
        taken.push(did)
      } else refused.push({ what: printDid(did), message: `${answer.by} has this name already` })
    }
    const answer = refused.length > 0 ? 'refused' : worst(given)
    await place({ file, base, answer, stat, dids: taken, only: dids[0], read, text, refused, byName })
    seen.delete(file)
    return undefined
  }

  /** Renames a file to its answer. What came into it meanwhile makes its state another one, and is taken by a later look. */
  const place = async (what: {
    readonly file: string
    readonly base: string
    readonly answer: Answer
    readonly stat: Stat
    readonly dids: readonly Did[]
    /** what the file's name says, when it is that which counts */
    readonly only: Did | undefined
    readonly read: Exclude<Text, { readonly kind: 'gone' }>
    /** as its user wrote it */
    readonly text: string
    readonly refused: readonly Refusal[]
    readonly byName: boolean
  }): Promise<void> => {
    const { file, base, answer, stat, dids, only, read, refused } = what
    const stem = stemOf(base)
    for (let nth = 1; nth < 100; nth++) {
      const target = answerName(stem, nth, answer)
      const told = !what.byName || only === undefined || (nth === 1 && stem === base)
      let text = told ? what.text : withDid(what.text, only)
      if (refused.length > 0 && read.kind === 'text') text = withRefusals(text, refused)
      const rewrites = read.kind === 'text' && text !== read.text
      // The answer's own name is free for it; under another's, the older goes if it says the same.
      if (
        target !== file &&
        !(await isFreeFor(root, pathOf(target), read.kind === 'text' ? text : undefined))
      )
        continue
      const now = await statRegular(root, pathOf(file))
      if (now === undefined || !sameStat(now, stat)) return
      if (rewrites) {
        await putText(root, pathOf(target), text)
        // A person may have written within this instant: then the old file stays, and is a wish of its own.
        const last = target === file ? undefined : await statRegular(root, pathOf(file))
        if (last !== undefined && sameStat(last, stat)) await remove(root, pathOf(file))
        const made = await statRegular(root, pathOf(target))
        if (made !== undefined) known.set(target, { stat: made, dids })
      } else {
        if (target !== file) await move(root, pathOf(file), pathOf(target))
        known.set(target, { stat, dids })
      }
      if (target !== file) known.delete(file)
      if (read.kind === 'none')
        await putText(root, pathOf(`${target}.problem`), `${refused.map(each => each.message).join('\n')}\n`)
      return
    }
    throw new Trouble('disk_error', `watch/ has a hundred answers ${stem}: take some of them away`)
  }

  const lookAtAnswer = async (file: string, base: string, answer: Answer, stat: Stat) => {
    const last = known.get(file)
    if (last !== undefined && !sameStat(last.stat, stat)) {
      // Somebody has written into it since: what is new is a wish, once it has settled.
      const wait = unsettledMs(file, stat)
      return wait > 0 ? wait : await take(file, base, stat)
    }
    const read = last === undefined ? await readText(root, pathOf(file), stat) : undefined
    if (read?.kind === 'gone') return settleMs
    const dids = last?.dids ?? (read?.kind === 'text' ? readWatchText(base, read.text).dids : [])
    known.set(file, { stat, dids })
    if (answer === 'refused' || dids.length === 0) return undefined
    const given: Answer[] = []
    for (const did of dids) given.push((await words.get(nameOf(did))).word)
    const next = worst(given)
    if (next === answer) return undefined
    const now = read ?? (await readText(root, pathOf(file), stat))
    if (now.kind !== 'text') return undefined
    const { byName } = readWatchText(base, now.text)
    await place({
      file,
      base,
      answer: next,
      stat,
      dids,
      only: dids[0],
      read: now,
      text: now.text,
      refused: [],
      byName,
    })
    return undefined
  }

  const lookAtOne = async (file: string, withAnswers: boolean): Promise<number | undefined> => {
    const kind = readWatchName(file)
    if (kind.kind === 'ignored') return undefined
    if (kind.kind === 'answer' && !withAnswers) return undefined
    const stat = await regular(root, pathOf(file))
    if (stat === undefined) return undefined
    if (kind.kind === 'answer') return await lookAtAnswer(file, kind.base, kind.answer, stat)
    const wait = unsettledMs(file, stat)
    return wait > 0 ? wait : await take(file, kind.base, stat)
  }

  /** what the log was told already */
  let told = ''
  const lookAtAll = async (files: readonly string[]): Promise<number | undefined> => {
    const from = world.now()
    const withAnswers = from >= answersAt || answersAt - from > fullMs
    const waits = withAnswers ? [] : [answersAt - from]
    const failed: string[] = []
    for (const file of files) {
      try {
        waits.push((await lookAtOne(file, withAnswers)) ?? Number.POSITIVE_INFINITY)
      } catch (error) {
        failed.push(`watch/${file}: ${reasonToWait(error)}`)
        waits.push(fullMs)
      }
    }
    if (withAnswers) answersAt = world.now() + Math.min(fullMs, restTimes * (world.now() - from))
    const [first = ''] = failed
    if (first !== '' && first !== told) say(root, `${first}; it is tried again`)
    told = first
    await forgetAbsent(new Set(files))
    const wait = Math.min(...waits)
    return Number.isFinite(wait) ? wait : undefined
  }

  const forgetAbsent = async (there: ReadonlySet<string>): Promise<void> => {
    for (const file of there)
      if (file.endsWith(orphan) && !there.has(file.slice(0, -'.problem'.length)))
        await remove(root, pathOf(file))
    for (const file of seen.keys()) if (!there.has(file)) seen.delete(file)
    for (const file of known.keys())
      if (!there.has(file) && (await regular(root, pathOf(file))) === undefined) known.delete(file)
  }

  return {
    async look() {
      try {
        return await lookAtAll((await names(layout.watch(root))).sort())
      } catch (error) {
        const reason = `watch/: ${reasonToWait(error)}`
        if (reason !== told) say(root, `${reason}; it is tried again`)
        told = reason
        return fullMs
      }
    },
  }
}

/** A disk that is full, read-only or broken for now is a reason to wait; whatever else was thrown is thrown again. */
function reasonToWait(error: unknown): string {
  const trouble = error instanceof Fenced ? undefined : toTrouble(error)
  if (trouble === undefined || trouble.reason === 'bug') throw error
  return sentence(trouble.reason, trouble.detail)
}
