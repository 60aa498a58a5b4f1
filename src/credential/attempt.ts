// One try to make a proxy: what can be checked before, voms-proxy-init, our own judgement of what it wrote, the name. Never decides when.
//
// Its exit code is not believed: the C++ client ends with 1 and a good proxy, and with 1 and one that has ended; the Java client ends with 0
// and half a file. It writes to a staging name, because it unlinks what lies at its -out first.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, copyFile, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openFilter } from '../disk/secrets.ts'
import { runProgram } from '../outside/program.ts'
import { codeOf, Trouble, toTrouble } from '../words/reason.ts'
import { printWish, type VomsWish } from '../words/voms.ts'
import { toIso } from '../words/world.ts'
import type { Pair } from './certificate.ts'
import { isEncrypted } from './password.ts'
import { judge, smallText } from './proxy-judge.ts'
import { clearPlace, makePlace, removeTemporaryKey, syncDir } from './proxy-place.ts'
import { complaint, explain, type Refusal, wrongPassword } from './said.ts'

export type ProxyOptions = {
  /** where the proxy shall lie (proxy-place.ts) */
  readonly proxyPath: string
  readonly certPath: string
  readonly keyPath: string
  /** GRID_VOMS; none = a plain proxy */
  readonly voms: readonly VomsWish[]
  /** H:MM of proxy and attributes */
  readonly valid: string
  /** a share that shows every file as 0777: the key, encrypted as it is, is copied beside the proxy for each try */
  readonly copyKey: boolean
  readonly caDir?: string
  /** what voms-proxy-init may see of our environment: PATH, HOME, X509_VOMS_DIR, … */
  readonly env: Readonly<Record<string, string>>
  /** VOMS_USERCONF: addresses of VOMS servers */
  readonly vomses?: string
}

export type Outcome =
  | { readonly kind: 'made'; readonly pair: Pair; readonly complaint: string | undefined }
  /** it lasts no longer than the one we hold */
  | { readonly kind: 'same' }
  | ({ readonly kind: 'refused' } & Refusal)

/** Of each connection to a VOMS server; the C++ client asks each server twice, once for each of its languages. */
const connectSeconds = 10
/** Its own limit: four servers that swallow packets. Without -timeout the C++ client waits 120 s for each. */
const runMs = 10_000 + 2 * connectSeconds * 1000 * 4
const helpMs = 20_000

export type Known = {
  readonly password: string | undefined
  /** a proxy that fits and still counts; what is made must last longer */
  readonly held: Pair | undefined
  /** ms since 1970. Asked again at the end: a client may take longer than clocks differ */
  now(): number
}

/** Checks, runs, judges, and gives the name.
 *  @param say each line that the client says, free of `password`
 *  @throws the reason of `signal`; bugs of ours */
export async function makeProxy(
  options: ProxyOptions,
  known: Known,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  const user = await readUser(options, known.now())
  if (!(user instanceof X509Certificate)) return user
  const unfit = await checkKey(options, user, known.password)
  if (unfit !== undefined) return unfit
  try {
    return await run(options, user, known, say, signal)
  } catch (error) {
    if (signal.aborted) throw error
    const trouble = toTrouble(error)
    if (trouble.reason === 'bug') throw error
    if (trouble.reason === 'unsupported')
      return refused(
        'change',
        `${trouble.detail}: install it (voms-clients, in Debian and in EPEL), or set X509_USER_PROXY to a proxy that is made elsewhere`,
      )
    return refused('network', `the proxy could not be made: ${trouble.detail}`)
  } finally {
    await clearPlace(options.proxyPath).catch(error => say(`the directory for proxies: ${String(error)}`))
  }
}

/** The user's certificate, as far as it can be used now. The client's own words about one that cannot are misleading: of one that has
 *  ended it says "Server Answer was incorrectly formatted". */
async function readUser({ certPath }: ProxyOptions, now: number): Promise<X509Certificate | Outcome> {
  const text = await smallText(certPath, 'certificate')
  if (text instanceof Trouble) return refused('change', text.detail)
  let user: X509Certificate
  try {
    user = new X509Certificate(text)
  } catch {
    // Whatever OpenSSL finds wrong with it, to the user it is one thing.
    return refused('change', `${certPath} holds no certificate in PEM form`)
  }
  const [from, end] = [Date.parse(user.validFrom), Date.parse(user.validTo)]
  if (end <= now)
    return refused(
      'change',
      `your certificate ended ${toIso(end)}: get a new one from your authority and put it at ${certPath}`,
    )
  if (from > now)
    return refused(
      'network',
      `your certificate counts only from ${toIso(from)}: is this machine's clock right? It shows ${toIso(now)}`,
    )
  return user
}

async function checkKey(
  { keyPath, certPath, copyKey }: ProxyOptions,
  user: X509Certificate,
  password: string | undefined,
): Promise<Outcome | undefined> {
  const text = await smallText(keyPath, 'private key')
  if (text instanceof Trouble) return refused('change', text.detail)
  const mode = (await stat(keyPath)).mode & 0o777
  if ((mode & 0o177) !== 0 && !copyKey)
    return refused(
      'change',
      `the private key ${keyPath} has mode ${mode.toString(8).padStart(4, '0')}, and voms-proxy-init takes 0400 or 0600 only: chmod 400 it (on a share that shows every file so: GRID_KEY_COPY=1)`,
    )
  const encrypted = isEncrypted(text)
  if (encrypted && password === undefined)
    return refused(
      'change',
      `the private key ${keyPath} has a password, and none was given: name a file that holds it in GRID_PASSWORD_FILE, or give it with desktop-rucio password`,
    )
  try {
    const key = createPrivateKey({
      key: text,
      format: 'pem',
      ...(encrypted && password !== undefined ? { passphrase: password } : {}),
    })
    if (!user.checkPrivateKey(key))
      return refused(
        'change',
        `${keyPath} is not the key of ${certPath}: put the two there that belong together`,
      )
  } catch (error) {
    // What OpenSSL says here of a key of old style may be its own limit, so only the one thing that is certain counts: a wrong password
    // is told without asking anybody. The client has the last word on all else.
    if (/BAD_DECRYPT/.test(codeOf(error) ?? '')) return refused('change', wrongPassword)
  }
  return undefined
}

async function run(
  options: ProxyOptions,
  user: X509Certificate,
  { password, held, now }: Known,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  const { proxyPath, voms } = options
  await makePlace(proxyPath)
  await clearPlace(proxyPath)
  const keyPath = options.copyKey ? await copiedKey(options) : options.keyPath
  const { hide, filter } = openFilter()
  if (password !== undefined) hide(password)
  const program = 'voms-proxy-init'
  // Its words untranslated. In the locale C the Java client takes a password with an umlaut for a wrong one.
  const env = { ...options.env, LC_ALL: 'C.UTF-8' }
  const help = await runProgram({ program, args: ['--help'], env, timeoutMs: helpMs }, signal)
  const staging = `${proxyPath}.new`
  let pid: number | undefined
  try {
    const ran = await runProgram(
      {
        program,
        args: [
          '-pwstdin',
          ...['-cert', options.certPath, '-key', keyPath, '-out', staging],
          ...['-valid', options.valid, '-bits', '2048', '-timeout', String(connectSeconds)],
          ...(options.caDir === undefined ? [] : ['-certdir', options.caDir]),
          ...(options.vomses === undefined || voms.length === 0 ? [] : ['-vomses', options.vomses]),
          ...voms.flatMap(each => ['-voms', printWish(each)]),
          // Without it the Java client asks in the new way only, which not every server speaks.
          ...(/enable_legacy_protocol/.test(help.stdout + help.stderr) ? ['--enable_legacy_protocol'] : []),
        ],
        env,
        // Without the CR of an editor on Windows: the C++ client would take it for a part of the password.
        input: `${password ?? ''}\n`,
        timeoutMs: runMs,
        onStart: each => {
          pid = each
        },
      },
      signal,
    )
    const text = `${ran.stdout}\n${ran.stderr}`
    const shown = filter(text)
    for (const line of plainLines(shown)) say(line)
    const verdict = await judge(staging, voms, user, { held, now: now() })
    if (verdict.kind === 'bad') {
      if (ran.timedOut || ran.code !== 0 || verdict.absent) {
        const asked = { ...options, voms: voms.length === 0 ? undefined : voms.map(printWish).join(' ') }
        return { kind: 'refused', ...explain({ text, shown }, asked, ran.timedOut) }
      }
      return refused('network', verdict.message)
    }
    if (verdict.kind === 'same') return verdict
    await takeName(staging, proxyPath)
    return { kind: 'made', pair: verdict.pair, complaint: complaint(text) }
  } finally {
    if (pid !== undefined) await removeTemporaryKey(pid)
  }
}

/** Neither client syncs, and neither replaces a file in one step. */
async function takeName(staging: string, path: string): Promise<void> {
  const handle = await open(staging, 'r+')
  try {
    await handle.chmod(0o600)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(staging, path)
  await syncDir(dirname(path))
}

async function copiedKey({ keyPath, proxyPath }: ProxyOptions): Promise<string> {
  const copy = `${proxyPath}.key`
  await copyFile(keyPath, copy)
  // By its name: the copy has the key's own mode, and of 0400 it cannot be opened for writing (save by root). Its directory is ours alone.
  await chmod(copy, 0o400)
  return copy
}

/** Without the rows of dots that the C++ client draws, and its complaint about a .rnd that nobody needs. */
function plainLines(text: string): string[] {
  return text
    .split(/[\r\n]+/)
    .map(line => line.replace(/[.+*]{4,}/g, '').trim())
    .filter(line => line !== '' && !/\.rnd$|^Function:$/.test(line))
}

function refused(again: Refusal['again'], message: string): Outcome {
  return { kind: 'refused', again, message }
}
