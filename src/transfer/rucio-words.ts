// What the official client says, read: what it came to, and which of its lines are worth a log. Never believes that it was well: that
// the file lies there, and is right, is looked at by others.
//
// Its exit code tells little (75 for a DID that does not exist, for a dead port and for a missing right alike), so with `-v` it is made to
// tell what its protocols said: lines `LEVEL text`, each followed by lines that begin with no level (client 41.5.1, facts/rucio.md 8).

import { type Reason, Trouble } from '../words/reason.ts'
import { type Blame, Miss } from './miss.ts'

/** How the client is told to write its lines (RUCIO_LOGGING_FORMAT): without time and colours. */
export const lineFormat = '%(levelname)s %(message)s'

type Said = { readonly level: string; readonly text: string; readonly more: readonly string[] }

type Rule = { readonly seen: RegExp; readonly blame: Blame; readonly reason: Reason; readonly what: string }

// The first that fits. Login first, since a client without one says many other things after it; then what is this machine's.
const rules: readonly Rule[] = [
  {
    seen: /cannot authenticate|cannot get an auth token|requests-kerberos|no authentication information|identity error/i,
    blame: 'us',
    reason: 'auth',
    what: 'Rucio does not take the login of the official client',
  },
  {
    seen: /no space left|disk quota exceeded|errno 28\b|errno 122\b/i,
    blame: 'us',
    reason: 'disk_full',
    what: 'the disk takes no more of what the official client brings',
  },
  {
    seen: /cannot connect to the rucio server|connection ?error: https?connectionpool/i,
    blame: 'us',
    reason: 'host_down',
    what: 'the official client does not reach the Rucio server',
  },
  {
    seen: /could not load rucio configuration|client parameters (are missing|don't match)/i,
    blame: 'us',
    reason: 'bug',
    what: 'the official client does not take the configuration that it was given',
  },
  {
    seen: /no module named|module is not installed|dependency is missing|cannot import name|command not found|plugin|does not support (requested|provided) protocol/i,
    blame: 'replica',
    reason: 'unsupported',
    what: 'the official client lacks what this protocol needs',
  },
  {
    // Its webdav protocol, which it takes for https; its gfal one, for davs, does without.
    seen: /X509_USER_PROXY is not set/i,
    blame: 'replica',
    reason: 'unsupported',
    what: 'the official client fetches over https with a proxy alone: make one (GRID_VOMS, X509_USER_PROXY), or leave "engine" at "auto"',
  },
  {
    seen: /rse expression is considered invalid|rse does not exist/i,
    blame: 'replica',
    reason: 'no_replica',
    what: 'the official client does not find the storage',
  },
  {
    seen: /source file not found|no such file|http 40[4]|does not exist|\[3011\]/i,
    blame: 'replica',
    reason: 'no_replica',
    what: 'the storage does not have it',
  },
  {
    seen: /checksum validation failed|extraction of file/i,
    blame: 'strike',
    reason: 'corrupt',
    what: 'the official client found the bytes wrong',
  },
  {
    seen: /permission (denied|refused)|auth failed|not authorized|access (to .*)?denied|http 40[13]|certificate|x509_user_proxy|\[3010\]/i,
    blame: 'replica',
    reason: 'refused',
    what: 'the storage does not let the official client read it',
  },
  {
    seen: /timed? ?out|timeout|operation expired/i,
    blame: 'host',
    reason: 'stalled',
    what: 'the storage did not answer the official client in time',
  },
  {
    seen: /could not connect|connection (refused|reset|closed)|not reachable|name or service not known|network is unreachable|no route to host|http 5\d\d|http 429|service is not available|unable to resolve/i,
    blame: 'host',
    reason: 'host_down',
    what: 'the official client does not reach the storage',
  },
]

/** What a run came to that brought no file: whose fault it was, and the client's own words for it.
 *  @param said both of its streams
 *  @param place the replica, as sentences name it */
export function missOf(said: string, place: string): Miss {
  const all = linesOf(said)
  const words = lastWords(all)
  const sourceless = all.some(each => /^No available source found/.test(each.text))
  const traceback = /^Traceback /m.test(said)
  const text = [words, traceback ? lastLine(said) : ''].join('\n')
  const rule = rules.find(each => each.seen.test(text))
  const told = firstUseful(words) ?? (traceback ? lastLine(said) : undefined)
  const tail = told === undefined ? '' : `: ${told}`
  if (rule !== undefined)
    return new Miss(rule.blame, new Trouble(rule.reason, `${place}: ${rule.what}${tail}`))
  if (sourceless)
    return new Miss('replica', new Trouble('no_replica', `${place}: the official client finds no file there`))
  if (traceback)
    return new Miss('replica', new Trouble('unsupported', `${place}: the official client broke${tail}`))
  return new Miss('replica', new Trouble('refused', `${place}: the official client brought nothing${tail}`))
}

/** The lines of a run for the log: what it did and what went wrong; not each of its calls to the server. PFNs without their query, which may
 *  hold a signature. */
export function toLog(said: string): string[] {
  return (
    linesOf(said)
      .filter(
        ({ level, text, more }) =>
          !/method is being deprecated/.test(text) && (level !== 'DEBUG' || more.some(isDetail)),
      )
      // After its last line its summary follows, which counts and says no more.
      .flatMap(({ level, text, more }) => [`${level} ${text}`, ...(level === 'INFO' ? [] : more)])
      .map(withoutQueries)
  )
}

function withoutQueries(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s?'"]*)\?[^\s'"]*/gi, '$1')
}

/** The last thing that went wrong, with its details. Before the last try of the last source nothing counts: an earlier one may have had
 *  another trouble, and the last is the freshest. */
function lastWords(all: readonly Said[]): string {
  const wrong = all.filter(
    ({ level, text, more }) =>
      more.some(isDetail) ||
      /^scheme: \S+, exception: /.test(text) ||
      (level === 'ERROR' && !/^(Failed to download file|None of the requested|Not all of the)/.test(text)),
  )
  const last = wrong.at(-1)
  return last === undefined
    ? ''
    : [last.text.replace(/^scheme: \S+, exception: /, ''), ...last.more].map(withoutQueries).join('\n')
}

/** The innermost detail: "An unknown exception occurred" says nothing. */
function firstUseful(words: string): string | undefined {
  return words
    .split('\n')
    .map(each => each.replace(/^Details: /, '').trim())
    .findLast(each => each !== '' && !/^an unknown exception occurred|^this means the rse/i.test(each))
}

function isDetail(line: string): boolean {
  return line.startsWith('Details: ')
}

function lastLine(said: string): string {
  return withoutQueries(said.trimEnd().split('\n').at(-1)?.trim() ?? '')
}

function linesOf(said: string): Said[] {
  const found: { level: string; text: string; more: string[] }[] = []
  for (const line of said.split('\n')) {
    const match = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL) (?:Thread \d+\/\d+: )?(.*)$/.exec(line)
    if (match !== null) found.push({ level: match[1] ?? '', text: match[2] ?? '', more: [] })
    else if (line.trim() !== '') found.at(-1)?.more.push(line)
  }
  return found
}
