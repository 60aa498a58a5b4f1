// Keeps status/rules_left.json: what a removal could not take back at Rucio, until it has ended or is ours again. Never asks Rucio.

import { layout, type Root } from '../disk/layout.ts'
import { put } from '../disk/put.ts'
import { readRecord } from '../disk/read.ts'
import { mostRulesLeft, type RuleLeft, readRulesLeft, rulesLeftNow } from '../words/rulesLeft.ts'

/** Several datasets are removed at a time, and the record is one. */
const turns = new WeakMap<Root, Promise<unknown>>()

/** On disk when it resolves. The oldest go where there are too many. @param now ms since 1970 */
export async function noteRuleLeft(root: Root, left: RuleLeft, now: number): Promise<void> {
  await change(root, now, all => [...all.filter(each => each.id !== left.id), left].slice(-mostRulesLeft))
}

/** It is wanted again, and kept up from now on. */
export async function forgetRuleLeft(root: Root, id: string, now: number): Promise<void> {
  await change(root, now, all => all.filter(each => each.id !== id))
}

async function change(
  root: Root,
  now: number,
  to: (all: readonly RuleLeft[]) => readonly RuleLeft[],
): Promise<void> {
  const before = turns.get(root) ?? Promise.resolve()
  const turn = before.then(async () => {
    const path = layout.status(root, 'rules_left')
    const all = (await readRecord(root, path, readRulesLeft))?.rules ?? []
    const after = to(rulesLeftNow(all, now))
    if (JSON.stringify(after) !== JSON.stringify(all)) await put(root, path, { format: 1, rules: after })
  })
  turns.set(
    root,
    turn.catch(() => {}), // whoever asked hears of it; the next one begins anew
  )
  await turn
}
