// Whether a proxy file is one that is wanted now: by what is in it, whoever made it and whatever he said. Never changes it.

import type { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { codeOf, Trouble } from '../words/reason.ts'
import { lacking, printWish, type VomsWish } from '../words/voms.ts'
import { toIso } from '../words/world.ts'
import { nameOf, type Pair, readPair } from './certificate.ts'

export type Verdict =
  | { readonly kind: 'good'; readonly pair: Pair }
  | { readonly kind: 'same' }
  | { readonly kind: 'bad'; readonly message: string; readonly absent: boolean }

/** Whole, of this user, with what was asked for, and lasting. */
export async function judge(
  path: string,
  voms: readonly VomsWish[],
  user: X509Certificate,
  { held, now }: { readonly held: Pair | undefined; readonly now: number },
): Promise<Verdict> {
  const text = await smallText(path, 'proxy')
  if (text instanceof Trouble) return { kind: 'bad', message: text.detail, absent: true }
  const pair = readPair(text, text, 'the new proxy')
  const bad = (message: string): Verdict => ({ kind: 'bad', message, absent: false })
  if (pair instanceof Trouble) return bad(pair.detail)
  const why = misfit(pair, voms, user, now)
  if (why !== undefined) return bad(why)
  return held !== undefined && endOf(pair) <= endOf(held) ? { kind: 'same' } : { kind: 'good', pair }
}

/** Why a proxy is not the one that is wanted now; undefined when it is. */
export function misfit(
  pair: Pair,
  voms: readonly VomsWish[],
  user: X509Certificate,
  now: number,
): string | undefined {
  if (!pair.isProxy) return 'what voms-proxy-init wrote is no proxy'
  if (pair.identity !== nameOf(user) || pair.certificateEnd !== Date.parse(user.validTo))
    return `the proxy is that of ${pair.identity}, and not made with the certificate that lies there now`
  const lacks = lacking(voms, pair.voms)
  if (lacks !== undefined) return `the proxy lacks ${printWish(lacks)}`
  if (endOf(pair) <= now) return `the proxy ended ${toIso(endOf(pair))}`
  const from = Math.max(pair.from, pair.voms?.from ?? 0)
  // Seconds of difference are usual, and pass.
  if (from > now + 5000)
    return `what the VOMS server signed counts from ${toIso(from)}, and here it is ${toIso(now)}: the clock of this machine is behind, set it right`
  return undefined
}

/** The first end of all that a proxy is made of, ms since 1970. */
export function endOf(pair: Pair): number {
  return Math.min(pair.end, pair.voms?.end ?? pair.end)
}

/** A file that should be small. A FIFO or a device would keep us waiting for ever. */
export async function smallText(path: string, what: string): Promise<string | Trouble> {
  try {
    const found = await stat(path)
    if (!found.isFile() || found.size > 2 ** 20) return new Trouble('auth', `${path} is no ${what} file`)
    return await readFile(path, 'latin1')
  } catch (error) {
    const code = codeOf(error)
    const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`
    return new Trouble('auth', `the ${what} ${path} ${why}`, error)
  }
}
