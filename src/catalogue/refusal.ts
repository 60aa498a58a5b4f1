// What Rucio, or a proxy in front of it, says instead of an answer -> Trouble. Never believes that an error page is JSON.

import type { IncomingMessage } from 'node:http'
import { openFilter } from '../disk/secrets.ts'
import { bodyText } from '../outside/request.ts'
import { serverClock } from '../outside/serverClock.ts'
import { withClockNote } from '../words/clock.ts'
import { clean, type Reason, Trouble } from '../words/reason.ts'
import { asObject, parseJson } from '../words/text.ts'

/** An answer other than 200. `exceptionClass` is Rucio's own word; '' where something else answered. */
export class Refusal extends Trouble {
  readonly status: number
  readonly exceptionClass: string
  /** how long the server asks to be left alone; undefined when it does not say */
  readonly retryAfterMs: number | undefined

  constructor(
    reason: Reason,
    detail: string,
    answer: {
      readonly status: number
      readonly exceptionClass: string
      readonly retryAfterMs: number | undefined
    },
  ) {
    super(reason, detail)
    this.status = answer.status
    this.exceptionClass = answer.exceptionClass
    this.retryAfterMs = answer.retryAfterMs
  }
}

// An error of POST /replicas/list may repeat the whole request (facts/rucio.md 0.10).
const maxErrorBytes = 65_536
// Said with 500 and yet final until what was asked for is another (facts/rucio.md 2).
const askersFault = /^(?:Invalid|Unsupported|AccessDenied|SortingAlgorithmNotSupported|KeyError|ValueError)/

/** Reads the body away.
 *  @param server `host:port` for the message
 *  @param sent what the request showed of us (password, token): an answer that repeats it is not repeated */
export async function readRefusal(
  answer: IncomingMessage,
  server: string,
  sent: readonly (string | undefined)[] = [],
): Promise<Refusal> {
  const status = answer.statusCode ?? 0
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'])
  const { exceptionClass, words } = await readError(answer, text => shown(text, sent))
  const said =
    exceptionClass === '' ? `HTTP ${status}` : `${exceptionClass}${words === '' ? '' : `: ${words}`}`
  const rest = retryAfterMs === undefined ? '' : `, and asks for ${Math.ceil(retryAfterMs / 1000)} s of rest`
  const reason = reasonOf(status, exceptionClass)
  const detail =
    status >= 300 && status < 400
      ? `${server} redirects, which is not followed for the catalogue: check rucio_host and auth_host`
      : status === 404 && exceptionClass === ''
        ? `${server} knows no such call of Rucio (HTTP 404): check rucio_host and auth_host`
        : `${server} answered ${said}${rest}`
  const told = reason === 'auth' ? withClockNote(detail, serverClock()) : detail
  return new Refusal(reason, told, { status, exceptionClass, retryAfterMs })
}

function reasonOf(status: number, exceptionClass: string): Reason {
  if (exceptionClass === 'DataIdentifierNotFound') return 'no_such_did'
  // No right to this one thing: another login does not help, and other datasets may be open.
  if (exceptionClass === 'AccessDenied') return 'refused'
  if (status === 401 || exceptionClass === 'CannotAuthenticate' || exceptionClass === 'IdentityError')
    return 'auth'
  if (askersFault.test(exceptionClass)) return 'refused'
  if (status === 429 || status >= 500) return 'host_down'
  // A path that no Rucio would answer so: something else stands there, or stands in between.
  if (exceptionClass === '' && (status === 404 || status === 403 || status === 407)) return 'host_down'
  return 'refused'
}

/** Text of an answer without what was sent, fit to show. Before it is cut: half a secret is one, too. */
export function shown(text: string, sent: readonly (string | undefined)[]): string {
  const { hide, filter } = openFilter()
  for (const secret of sent) if (secret !== undefined) hide(secret)
  return clean(filter(text))
}

async function readError(
  answer: IncomingMessage,
  show: (text: string) => string,
): Promise<{ exceptionClass: string; words: string }> {
  const header = (name: string): string => {
    const value = answer.headers[name]
    return typeof value === 'string' ? value : ''
  }
  const short = { exceptionClass: safeClass(header('exceptionclass')), words: header('exceptionmessage') }
  let body: string
  try {
    body = await bodyText(answer, maxErrorBytes)
  } catch {
    // Too long, or cut: the headers say the same in short, and the status is what counts.
    return { ...short, words: show(short.words) }
  }
  const parsed = parseJson(body)
  const object = parsed instanceof Trouble ? undefined : asObject(parsed.json)
  const exceptionClass = object?.['ExceptionClass']
  const message = object?.['ExceptionMessage']
  return {
    exceptionClass: typeof exceptionClass === 'string' ? safeClass(exceptionClass) : short.exceptionClass,
    words: show((typeof message === 'string' ? message : short.words).replace(/\s+/g, ' ')),
  }
}

function safeClass(text: string): string {
  return /^[A-Za-z][A-Za-z0-9_]{0,79}$/.test(text) ? text : ''
}

/** Seconds; a date is passed over, since the clocks need not agree. At most an hour is believed. */
function readRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds < 0) return undefined
  return Math.min(seconds * 1000, 3_600_000)
}
