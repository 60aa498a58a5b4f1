// The password of the private key: given at the start, in a file, or handed in later. Never writes it anywhere, never shows it.

import { createPrivateKey } from 'node:crypto'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { codeOf, Trouble } from '../words/reason.ts'
import { remove } from './proxy-place.ts'

export type PasswordOptions = {
  /** of GRID_PASSWORD or the prompt */
  readonly given?: string
  /** GRID_PASSWORD_FILE: read anew for each try */
  readonly path?: string
}

export type Passwords = {
  /** undefined = none is known. Trouble('auth') for a file that cannot be read. */
  current(): Promise<string | Trouble | undefined>
  /** Takes what `desktop-rucio password` has laid into `handedPath`, which goes at once. @returns true when there was one */
  takeHanded(): Promise<boolean>
  /** changes when the file does */
  signature(): Promise<string>
}

const mostBytes = 4096

/** @param handedPath beside the proxy, in the directory that is this user's alone
 *  @param hide told of each password before it is used, so that no log shows it */
export function openPasswords(
  options: PasswordOptions,
  handedPath: string,
  hide: (secret: string) => void,
): Passwords {
  let handed: string | undefined
  if (options.given !== undefined) hide(options.given)
  return {
    async current() {
      if (handed !== undefined) return handed
      if (options.path === undefined) return options.given
      const text = await readPassword(options.path)
      if (text instanceof Trouble) return options.given ?? text
      hide(text)
      return text
    },
    async takeHanded() {
      let text: string | Trouble
      try {
        await stat(handedPath)
        text = await readPassword(handedPath)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      }
      await remove(handedPath)
      if (text instanceof Trouble) return false
      hide(text)
      handed = text
      return true
    },
    async signature() {
      if (options.path === undefined) return ''
      try {
        const { mtimeMs, size, ino } = await stat(options.path)
        return `${mtimeMs} ${size} ${ino}`
      } catch (error) {
        return codeOf(error) ?? 'error'
      }
    },
  }
}

/** The first line of a file: what editors and Windows put behind it is no part of a password. */
export async function readPassword(path: string): Promise<string | Trouble> {
  try {
    const found = await stat(path)
    if (!found.isFile() || found.size > mostBytes)
      return new Trouble('auth', `${path} is no file with a password`)
    const [text = ''] = (await readFile(path, 'utf8')).replace(/^\ufeff/, '').split(/\r?\n/)
    return text === '' ? new Trouble('auth', `${path}, which should hold the password, is empty`) : text
  } catch (error) {
    const code = codeOf(error)
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`
    return new Trouble('auth', `the password file ${path} ${why}`, error)
  }
}

/** Lays a password where the daemon of this user takes it within a minute. The directory is nobody else's (proxy-place.ts).
 *  @param path passwordPathOf() of maker.ts */
export async function handPassword(path: string, text: string): Promise<void> {
  const staging = `${path}.new`
  await remove(staging)
  await writeFile(staging, `${text}\n`, { mode: 0o600, flag: 'wx' })
  await rename(staging, path)
}

/** Does it lie there still? @param giveUp then it is taken away again: nobody has come for it
 *  @throws Trouble('auth') when it was taken away */
export async function isHanded(path: string, giveUp: boolean): Promise<boolean> {
  try {
    await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
  if (!giveUp) return true
  await remove(path)
  throw new Trouble('auth', 'no daemon has taken the password: is it running, as this user?')
}

/** Has this key a password? false also for what is no key: the try to use it will say what is wrong. */
export async function isLocked(keyPath: string): Promise<boolean> {
  try {
    return isEncrypted(await readFile(keyPath, 'latin1'))
  } catch {
    // As above.
    return false
  }
}

/** Is this certainly not its password? What OpenSSL says of a key of old style may be its own limit, so only the one thing that is certain
 *  counts: whatever else is the matter, voms-proxy-init says it. */
export async function isWrong(keyPath: string, text: string): Promise<boolean> {
  try {
    createPrivateKey({ key: await readFile(keyPath, 'latin1'), format: 'pem', passphrase: text })
    return false
  } catch (error) {
    return /BAD_DECRYPT/.test(codeOf(error) ?? '')
  }
}

/** PKCS #8, and the PEM of before. */
export function isEncrypted(pem: string): boolean {
  return /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)
}
