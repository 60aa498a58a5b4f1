// What of a dataset's records would look different after a change: a text to compare. Never reads a file's content.

import { lstat } from 'node:fs/promises'
import { codeOf } from '../words/reason.ts'
import { layout, type Root } from './layout.ts'
import { toDisk } from './way.ts'

/** Equal stamps: nobody has added, removed, replaced or appended to anything that the word of /ds depends on, save bytes changed
 *  in place within a file of the dataset, which no stamp of a few calls can see.
 *  @param name NAME
 *  @throws Trouble when the disk does not answer */
export async function stampOf(root: Root, name: string): Promise<string> {
  const paths = [
    layout.dataset(root, name),
    layout.records(root, name),
    // A line that is appended here leaves the times of the directories as they are.
    layout.verified(root, name),
    layout.request(root, name),
    layout.answer(root, name),
  ]
  return (await Promise.all(paths.map(stampOfOne))).join(' ')
}

async function stampOfOne(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await lstat(path)
    return `${ino},${size},${mtimeMs},${ctimeMs}`
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return '-'
    // The look itself will say what is wrong with this one.
    if (code === 'EACCES' || code === 'EPERM') return code
    throw toDisk(error)
  }
}
