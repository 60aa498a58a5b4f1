// Rucio's REST interface of the practice grid: its port, tokens, faults of the whole catalogue (facts/rucio.md 2). Never knows what lies
// behind a path: routes.ts does.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerError, answerObject, answerPage, answerText, commonHeaders } from './answers.ts'
import { openTokens, type Tokens } from './auth.ts'
import { closed } from './body.ts'
import type { Contents } from './contents.ts'
import type { CatalogueFaults } from './faults.ts'
import { listen } from './listener.ts'
import type { Rse } from './replicas.ts'
import { notFound, viewOf } from './routes.ts'
import { ruleView } from './rule-routes.ts'
import { openRules, type Rules, type Ways } from './rules.ts'

export type Catalogue = {
  readonly port: number
  setFaults(faults: CatalogueFaults): Promise<void>
  calls(): readonly string[]
  /** texts of the traces that it took */
  traces(): readonly string[]
  stop(): Promise<void>
}

export async function openCatalogue(options: {
  readonly contents: () => Contents
  readonly rses: readonly Rse[]
}): Promise<Catalogue> {
  const calls: string[] = []
  const traces: string[] = []
  const tokens = openTokens()
  const rules = openRules(options.contents, options.rses)
  let faults: CatalogueFaults = {}
  const listener = await listen({
    secure: true,
    // As gunicorn does: a socket from a client's pool may be dead.
    idleMs: 5000,
    silent: () => faults.hang === true,
    answer(request, response) {
      calls.push(`${request.method} ${request.url}`)
      void answer({ ...options, faults, tokens, rules, traces }, request, response)
    },
  })
  return {
    port: listener.port,
    async setFaults(change) {
      faults = { ...faults, ...change }
      if (change.tokenLifeSeconds !== undefined) tokens.setLife(change.tokenLifeSeconds)
      if (change.forgetTokens === true) tokens.forget()
      if (change.sshKeys !== undefined) tokens.setSshKeys(change.sshKeys)
      if (change.cleanRules !== undefined && change.cleanRules !== false)
        rules.clean(change.cleanRules === 'all')
      await (faults.down === true ? listener.shut() : listener.open())
    },
    calls: () => [...calls],
    traces: () => [...traces],
    stop: () => listener.shut(),
  }
}

type Here = {
  readonly contents: () => Contents
  readonly rses: readonly Rse[]
  readonly faults: CatalogueFaults
  readonly tokens: Tokens
  readonly rules: Rules
  readonly traces: string[]
}

async function answer(here: Here, request: IncomingMessage, response: ServerResponse): Promise<void> {
  commonHeaders(response)
  const text = await readBody(request)
  if (text === undefined) return
  if (here.faults.hang === true) return closed(response)
  if ((here.faults.status ?? 0) !== 0) return fail(here.faults.status ?? 500, response)
  const [rawPath = '/', rawQuery = ''] = (request.url ?? '/').split('?', 2)
  const query = new URLSearchParams(rawQuery)
  const path = decode(rawPath)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (path === '/ping' && isRead) return answerObject({ version: '41.5.1' }, response)
  if (path.startsWith('/auth/') && isRead)
    return here.tokens.answer(path, request, response) ? undefined : notFound(response)
  if (path === '/traces/' && request.method === 'POST' && here.faults.takesTraces === true) {
    here.traces.push(text)
    return answerText(201, 'application/octet-stream', 'Created', response)
  }
  const cut = here.faults.cutLists ?? false
  const asked = { method: request.method ?? '', path, query }
  const view =
    ruleView({ rules: here.rules, ways: waysOf(here.faults), cut }, asked, text) ??
    viewOf({ ...here, cut }, path, query, text)
  if (view === undefined) return notFound(response)
  if (view.method !== (isRead ? 'GET' : request.method)) {
    response.setHeader('Allow', view.method === 'GET' ? 'GET, HEAD, OPTIONS' : `${view.method}, OPTIONS`)
    return answerPage(405, 'The method is not allowed for the requested URL.', response)
  }
  const token = request.headers['x-rucio-auth-token']
  if (typeof token !== 'string') return answerError(400, 'ValueError', 'Token must be set.', response)
  const account = here.tokens.accountOf(token)
  if (account === undefined)
    return answerError(401, 'CannotAuthenticate', 'Cannot authenticate with given credentials', response)
  const accept = request.headers.accept ?? '*/*'
  if (view.type !== undefined && !accept.includes('*/*') && !accept.includes(view.type)) {
    const message = `The requested content type ${accept} is not supported. Use ['${view.type}'].`
    return answerError(406, 'UnsupportedRequestedContentType', message, response)
  }
  await view.give(response, account)
}

function waysOf({ stuckRules, ruleState, quotaBytes, ownersMay }: CatalogueFaults): Ways {
  return {
    stuck: stuckRules ?? '',
    state: ruleState ?? '',
    quotaBytes: quotaBytes ?? undefined,
    ownersMay: ownersMay === true,
  }
}

function fail(status: number, response: ServerResponse): void {
  // What Apache in front says for itself has no ExceptionClass; what Rucio says has one.
  if (status >= 502) answerPage(status, 'The server is temporarily unable to service your request.', response)
  else if (status === 401)
    answerError(status, 'CannotAuthenticate', 'Cannot authenticate with given credentials', response)
  else answerError(status, 'DatabaseException', 'Database exception.', response)
}

/** undefined when the client went away before the end of it */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece)
  } catch {
    // Nobody is left to be told.
    return undefined
  }
  return Buffer.concat(pieces).toString()
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Not an escape: such a `%` is taken as it is.
    return path
  }
}
