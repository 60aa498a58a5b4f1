// Does this file system tell of files that are written? Looked at with one file in our own staging folder, which goes again.

import { watch } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { layout, type Root } from './layout.ts'
import { stage } from './put.ts'

/** Writes a file and waits for the event of it.
 *  @param ms how long an event may take
 *  @throws Trouble when nothing can be written; the error of the watch where there are none to be had (ENOSPC: no watches left) */
export async function hearsEvents(root: Root, ms: number): Promise<boolean> {
  // The first makes the folder, which is to be there before it is watched.
  await unlink(await stage(root, 'Is this heard of?\n'))
  let heard: (is: boolean) => void = () => {}
  const event = new Promise<boolean>(resolve => {
    heard = resolve
  })
  const watcher = watch(layout.staging(root), { persistent: false }, () => heard(true))
  watcher.on('error', () => heard(false))
  const timer = setTimeout(() => heard(false), ms)
  try {
    await unlink(await stage(root, 'And this?\n'))
    return await event
  } finally {
    clearTimeout(timer)
    watcher.close()
  }
}
