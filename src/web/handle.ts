// One request, from its guard to its answer. Never lets a throw out, never acts before the whole request has come.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Answer, json, send } from './answer.ts'
import { checkBearer } from './bearer.ts'
import { allowOf, type Call, findRoute, index, type Route, startingStatus, startsNot } from './calls.ts'
import { type Desk, openDesk } from './desk.ts'
import { guard } from './guard.ts'
import { Problem, problemBody, toProblem } from './problem.ts'
import { underWay } from './raw.ts'
import type { Limits, WebOptions } from './server.ts'
import { openWaiters } from './wait.ts'

export type Handler = {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** the URL that GET /status and GET / name */
  opened(url: string): void
  /** Ends the waiters; answers from now on close their sockets. */
  close(): void
}

const mostBody = 64 * 1024
/** A client whose body was refused may send this much more before it is cut: it reads the answer only after it has sent. */
const mostDiscarded = 1024 * 1024

export function openHandler(options: WebOptions, bounds: Limits): Handler {
  const waiters = openWaiters()
  let desk: Desk | undefined
  let url = ''
  let closing = false

  const deskNow = (): Desk | undefined => {
    const site = options.site()
    if (site !== desk?.site) {
      desk?.close()
      desk = site === undefined ? undefined : openDesk(site, options, waiters, bounds.slowDiskMs)
    }
    return desk
  }

  const answerOf = async (
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const target = guard(request, options.allowedHosts)
    checkBearer(request, options.token)
    if (request.headers.expect !== undefined && !/^100-continue$/i.test(request.headers.expect))
      throw new Problem(417, 'bad_request', 'Send no Expect header; nothing here needs one.')
    const { route, rest } = chosen(request, target.path)
    // Only who may ask, and asks for something that is there, is told to send a body.
    if (request.headers.expect !== undefined) response.writeContinue()
    await readBody(request)
    const call: Call = { params: target.params, rest, signal, url, method: request.method ?? '' }
    if (route.needs === 'nothing') return index(call, options)
    const current = deskNow()
    if (current === undefined) {
      if (route.needs === 'status') return startingStatus(call, options)
      const why = options.waitsFor?.()
      const message =
        why === undefined ? 'The daemon is starting; ask again in some seconds.' : startsNot(why)
      throw new Problem(503, 'starting', message, { 'Retry-After': why === undefined ? '2' : '60' })
    }
    return await run(route, call, current)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    underWay.set(request.socket, response)
    let given: Answer
    try {
      given = await answerOf(request, response, gone.signal)
    } catch (error) {
      given = refusal(request, error)
    }
    // Body bytes that nobody has read would block the next request of this socket.
    discard(request)
    if (closing) response.setHeader('Connection', 'close')
    await send(response, given)
  }

  const refusal = (request: IncomingMessage, error: unknown): Answer => {
    const problem = toProblem(error)
    if (problem.code === 'bug')
      desk?.site.log(
        'web_server',
        `bug: ${request.method} ${error instanceof Error ? error.stack : String(error)}`,
      )
    else if (problem.status >= 500)
      desk?.site.log('web_server', `${problem.status} ${problem.code}: ${problem.message}`)
    return json(problemBody(problem), problem.status, problem.headers)
  }

  return {
    handle(request, response) {
      answer(request, response).catch(error => {
        // send() has cut the socket already: what was promised in the head cannot be kept.
        desk?.site.log(
          'web_server',
          `an answer was cut: ${error instanceof Error ? error.stack : String(error)}`,
        )
      })
    },
    opened(its) {
      url = its
    },
    close() {
      closing = true
      waiters.close()
      desk?.close()
    },
  }
}

async function run(route: Route, call: Call, desk: Desk): Promise<Answer> {
  if (route.needs !== 'data' && route.needs !== 'write') return await route.run(call, desk)
  if (route.needs === 'write') await desk.check('write')
  let answer: Answer
  try {
    answer = await route.run(call, desk)
  } catch (error) {
    // Whatever a look met in a directory that is not there, that it is not there is the reason.
    if (!(error instanceof Problem) || error.status >= 500) await desk.check('data')
    throw error
  }
  // Looked at afterwards: unmounted DATA looks empty, and `not_on_server` must not be said of that.
  await desk.check('data')
  return answer
}

function chosen(request: IncomingMessage, path: string): { readonly route: Route; readonly rest: string } {
  const found = findRoute(path)
  if (found === undefined) throw new Problem(404, 'not_found', 'There is no such call; GET / lists them.')
  const route = found.routes.find(each => each.methods.includes(request.method ?? ''))
  if (route !== undefined) return { route, rest: found.rest }
  const allow = allowOf(found.routes)
  throw new Problem(405, 'method', `This address takes ${allow} only.`, { Allow: allow })
}

/** Waits for the end of the body, which no call needs; nothing is done for a request that did not come whole. */
function readBody(request: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => new Problem(413, 'too_large', 'The body is over 64 KiB; no call needs one.')
    if (Number(request.headers['content-length'] ?? 0) > mostBody) {
      reject(tooLarge())
      return
    }
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > mostBody) reject(tooLarge())
    })
    request.on('end', resolve)
    const cut = () => reject(new Problem(400, 'bad_request', 'The request was cut short; send it again.'))
    // Node calls a client that hangs up an error of the request, and says so before it closes.
    request.on('error', cut)
    request.on('close', cut)
  })
}

function discard(request: IncomingMessage): void {
  if (request.complete) return
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > mostDiscarded) request.destroy()
  })
  request.on('error', () => request.destroy())
  request.resume()
}
