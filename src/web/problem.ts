// What an answer may say instead of the answer: HTTP status, a code of the closed list, a sentence. Never shows a stack or a path.

import { Fenced } from '../disk/put.ts'
import { type Reason, sentence, Trouble, toTrouble } from '../words/reason.ts'

/** DESIGN.md, the frozen interface: an error is one of these. */
export type Code =
  | 'bad_name'
  | 'bad_request'
  | 'unauthorized'
  | 'cross_site'
  | 'not_found'
  | 'method'
  | 'name_taken'
  | 'too_large'
  | 'host_not_allowed'
  | 'read_only'
  | 'data_dir_missing'
  | 'disk_slow'
  | 'queue_full'
  | 'starting'
  | 'disk_full'
  | 'disk_error'
  | 'bug'

export type Headers = Readonly<Record<string, string>>

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: Code
  readonly headers: Headers

  /** @param message one sentence with what to do */
  constructor(status: number, code: Code, message: string, headers: Headers = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

const busy: Headers = { 'Retry-After': '60' }

/** Any throw as a Problem. `bug` is all that is not known: its stack belongs into the log. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Fenced)
    return new Problem(503, 'starting', 'Another daemon has taken this data directory; ask that one.', busy)
  const trouble = toTrouble(error)
  const code = codes[trouble.reason] ?? 'bug'
  const status = { disk_full: 507, disk_error: 507, read_only: 503, name_taken: 409, bug: 500 }[code]
  return new Problem(
    status,
    code,
    sentence(trouble.reason, detailOf(error, trouble)),
    code === 'read_only' ? busy : {},
  )
}

/** What the disk says of itself; a link or folder under a name that is ours takes the name. */
const codes: Partial<Record<Reason, 'disk_full' | 'disk_error' | 'read_only' | 'name_taken'>> = {
  disk_full: 'disk_full',
  disk_error: 'disk_error',
  read_only: 'read_only',
  refused: 'name_taken',
}

/** The text of what is no Trouble may hold an absolute path: it is for the log alone. */
function detailOf(error: unknown, trouble: Trouble): string {
  return error instanceof Trouble || trouble.reason !== 'bug' ? trouble.detail : ''
}

/** The body of an error answer. */
export function problemBody(problem: Problem): { status: 'error'; code: Code; message: string } {
  return { status: 'error', code: problem.code, message: problem.message }
}
