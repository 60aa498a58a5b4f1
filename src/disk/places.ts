// places.jsonl: where each file of a listing lies below the mount of a site's storage. Never looks there (mount.ts does).

import { unlink } from 'node:fs/promises'
import { type PlaceLine, type PlacesHead, readPlaceLine, readPlacesHead } from '../words/rule.ts'
import { layout, type Root } from './layout.ts'
import { Output } from './output.ts'
import { move, stagingPath } from './put.ts'
import { setAside } from './read.ts'
import { jsonLines } from './stream.ts'

/** Head and lines. One whose lines are not as many as its head says is set aside and counts as absent.
 *  @param each left out: the head alone is read, and nothing is counted
 *  @throws Trouble when the disk does not give it */
export async function readPlaces(
  root: Root,
  name: string,
  each?: (line: PlaceLine) => void,
): Promise<PlacesHead | undefined> {
  const path = layout.places(root, name)
  let head: PlacesHead | undefined
  let length = 0
  for await (const json of jsonLines(root, path)) {
    if (head === undefined) {
      head = readPlacesHead(json)
      if (head === undefined || each === undefined) break
      continue
    }
    const line = readPlaceLine(json)
    if (line === undefined) continue
    length++
    each?.(line)
  }
  if (head === undefined || each === undefined || head.length === length) return head
  await setAside(root, path)
  return undefined
}

/** Lays places.jsonl down in one rename; bounded memory.
 *  @param lines as many as the head says, or what lies there stays */
export async function putPlaces(
  root: Root,
  name: string,
  head: PlacesHead,
  lines: AsyncIterable<PlaceLine>,
): Promise<void> {
  const path = await stagingPath(root)
  const out = await Output.open(path)
  try {
    await out.write(`${JSON.stringify(head)}\n`)
    for await (const line of lines) await out.write(`${JSON.stringify(line)}\n`)
    await out.finish()
    await move(root, path, layout.places(root, name))
  } catch (error) {
    await drop(path)
    throw error
  } finally {
    await out.close()
  }
}

async function drop(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // Gone already; and what is left in staging/ goes at the next start.
  }
}
