// A change of some keys of a JSON file, a person's perhaps. Never loses a key that it does not know.

import { Trouble } from '../words/reason.ts'
import { asObject, parseJson } from '../words/text.ts'
import type { Root } from './layout.ts'
import { put } from './put.ts'
import { readUserText } from './read.ts'

/** Sets these keys and keeps all others; a key with undefined goes. An absent or empty file counts as `{}`.
 *  @throws Trouble `refused` when what lies there is no JSON object, or when it changed within this call: a person's
 *  text is never overwritten; as put() */
export async function amend(
  root: Root,
  target: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const before = await textOf(root, target)
  const parsed = before.trim() === '' ? { json: {} } : parseJson(before)
  const object = parsed instanceof Trouble ? undefined : asObject(parsed.json)
  if (object === undefined)
    throw parsed instanceof Trouble ? parsed : new Trouble('refused', 'the text is no JSON object')
  await put(root, target, { ...object, ...changes }, async () => {
    if ((await textOf(root, target)) !== before)
      throw new Trouble('refused', 'the file was changed at the same moment')
  })
}

async function textOf(root: Root, path: string): Promise<string> {
  const found = await readUserText(root, path)
  if (found instanceof Trouble) throw found
  return found?.text ?? ''
}
