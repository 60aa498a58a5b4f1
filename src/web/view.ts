// One dataset as its records show it: state, counts, and each unfinished file. Reads the disk; never writes, never asks Rucio.

import { type Afar, proveAfar } from '../disk/elsewhere.ts'
import { layout, type Root } from '../disk/layout.ts'
import { readListing } from '../disk/lines.ts'
import { readRecord, readUserText } from '../disk/read.ts'
import { stampOf } from '../disk/stamp.ts'
import { inTrash } from '../disk/trash.ts'
import { didHere, isRequestKept } from '../disk/word.ts'
import { type Kept, keep } from '../wishes/kept.ts'
import { readWish, type Wish } from '../wishes/wish.ts'
import type { Said } from '../wishes/words.ts'
import { printDid } from '../words/did.ts'
import { didOfName } from '../words/names.ts'
import { clean, isOfOne, Trouble } from '../words/reason.ts'
import { type RuleRecord, readRuleRecord } from '../words/rule.ts'
import type { World } from '../words/world.ts'
import {
  type Counts,
  countFiles,
  mostUnfinished,
  nothingCounted,
  openMembers,
  type Unfinished,
} from './counts.ts'

export type State =
  /** a request, and its turn or a try has not come */
  | 'waiting'
  /** Rucio has not yet said what it holds */
  | 'listing'
  /** bytes of it are coming now */
  | 'downloading'
  /** Rucio moves it to its destination */
  | 'replicating'
  | 'paused'
  /** its request cannot be read; what is wrong stands beside it */
  | 'broken'
  | 'removing'
  | 'does_not_exist'
  | 'whole'
  /** it was whole once, and files have gone or changed since */
  | 'harmed'
  /** files of it are here, and nobody asks for the rest */
  | 'stopped'

export type View = {
  readonly name: string
  /** null where the NAME was cut and no record tells it */
  readonly did: string | null
  /** `waiting` where bytes may be coming: the table of progress tells */
  readonly state: State
  readonly priority: number
  /** of a dataset with a destination */
  readonly rule: RuleRecord | null
  /** why the request cannot be taken */
  readonly problem: string | null
} & Counts

/** Unfinished files that may lie in memory. */
const mostFiles = 200_000

export function keepViews(root: Root, world: World, words: Kept<Said>): Kept<View> {
  return keep<View>({
    look: async name => {
      try {
        return await viewOf(root, name, await words.get(name), world.now())
      } catch (error) {
        if (error instanceof Trouble && isOfOne(error)) return refused(name, error)
        throw error
      }
    },
    stamp: name => stampOf(root, name),
    world,
    weight: view => view.unfinished.length + view.members.length + 10,
    most: mostFiles,
  })
}

/** A link or file where a folder of ours should be, or no right to look: that one is broken, the others are shown all the same. */
function refused(name: string, trouble: Trouble): View {
  const did = didOfName(name)
  return {
    name,
    did: did instanceof Trouble ? null : printDid(did),
    state: 'broken',
    ...nothingCounted,
    priority: 0,
    rule: null,
    problem: clean(trouble.detail),
  }
}

async function viewOf(root: Root, name: string, said: Said, now: number): Promise<View> {
  const wish = await readWish(root, layout.request(root, name))
  const did = (await didHere(root, name)) ?? didOfName(name)
  const common = {
    name,
    did: did instanceof Trouble ? null : printDid(did),
    priority: wish.kind === 'good' ? wish.request.priority : 0,
    problem: await problemOf(root, name, wish),
  }
  if (said.word === 'local') {
    const rule = (await readRecord(root, layout.rule(root, name), readRuleRecord)) ?? null
    return { ...common, rule, ...(await wholeCounts(root, name)) }
  }
  const afar = await proveAfar(root, name, wish.kind === 'good' ? wish.request : undefined, now)
  const counts = afar.kind === 'harmed' ? await countedAfar(root, name, afar) : await countFiles(root, name)
  const rule = afar.kind === 'none' ? null : afar.record
  const state = await stateOf(root, name, said, wish, {
    isListed: counts.files.total !== null,
    isMoving: rule?.state === 'REPLICATING' || rule?.state === 'INJECT',
  })
  return { ...common, rule, ...counts, state }
}

/** What is seen under the mount counts as done; the rest is not here, whatever Rucio says. */
async function countedAfar(
  root: Root,
  name: string,
  { head, missing }: Extract<Afar, { kind: 'harmed' }>,
): Promise<Counts> {
  const unfinished: Unfinished[] = []
  const members = openMembers()
  let missed = 0
  await readListing(root, layout.listing(root, name), line => {
    members.add(line, !missing.has(line.path))
    if (!missing.has(line.path)) return
    if (unfinished.length < mostUnfinished) unfinished.push({ line, sidecar: undefined })
    missed += line.bytes
  })
  return {
    files: { total: head.length, done: head.length - missing.size },
    bytes: { total: head.bytes, synced: head.bytes - missed },
    unfinished,
    members: members.all(),
  }
}

async function wholeCounts(root: Root, name: string): Promise<Counts & { readonly state: State }> {
  const members = openMembers()
  const path = layout.listing(root, name)
  const head = await readListing(root, path)
  // Only a container has members, so of a dataset the head is enough.
  if (head?.type === 'CONTAINER') await readListing(root, path, line => members.add(line, true))
  const { length, bytes } = head === undefined || head.type === 'NONE' ? { length: 0, bytes: 0 } : head
  return {
    state: 'whole',
    files: { total: length, done: length },
    bytes: { total: bytes, synced: bytes },
    unfinished: [],
    members: members.all(),
  }
}

async function stateOf(
  root: Root,
  name: string,
  said: Said,
  wish: Wish,
  { isListed, isMoving }: { readonly isListed: boolean; readonly isMoving: boolean },
): Promise<State> {
  if (wish.kind === 'good' && wish.request.remove) return 'removing'
  if ((await inTrash(root)).includes(name)) return 'removing'
  if (wish.kind === 'broken') return 'broken'
  if (said.word === 'does_not_exist') return 'does_not_exist'
  if (wish.kind === 'good') {
    if (wish.request.paused) return 'paused'
    return isMoving ? 'replicating' : isListed ? 'waiting' : 'listing'
  }
  return (await isRequestKept(root, name)) ? 'harmed' : 'stopped'
}

async function problemOf(root: Root, name: string, wish: Wish): Promise<string | null> {
  const beside = await readUserText(root, layout.problem(root, `${name}.json`))
  if (beside !== undefined && !(beside instanceof Trouble)) return clean(beside.text.trim())
  return wish.kind === 'broken' ? clean(wish.trouble.detail) : null
}
