// A token of Rucio that lies in a file: the user's own, or one that a login in a browser gave. Never in the data directory; others never
// may read what is written here.

import { randomBytes } from 'node:crypto'
import { constants, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, Trouble } from '../words/reason.ts'

const mostBytes = 16_384

/** @returns undefined when there is no such file. Throws Trouble('auth') for one that cannot be read or holds no token */
export async function readTokenFile(path: string): Promise<string | undefined> {
  let text: string
  try {
    // A FIFO would keep us waiting for ever.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const found = await file.stat()
      if (!found.isFile() || found.size > mostBytes + 2)
        throw new Trouble('auth', `${path} holds no token of Rucio`)
      text = (await file.readFile('latin1')).replace(/\r?\n$/, '')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Trouble) throw error
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Trouble('auth', `the token file ${path} cannot be read (${codeOf(error)})`, error)
  }
  if (!isToken(text)) throw new Trouble('auth', `${path} holds no token of Rucio`)
  return text
}

/** Fit for a header of latin-1, as the official client sends it. */
export function isToken(text: string): boolean {
  return text.length <= mostBytes && /^[\x20-\x7e\xa0-\xff]+$/.test(text)
}

/** Replaced whole, mode 0600, in a folder of mode 0700 where that has to be made.
 *  Throws Trouble('disk_error') when it cannot be kept. */
export async function writeTokenFile(path: string, token: string): Promise<void> {
  const staged = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const file = await open(staged, 'wx', 0o600)
    try {
      await file.writeFile(token, 'latin1')
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(staged, path)
  } catch (error) {
    // It may never have been made; what is said below is the first cause.
    await unlink(staged).catch(() => {})
    throw new Trouble('disk_error', `the token of Rucio cannot be kept in ${path} (${codeOf(error)})`, error)
  }
}
