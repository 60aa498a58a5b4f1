// What xrdcp is given: its settings, and what this user shows to storages. A token goes by a file that only this user can read. Never
// lets xrdcp ask anybody for a password.

import { randomUUID } from 'node:crypto'
import { access, constants, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Env } from '../words/env.ts'
import { codeOf, Trouble } from '../words/reason.ts'
import type { Limits } from './limits.ts'

export type Shown = {
  /** a VOMS or plain proxy. A certificate and key without one are of no use to xrdcp 5.5.3 (xrdcp-says.ts) */
  readonly proxyPath?: string
  /** directory of the authorities */
  readonly caDir?: string
}

// A site's own tuning, and where its libraries lie. What xrdcp logs is not among them: it would write whole addresses.
const kept = /^(HOME|TZ|LD_LIBRARY_PATH|XRD_(?!LOG)[A-Z0-9_]+|XrdSecPROTOCOL|XrdSecGSI[A-Z]+)$/
// Its GSI is told by these names what there is not, or it looks into the user's home and asks for the key's password. X509_USER_… would do
// as well, but its TLS takes a name that leads nowhere for a mistake and makes no connection at all.
const nothing = '/nonexistent/desktop-rucio'

/** What can be shown now: a proxy that is still to be made would keep xrdcp from every server that speaks TLS. */
export async function shownNow(shown: Shown): Promise<Shown> {
  const { proxyPath, ...rest } = shown
  if (proxyPath === undefined) return rest
  try {
    await access(proxyPath, constants.R_OK)
    return shown
  } catch {
    // Whatever keeps us from reading it keeps xrdcp as well; the credential says what is the matter with it.
    return rest
  }
}

/** @param tokenPath of handOver(). With one xrdcp goes nowhere but to the host of its address */
export function envOfXrdcp(
  env: Env,
  shown: Shown,
  limits: Limits,
  tokenPath: string | undefined,
): Record<string, string> {
  const passed = Object.entries(env).flatMap(([key, value]) =>
    value === undefined || value === '' || !kept.test(key) ? [] : [[key, value] as const],
  )
  const { proxyPath, caDir } = shown
  const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)))
  return {
    // 16 MiB on the line, as pieces that are small enough for a slow one: a piece is written when all of it has come, and 30 s without
    // one count as a stall. As quick as its own 4 of 8 MiB, in half the memory (measured on loopback).
    XRD_CPCHUNKSIZE: String(256 * 1024),
    XRD_CPPARALLELCHUNKS: '64',
    ...Object.fromEntries(passed),
    LC_ALL: 'C',
    XRD_CONNECTIONWINDOW: seconds(limits.connectMs),
    XRD_CONNECTIONRETRY: '1',
    // Ours are shorter, and look at what comes.
    XRD_REQUESTTIMEOUT: seconds(2 * Math.max(limits.idleMs, limits.headersMs)),
    XRD_STREAMTIMEOUT: seconds(2 * limits.idleMs),
    XRD_TIMEOUTRESOLUTION: '1',
    XRD_CPRETRY: '0',
    // roots:// means encrypted, what comes as well as what is asked, whatever a site's own settings say.
    XRD_NOTLSOK: '0',
    XRD_TLSNODATA: '0',
    // A name that ends in .meta4 is a file like any other.
    XRD_METALINKPROCESSING: '0',
    XrdSecGSIUSERCERT: nothing,
    XrdSecGSIUSERKEY: nothing,
    XrdSecGSIUSERPROXY: proxyPath ?? nothing,
    ...(proxyPath === undefined ? {} : { X509_USER_PROXY: proxyPath }),
    ...(caDir === undefined ? {} : { X509_CERT_DIR: caDir }),
    // It would show the token to every host that asks for one, also to those where a storage sends it. (Over TLS alone: it says
    // `security protocol 'ztn' disallowed for non-TLS connections`.)
    ...(tokenPath === undefined ? {} : { BEARER_TOKEN_FILE: tokenPath, XRD_REDIRECTLIMIT: '0' }),
  }
}

/** Writes a secret where only this user can read it, for one run.
 *  @param dir outside DATA, of mode 0700
 *  @throws Trouble disk_error when it cannot be written */
export async function handOver(
  dir: string,
  secret: string,
): Promise<{ readonly path: string; end(): Promise<void> }> {
  const path = join(dir, `xrdcp-${randomUUID()}`)
  try {
    await writeFile(path, secret, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new Trouble('disk_error', `${dir} cannot be written (${codeOf(error)})`, error)
  }
  return {
    path,
    async end() {
      try {
        await unlink(path)
      } catch {
        // Whoever cleans the folder has taken it away already.
      }
    },
  }
}
