// What watch.ts needs to see of a file in watch/: its state, its text, and whether a name is free. Never writes, never follows a link.

import type { Root } from '../disk/layout.ts'
import { readUserText, type Stat, sameStat, statRegular } from '../disk/read.ts'
import { Trouble } from '../words/reason.ts'
import { mostBytes } from './watchfile.ts'

export type Text =
  | { readonly kind: 'text'; readonly text: string }
  /** cannot be taken, nor a comment be added */
  | { readonly kind: 'none'; readonly why: string }
  /** it went or changed just now: the next look sees */
  | { readonly kind: 'gone' }

/** undefined for what is absent, and for links, folders and special files, which are left alone. */
export async function regular(root: Root, path: string): Promise<Stat | undefined> {
  try {
    return await statRegular(root, path)
  } catch (error) {
    if (error instanceof Trouble && error.reason === 'refused') return undefined
    throw error
  }
}

/** The text of a file that was looked at just before. Other disk errors than a missing right are thrown. */
export async function readText(root: Root, path: string, stat: Stat): Promise<Text> {
  if (stat.size > mostBytes)
    return { kind: 'none', why: `it is over ${mostBytes} bytes: list fewer names in a file` }
  try {
    const read = await readUserText(root, path)
    if (read instanceof Trouble) return { kind: 'none', why: read.detail }
    return read !== undefined && sameStat(read.stat, stat)
      ? { kind: 'text', text: read.text }
      : { kind: 'gone' }
  } catch (error) {
    // One file that may not be read must not hinder the others.
    if (error instanceof Trouble && error.reason === 'read_only') return { kind: 'none', why: error.detail }
    throw error
  }
}

/** Whether an answer may have this name: nothing is there, or an answer that says the same, which then goes. */
export async function isFreeFor(root: Root, path: string, text: string | undefined): Promise<boolean> {
  try {
    const stat = await statRegular(root, path)
    if (stat === undefined) return true
    if (text === undefined || stat.size > mostBytes * 2) return false
    const there = await readUserText(root, path)
    return !(there instanceof Trouble) && there?.text === text
  } catch (error) {
    if (error instanceof Trouble && error.reason === 'refused') return false
    throw error
  }
}
