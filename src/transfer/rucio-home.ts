// What the official client is given to log in with: a rucio.cfg of its own and the token that we hold, in a folder outside DATA that only
// this user can read. Never gives it a password: the client takes a token file for a login that has been made already.

import { randomUUID } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Root } from '../disk/layout.ts'
import { lifeMark } from '../outside/leftovers.ts'
import type { Env } from '../words/env.ts'
import { codeOf, Trouble } from '../words/reason.ts'

export type ClientOptions = {
  /** a name that is looked for in PATH, or an absolute path; `rucio` when absent */
  readonly program?: string
  /** the rucio.cfg that this daemon was configured with, if it was by one: its sections save [client] hold for the client too */
  readonly cfgPath?: string
  readonly rucio: { readonly rucioHost: string; readonly authHost: string; readonly account?: string }
  readonly credential: {
    readonly proxyPath?: string
    readonly certPath?: string
    readonly keyPath?: string
    readonly caDir?: string
    readonly caBundle?: string
  }
  readonly env: Env
}

export type ClientHome = {
  /** The environment of a run, whose token lies there then. @throws Trouble disk_error when the folder cannot be written */
  ready(token: string): Promise<Readonly<Record<string, string>>>
  /** The folder goes, and with it the token. */
  close(): Promise<void>
}

// What a site's set-up of the client and of its storage libraries works through. No secret is among them: a token's file, not a token.
const kept =
  /^(PATH|HOME|USER|LOGNAME|TZ|LD_LIBRARY_PATH|PYTHONPATH|PYTHONHOME|VIRTUAL_ENV|CONDA_PREFIX|RUCIO_HOME|RUCIO_VO|RUCIO_LATITUDE|RUCIO_LONGITUDE|SITE_NAME|ATLAS_SITE_NAME|OSG_SITE_NAME|X509_CERT_DIR|X509_VOMS_DIR|BEARER_TOKEN_FILE|XDG_RUNTIME_DIR|GFAL_[A-Z0-9_]+|XRD_[A-Z0-9_]+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|no_proxy|https?_proxy|NO_PROXY|HTTPS?_PROXY)$/

/** @param root its id names the folder, so that the next start writes over what a killed daemon left
 *  @param lineFormat how the client is to write its lines */
export function openClientHome(options: ClientOptions, root: Root, lineFormat: string): ClientHome {
  let home: Promise<string> | undefined
  let held: string | undefined

  async function put(dir: string, name: string, text: string): Promise<void> {
    // Several clients run at a time and read it: it changes whole.
    const path = join(dir, `${name}.${randomUUID()}`)
    try {
      await writeFile(path, text, { mode: 0o600, flag: 'wx' })
      await rename(path, join(dir, name))
    } catch (error) {
      throw new Trouble('disk_error', `${dir} cannot be written (${codeOf(error)})`, error)
    }
  }

  async function make(): Promise<string> {
    const dir = await privateDir(options, root)
    await put(dir, 'rucio.cfg', await cfgText(options, join(dir, 'token')))
    held = undefined
    return dir
  }

  return {
    async ready(token) {
      home ??= make()
      let dir: string
      try {
        dir = await home
        // Whoever cleans /tmp may have taken it away.
        if (held !== token || !(await isThere(join(dir, 'token')))) await put(dir, 'token', token)
        held = token
      } catch (error) {
        home = undefined
        throw error
      }
      // One that is not there would only be refused by name; without it the client may do.
      const { proxyPath } = options.credential
      const hasProxy = proxyPath !== undefined && (await isThere(proxyPath))
      return { ...envOf(options, dir, { lineFormat, hasProxy }), ...lifeMark(root.bootId) }
    },
    async close() {
      const made = home
      home = undefined
      if (made === undefined) return
      try {
        await rm(await made, { recursive: true, force: true })
      } catch {
        // It was never made, or another has cleaned up: nothing of it is needed any more.
      }
    },
  }
}

/** What a killed daemon left there goes: tokens, and addresses that may hold one. The configuration stays, which holds none: another daemon
 *  over a copy of this data directory may be about to start a client with it; a token it writes anew. To be called with the lease held.
 *  @throws Trouble disk_error when something stands in the way */
export async function clearPrivateDirs({ env }: Pick<ClientOptions, 'env'>, root: Root): Promise<void> {
  const uid = process.getuid?.() ?? 0
  for (const dir of placesOf(env, root, uid)) {
    try {
      if (!(await isPrivate(dir, uid))) continue
      for (const name of await readdir(dir))
        if (name !== 'rucio.cfg') await rm(join(dir, name), { recursive: true, force: true })
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue
      throw new Trouble('disk_error', `${dir} cannot be cleared (${codeOf(error)})`, error)
    }
  }
}

function placesOf(env: ClientOptions['env'], root: Root, uid: number): string[] {
  const runtime = env['XDG_RUNTIME_DIR']
  const places = runtime === undefined || runtime === '' ? [tmpdir()] : [runtime, tmpdir()]
  return places.map(place => join(place, `desktop-rucio-${uid}-${root.id}`))
}

/** Where another user has taken the name. One for a process: each run of a program would leave one behind. */
const byChance = new WeakMap<Root, Promise<string>>()

/** In the user's own runtime directory where there is one, else in the temporary one: there another user may have taken the name, and
 *  then it gets one by chance. */
export async function privateDir({ env }: Pick<ClientOptions, 'env'>, root: Root): Promise<string> {
  const uid = process.getuid?.() ?? 0
  for (const dir of placesOf(env, root, uid)) {
    try {
      await mkdir(dir, { mode: 0o700 })
      return dir
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && (await isPrivate(dir, uid))) return dir
    }
  }
  try {
    const made = await byChance.get(root)
    if (made !== undefined && (await isPrivate(made, uid))) return made
  } catch {
    // It could not be made then, or whoever cleans the temporary directory has taken it away.
  }
  const making = mkdtemp(join(tmpdir(), 'desktop-rucio-client-'))
  byChance.set(root, making)
  try {
    return await making
  } catch (error) {
    throw new Trouble('disk_error', `no folder can be made in ${tmpdir()} (${codeOf(error)})`, error)
  }
}

async function isPrivate(dir: string, uid: number): Promise<boolean> {
  const found = await lstat(dir)
  return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile()
  } catch {
    // It is written anew then, and what stands in the way is told there.
    return false
  }
}

/** `gss` is the one login for which the client wants nothing at hand: with a token in its file it never comes to use it. */
async function cfgText(options: ClientOptions, tokenPath: string): Promise<string> {
  const { rucio, credential, cfgPath } = options
  const ca = credential.caBundle ?? credential.caDir
  const pairs = [
    ['rucio_host', rucio.rucioHost],
    ['auth_host', rucio.authHost],
    ['auth_type', 'gss'],
    ['account', rucio.account],
    ['ca_cert', ca],
    ['request_retries', '3'],
    ['auth_token_file_path', tokenPath],
  ].flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value.replaceAll('%', '%%')}`]))
  const theirs = cfgPath === undefined ? '' : await othersOf(cfgPath)
  return `[client]\n${pairs.join('\n')}\n${theirs}`
}

/** The sections of a rucio.cfg besides [client], as they are written; and of [client] the VO. */
async function othersOf(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    // The daemon itself has read it at its start; without it the client has its defaults.
    return ''
  }
  const vo: string[] = []
  const others: string[] = []
  let section = ''
  for (const line of text.split(/\r?\n/)) {
    section = /^\[([^\]]*)\]/.exec(line)?.[1]?.trim().toLowerCase() ?? section
    if (section !== 'client' && section !== '') others.push(line)
    else if (/^vo\s*[=:]/i.test(line)) vo.push(line)
  }
  return `${[...vo, ...others].join('\n')}\n`
}

function envOf(
  options: ClientOptions,
  dir: string,
  { lineFormat, hasProxy }: { readonly lineFormat: string; readonly hasProxy: boolean },
): Record<string, string> {
  const { credential, env } = options
  // The address of a proxy may hold a password.
  const passed = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ||
    value === '' ||
    !kept.test(key) ||
    (/^https?_proxy$/i.test(key) && value.includes('@'))
      ? []
      : [[key, value] as const],
  )
  const { proxyPath, certPath, keyPath, caDir } = credential
  return {
    ...Object.fromEntries(passed),
    LC_ALL: 'C.UTF-8',
    TMPDIR: dir,
    PYTHONWARNINGS: 'ignore',
    PYTHONUNBUFFERED: '1',
    RUCIO_CONFIG: join(dir, 'rucio.cfg'),
    RUCIO_LOGGING_FORMAT: lineFormat,
    ...(caDir === undefined ? {} : { X509_CERT_DIR: caDir }),
    ...(proxyPath === undefined || !hasProxy ? {} : { X509_USER_PROXY: proxyPath }),
    ...(proxyPath !== undefined || certPath === undefined
      ? {}
      : { X509_USER_CERT: certPath, X509_USER_KEY: keyPath ?? certPath }),
  }
}
