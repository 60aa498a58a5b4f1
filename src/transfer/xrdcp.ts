// The engine for root and roots: `xrdcp --continue` into a file of its own, read while it grows, whose bytes go the way of all others.
// Never lets xrdcp write into a part, never shows it more than one file, and never leaves it running.

import { openGrowing } from '../disk/growing.ts'
import type { Root } from '../disk/layout.ts'
import { refuseAddress } from '../outside/address.ts'
import { lineTrouble } from '../outside/errors.ts'
import { programFinder } from '../outside/find.ts'
import { lifeMark } from '../outside/leftovers.ts'
import { type Ran, runProgram } from '../outside/program.ts'
import type { Env } from '../words/env.ts'
import { readFullDid } from '../words/names.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { Replica } from '../words/replica.ts'
import type { Filler } from './filler.ts'
import { follow } from './follow.ts'
import { pourGrowing } from './growing.ts'
import { placeOf } from './https.ts'
import { Miss, missBeforeAnswer } from './miss.ts'
import type { ProgramAsk, ProgramEngine } from './program.ts'
import { privateDir } from './rucio-home.ts'
import { envOfXrdcp, handOver, type Shown, shownNow } from './xrdcp-env.ts'
import { missOfXrdcp, wasSentOn } from './xrdcp-says.ts'

export type XrdcpOptions = {
  readonly root: Root
  readonly shown: () => Promise<Shown>
  /** for storages that take one */
  readonly token: () => Promise<string | undefined>
  /** the daemon's own */
  readonly env: Env
  /** what one xrdcp may bring before it is started anew, so that its file does not grow beyond that */
  readonly windowBytes?: number
}

const install =
  'this machine has no xrdcp: install it (Debian and Ubuntu: xrootd-client; Fedora, RHEL: xrootd-client; conda: xrootd)'
/** setTimeout() takes no more: 24 days. What has stalled is given up long before. */
const foreverMs = 2 ** 31 - 1
// What lies in xrdcp's file lies in the part as well, until both go on. Half a second's reconnecting and 16 MiB on the line for each GiB.
const defaultWindow = 2 ** 30

export function xrdcpEngine(options: XrdcpOptions): ProgramEngine {
  const { root, env, windowBytes = defaultWindow } = options
  const find = programFinder('xrdcp', env['PATH'])
  // Linux ends with us what setpriv has started so, also where we are killed. Without it an xrdcp that outlives us writes to the end of
  // its own file, which the next start has removed.
  const findGuard = programFinder('setpriv', process.platform === 'linux' ? env['PATH'] : undefined)
  /** `host:port` of storages that send on to others: they are shown no token, since those would be shown it as well */
  const sendsOn = new Set<string>()

  /** One xrdcp, from `filler`'s next byte on, until the claim is full, the window is, or it ends. */
  async function run(ask: ProgramAsk, filler: Filler, signal: AbortSignal): Promise<void> {
    const { replica, limits } = ask
    const host = hostPort(replica.pfn)
    const [program, guard, held, shown] = await Promise.all([
      find(),
      findGuard(),
      options.token(),
      options.shown().then(shownNow),
    ])
    const keptBack = held !== undefined && sendsOn.has(host)
    const token = keptBack ? undefined : held
    if (program === undefined) throw new Miss('replica', new Trouble('unsupported', install))
    const handed: Awaited<ReturnType<typeof handOver>>[] = []
    const hand = async (secret: string): Promise<string> => {
      const one = await handOver(await privateDir({ env }, root), secret)
      handed.push(one)
      return one.path
    }
    const from = filler.claim.at
    // xrdcp 5.5.3 hangs where it is to go on within a compressed member: those begin anew.
    const start = isMember(replica) ? 0 : from
    const { controller, letGo } = follow(signal)
    const enough = new Error('enough has come')
    let file: Awaited<ReturnType<typeof openGrowing>> | undefined
    try {
      const tokenPath = token === undefined ? undefined : await hand(token)
      // A query may hold a secret, and a list of arguments is everybody's to read.
      const url = urlOf(ask)
      const source = isPlain(replica) ? [url] : ['--infiles', await hand(`${url}\n`)]
      file = await openGrowing(root, start)
      const ended = runProgram(
        {
          program: guard ?? program,
          args: [
            ...(guard === undefined ? [] : ['--pdeathsig', 'KILL', program]),
            ...argsOf(ask),
            ...source,
            file.path,
          ],
          env: { ...envOfXrdcp(env, shown, limits, tokenPath), ...lifeMark(root.bootId) },
          timeoutMs: foreverMs,
        },
        controller.signal,
      ).then(
        (ran): Outcome => ({ ran }),
        (error): Outcome => ({ error }),
      )
      try {
        const most = isMember(replica) ? Number.POSITIVE_INFINITY : start + windowBytes
        const outcome = await pourGrowing(file, filler, { ...ask, start, most, ended, signal })
        if (outcome === undefined) return
        if ('error' in outcome) throw outcome.error
        if (token !== undefined && wasSentOn(outcome.ran.stderr)) {
          // Without the token it may go where it is sent: a proxy, or nothing, may do there.
          sendsOn.add(host)
          return
        }
        const showed = shown.proxyPath !== undefined || token !== undefined
        const came = filler.claim.at - from
        throw missOfXrdcp({ ...outcome.ran, came, showed, keptBack }, placeOf(replica))
      } finally {
        controller.abort(enough)
        await ended
      }
    } finally {
      letGo()
      await file?.close()
      for (const each of handed) await each.end()
    }
  }

  return {
    missing: async () => ((await find()) === undefined ? install : undefined),
    async bring(ask, filler, signal) {
      const { pfn } = ask.replica
      try {
        await refuseAddress(pfn.host, pfn.port)
      } catch (error) {
        throw missBeforeAnswer(lineTrouble(error, pfn), true)
      }
      while (!filler.isFull) {
        signal.throwIfAborted()
        try {
          await run(ask, filler, signal)
        } catch (error) {
          throw behindCache(ask.replica, error)
        }
      }
    },
  }
}

export type Outcome = { readonly ran: Ran } | { readonly error: unknown }

/** `root://cache//root://storage//file`: it is the cache that we talk to, whose limits hold and that sees what we show. But where it answers
 *  and brings nothing, the storage behind it may be the one that is down, and the cache has files of other storages. */
function behindCache({ pfn }: Replica, error: unknown): unknown {
  const isTwofold = /^\/+x?roots?:\//i.test(pfn.path)
  const { reason } = error instanceof Miss ? error.trouble : { reason: undefined }
  const mayBeStorage = error instanceof Miss && error.blame === 'host' && reason === 'stalled'
  return isTwofold && mayBeStorage ? new Miss('replica', error.trouble, error.askedMs) : error
}

/** A name from outside stands after its option; an address begins with its scheme, and the path of our own file is absolute. */
function argsOf({ replica, file }: ProgramAsk): string[] {
  const member = replica.clientExtract ? ['--zip', memberOf(file.did)] : []
  return ['--continue', '--nopbar', '--silent', ...member]
}

/** Nothing but the name of a member stands in its query. */
function isPlain({ pfn }: Replica): boolean {
  return /^(\?xrdcl\.unzip=[^&]*)?$/.test(pfn.query)
}

/** As the catalogue wrote it. Where no plain data is wanted all is encrypted: servers speak TLS at the same port (XProtocol, kXR_haveTLS), and
 *  xrdcp gives up one that does not, and one that sends it on to such a one. */
function urlOf({ replica: { pfn }, plainData }: ProgramAsk): string {
  return `${plainData ? pfn.scheme : 'roots'}://${hostPort(pfn)}${pfn.path}${pfn.query}`
}

function isMember({ pfn, clientExtract }: Replica): boolean {
  return clientExtract || /[?&]xrdcl\.unzip=/.test(pfn.query)
}

/** A member has the name of its file. */
function memberOf(text: string): string {
  const did = readFullDid(text)
  if (did === undefined) throw new Error(`no DID: ${text}`)
  return did.name
}
