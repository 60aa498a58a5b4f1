// A trace for each finished file, as the official client sends one, so that sites see their use. Never in the way of a transfer: nobody
// waits for it, a few are kept while the host is away, and those beyond are dropped. Never tells a secret, an address or a path.

import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, dropBody, type Identity } from '../outside/request.ts'
import type { Finished } from '../words/finished.ts'
import { didOfName } from '../words/names.ts'
import { hostPort, parsePfn } from '../words/pfn.ts'
import { Trouble, toTrouble } from '../words/reason.ts'
import type { Log } from '../words/status.ts'
import type { World } from '../words/world.ts'

export type TraceOptions = {
  /** trace_host of rucio.cfg, else the Rucio server */
  readonly host: string
  /** SITE_NAME and the like, else ROAMING */
  readonly localSite: string
}

export type Traces = {
  /** Returns at once. */
  finished(file: Finished): void
  /** What has not been sent by now is not sent. */
  close(): void
}

export type TraceTimes = {
  /** after a failure, doubled with each, up to an hour */
  readonly againMs: number
  readonly connectMs: number
  readonly answerMs: number
}

export const traceTimes: TraceTimes = { againMs: 60_000, connectMs: 5_000, answerMs: 10_000 }
const hourMs = 3_600_000
const mostWaiting = 1000

/** Throws Trouble('refused') for a host that is no address. Plain http is taken: a trace holds nothing that is secret. */
export function openTraces(
  options: TraceOptions,
  means: {
    readonly identity: () => Promise<Identity>
    readonly account: () => string | undefined
    readonly hostname: string
    /** of desktop-rucio */
    readonly version: string
    readonly log: Log
    readonly world: World
    readonly times: TraceTimes
  },
): Traces {
  const { world, times } = means
  const at = placeOf(options.host)
  const run = randomBytes(16).toString('hex')
  const closing = new AbortController()
  const waiting: string[] = []
  let sending = false
  let mutedUntil = 0
  let said = ''

  function tell(text: string): void {
    if (text !== said) means.log('rucio_downloader', `traces: ${text}`)
    said = text
  }

  function traceOf(file: Finished): string {
    const dataset = didOfName(file.name)
    const [scope = '', ...rest] = file.did.split(':')
    const account = means.account()
    return JSON.stringify({
      hostname: means.hostname,
      localSite: options.localSite,
      ...(account === undefined ? {} : { account }),
      eventType: 'download',
      eventVersion: `desktop-rucio_${means.version}`,
      // The official client gives one to all files of a call; a dataset of one run of the daemon is that to us.
      uuid: createHash('sha256').update(`${run} ${file.name}`).digest('hex').slice(0, 32),
      scope,
      filename: rest.join(':'),
      datasetScope: dataset instanceof Trouble ? '' : dataset.scope,
      dataset: dataset instanceof Trouble ? '' : dataset.name,
      filesize: file.bytes,
      clientState: 'DONE',
      stateReason: 'OK',
      ...(file.source === undefined ? {} : { remoteSite: file.source.rse, protocol: file.source.scheme }),
      // Seconds, as Python's time.time() counts.
      transferStart: file.startedAt / 1000,
      transferEnd: file.endedAt / 1000,
    })
  }

  async function sendAll(): Promise<void> {
    let failures = 0
    for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) {
      try {
        const verdict = await post(text)
        failures = 0
        if (verdict === 'sent') said = ''
        if (verdict === 'deaf') {
          mutedUntil = world.now() + hourMs
          waiting.length = 0
        }
      } catch (error) {
        if (closing.signal.aborted) return
        tell(`${toTrouble(error).detail}; up to ${mostWaiting} wait for it`)
        if (waiting.length < mostWaiting) waiting.unshift(text)
        await sleep(Math.min(times.againMs * 2 ** failures++, hourMs), undefined, {
          ref: false,
          signal: closing.signal,
        })
      }
    }
  }

  /** @returns 'deaf': a host that takes none is left alone for an hour. Throws when it may take the same one later */
  async function post(text: string): Promise<'sent' | 'dropped' | 'deaf'> {
    const identity = await means.identity()
    const answer = await ask({
      method: 'POST',
      ...at,
      path: `${at.base}/traces/`,
      headers: { 'Content-Type': 'application/json', Accept: '*/*' },
      body: text,
      configured: true,
      // Without the user's certificate, and without a token: none is asked for.
      agent: at.scheme === 'https' ? identity.bareAgent : identity.plainAgent,
      limits: { connectMs: times.connectMs, headersMs: times.answerMs, idleMs: times.answerMs },
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(2 * (times.connectMs + times.answerMs))]),
    })
    dropBody(answer)
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return 'sent'
    if (status === 429 || status === 408 || status >= 500)
      throw new Trouble('host_down', `${hostPort(at)} answered HTTP ${status}`)
    tell(`${hostPort(at)} takes none (HTTP ${status})`)
    // What is wrong with one trace says nothing of the others.
    return status === 400 || status === 413 || status === 422 ? 'dropped' : 'deaf'
  }

  return {
    finished(file) {
      const left = mutedUntil - world.now()
      if (closing.signal.aborted || (left > 0 && left <= hourMs)) return
      // The newest count: they are what a site looks for.
      if (waiting.length >= mostWaiting) waiting.shift()
      waiting.push(traceOf(file))
      if (sending) return
      sending = true
      sendAll()
        // close() ends the wait; nothing else throws, and if it did a file would still be a file.
        .catch(error => closing.signal.aborted || tell(String(error)))
        .finally(() => {
          sending = false
        })
    },
    close() {
      closing.abort()
      waiting.length = 0
    },
  }
}

function placeOf(host: string): {
  readonly scheme: 'https' | 'http'
  readonly host: string
  readonly port: number
  readonly base: string
} {
  const url = parsePfn(host.trim().replace(/\/+$/, ''))
  if (url instanceof Trouble || (url.scheme !== 'https' && url.scheme !== 'http') || url.query !== '')
    throw new Trouble(
      'refused',
      `trace_host is no address like https://rucio.example.org: ${JSON.stringify(host)}`,
    )
  return { scheme: url.scheme, host: url.host, port: url.port, base: url.path.replace(/\/+$/, '') }
}
