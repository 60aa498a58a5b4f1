// The official client as an engine: `rucio --legacy download` of one file into a scratch folder, whose bytes then go the way of all others.
// Never believes its exit code, never lets it write into a part, and never gives it more to log in with than a token.

import { wireScheme } from '../decide/replicas.ts'
import type { Root } from '../disk/layout.ts'
import { freeBytes } from '../disk/root.ts'
import { openScratch, type Scratch } from '../disk/scratch.ts'
import { programFinder } from '../outside/find.ts'
import { runProgram } from '../outside/program.ts'
import { readFullDid } from '../words/names.ts'
import { clean, Trouble, toTrouble } from '../words/reason.ts'
import type { Filler } from './filler.ts'
import { follow } from './follow.ts'
import { placeOf } from './https.ts'
import { Miss } from './miss.ts'
import { pourFile } from './pour.ts'
import type { ProgramAsk, ProgramEngine } from './program.ts'
import { watchGrowth } from './rucio-growth.ts'
import { type ClientOptions, openClientHome } from './rucio-home.ts'
import { lineFormat, missOf, toLog } from './rucio-words.ts'

export type RucioEngineOptions = {
  readonly root: Root
  readonly client: ClientOptions
  /** a token of Rucio's that should be good now */
  readonly token: (signal: AbortSignal) => Promise<string>
  /** Rucio did not take it when the client showed it */
  readonly tokenRefused: (token: string, why: Trouble) => void
  readonly tell: (text: string) => void
}

const install =
  'this machine has no official client: install it (pip install rucio-clients, and gfal2 or XRootD for the protocol), or name it with --client'
// Its own time-out is one for the whole of a file, and would end a slow line for ever; ours look at what comes.
const clientTimeout = '604800'
/** setTimeout() takes no more: 24 days. */
const foreverMs = 2 ** 31 - 1
const mostKept = 128 * 1024

export function rucioEngine(options: RucioEngineOptions): ProgramEngine {
  const { root, client, tell } = options
  const find = programFinder(client.program ?? 'rucio', client.env['PATH'])
  // Linux ends with us what setpriv has started so, also where we are killed. Where there is none, or where the client has started others,
  // these write to the end of their own file, which the next start has removed.
  const findGuard = programFinder('setpriv', process.platform === 'linux' ? client.env['PATH'] : undefined)
  const home = openClientHome(client, root, lineFormat)
  /** before version 36 there was no new command line, so no option for the old one */
  let legacy = true

  async function run(
    ask: ProgramAsk,
    scratch: Scratch,
    signal: AbortSignal,
  ): Promise<{ readonly said: string; readonly token: string }> {
    const [program, guard] = await Promise.all([find(), findGuard()])
    if (program === undefined) throw new Miss('replica', new Trouble('unsupported', install))
    const token = await options.token(signal)
    const env = await home.ready(token)
    const { controller, letGo } = follow(signal)
    const watch = watchGrowth(scratch, ask, miss => controller.abort(miss))
    let said = ''
    try {
      await runProgram(
        {
          program: guard ?? program,
          args: [
            ...(guard === undefined ? [] : ['--pdeathsig', 'KILL', program]),
            ...(legacy ? ['--legacy'] : []),
            ...argsOf(ask, scratch.dir),
          ],
          env,
          cwd: scratch.dir,
          timeoutMs: foreverMs,
          onOutput: text => {
            said = (said + text).slice(-mostKept)
          },
        },
        controller.signal,
      )
      return { said, token }
    } finally {
      letGo()
      await watch.end()
      for (const line of toLog(said)) tell(`rucio: ${clean(line, 500)}`)
    }
  }

  return {
    missing: async () => ((await find()) === undefined ? install : undefined),
    async bring(ask, filler, signal) {
      await mustFit(root, ask)
      const scratch = await openScratch(root)
      try {
        let ran = await run(ask, scratch, signal)
        if (legacy && /unrecognized arguments: --legacy|no such option:? ['"]?--legacy/i.test(ran.said)) {
          legacy = false
          ran = await run(ask, scratch, signal)
        }
        try {
          await take(ask, scratch, { said: ran.said, filler, signal })
        } catch (error) {
          if (error instanceof Miss && error.trouble.reason === 'auth')
            options.tokenRefused(ran.token, error.trouble)
          throw error
        }
      } finally {
        await drop(scratch, tell)
      }
    },
    close: () => home.close(),
  }
}

/** One file of one storage. A name that could stand for an option comes after `--`; a storage's name that is none is left out, since it
 *  would be read as an expression. */
function argsOf({ replica, file }: ProgramAsk, dir: string): string[] {
  const { scheme } = replica.pfn
  const isName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(replica.rse)
  // What our own engines speak as well comes here by configuration only: then the client chooses the protocol too.
  const itsChoice = wireScheme(scheme) !== undefined || scheme === 'root' || scheme === 'roots'
  return [
    '-v',
    // Traces are ours to send, one for a file, or not at all where its user wants none: the client sends none under such a name alone.
    '--user-agent=pilot-desktop-rucio',
    'download',
    '--dir',
    dir,
    '--no-subdir',
    // We verify, also what it would refuse: it takes no file without a checksum.
    '--ignore-checksum',
    '--ndownloader',
    '1',
    '--transfer-timeout',
    clientTimeout,
    ...(isName ? ['--rses', replica.rse] : []),
    ...(itsChoice ? [] : ['--protocol', scheme]),
    '--',
    file.did,
  ]
}

/** What it left goes to the filler. For a while the file lies there twice. */
async function take(
  { replica, file }: ProgramAsk,
  scratch: Scratch,
  { said, filler, signal }: { readonly said: string; readonly filler: Filler; readonly signal: AbortSignal },
): Promise<void> {
  const place = placeOf(replica)
  const did = readFullDid(file.did)
  if (did === undefined) throw new Error(`no DID: ${file.did}`)
  // Of a name with a leading slash it cuts that.
  const found = await scratch.open(did.name.replace(/^\//, ''))
  if (found === undefined) throw missOf(said, place)
  try {
    if (found.bytes !== file.bytes)
      throw new Miss(
        'strike',
        new Trouble(
          'corrupt',
          `the official client brought ${found.bytes} bytes from ${place} where the catalogue says ${file.bytes}`,
        ),
      )
    await pourFile(found.handle, filler, signal)
  } finally {
    await found.handle.close()
  }
}

/** The loop reckons with the file once: until it is in its part it lies there twice. */
async function mustFit(root: Root, { file }: ProgramAsk): Promise<void> {
  const free = await freeBytes(root)
  if (free > 2 * file.bytes) return
  throw new Trouble(
    'disk_full',
    `${file.did} needs its ${file.bytes} bytes twice for a while where the official client brings it, and ${free} are free`,
  )
}

async function drop(scratch: Scratch, tell: (text: string) => void): Promise<void> {
  try {
    await scratch.close()
  } catch (error) {
    // It goes with the staging folder at the next start; the file itself has come or not, whatever becomes of this.
    tell(`${scratch.dir} could not be removed: ${toTrouble(error).message}`)
  }
}
