// requests/NAME.json as a wish that may be changed: what it says, and every key that its user gave it.
// Never overwrites a text that changed since it was read.

import { layout, type Root } from '../disk/layout.ts'
import { move, put } from '../disk/put.ts'
import { freePath, readUserText, stamp } from '../disk/read.ts'
import { Trouble } from '../words/reason.ts'
import { parseRequest, type Request } from '../words/request.ts'
import { asObject, parseJson } from '../words/text.ts'

export type Wish =
  | { readonly kind: 'absent' }
  /** a person's text that says no request, or something there that is no regular file */
  | { readonly kind: 'broken'; readonly trouble: Trouble }
  | { readonly kind: 'good'; readonly request: Request; readonly keys: Keys; readonly text: string }

/** Every key of the text, those that we do not know included. */
export type Keys = Readonly<Record<string, unknown>>

/** Reads a request where it lies: in requests/ or kept in a dataset's folder. Disk errors are thrown. */
export async function readWish(root: Root, path: string): Promise<Wish> {
  const read = await readText(root, path)
  if (read === undefined) return { kind: 'absent' }
  if (read instanceof Trouble) return { kind: 'broken', trouble: read }
  const request = parseRequest(read.text)
  if (request instanceof Trouble) return { kind: 'broken', trouble: request }
  const parsed = parseJson(read.text)
  const keys = parsed instanceof Trouble ? {} : (asObject(parsed.json) ?? {})
  return { kind: 'good', request, keys, text: read.text }
}

async function readText(root: Root, path: string): Promise<{ readonly text: string } | Trouble | undefined> {
  try {
    return await readUserText(root, path)
  } catch (error) {
    // A link or a directory under this name is somebody's doing, and like a broken text: not ours to replace.
    if (error instanceof Trouble && error.reason === 'refused') return error
    throw error
  }
}

/** Replaces a good wish by other keys, if its text is still the one that was read; the look comes after the new text is synced and
 *  immediately before the rename, so that an editor can lose within that instant only.
 *  @returns false when the text has changed: read it again */
export async function rewrite(root: Root, name: string, text: string, keys: Keys): Promise<boolean> {
  const path = layout.request(root, name)
  let changed = false
  try {
    await put(root, path, keys, async () => {
      const now = await readText(root, path)
      changed = now === undefined || now instanceof Trouble || now.text !== text
      if (changed) throw new Trouble('refused', 'the request has just been changed')
    })
  } catch (error) {
    if (!changed) throw error
  }
  return !changed
}

/** Puts a broken request aside, under a name that no longer asks for anything: its text is kept to the letter.
 *  @param at ms since 1970 */
export async function putAside(root: Root, name: string, at: number): Promise<void> {
  const path = layout.request(root, name)
  await move(root, path, await freePath(root, `${path}.bad-${stamp(at)}`))
}
