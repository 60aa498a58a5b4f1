// Sends one answer: JSON at once, or in pieces as fast as the client takes them. Never holds a long answer as one string.

import type { ServerResponse } from 'node:http'
import type { Headers } from './problem.ts'

/** Text of an answer in pieces. */
export type Pieces = AsyncIterable<string> | Iterable<string>

export type Answer = {
  readonly status: number
  readonly headers?: Headers
  /** JSON of moderate size, or the text of the JSON in pieces */
  readonly body: { readonly json: unknown } | { readonly pieces: Pieces }
}

/** Pieces are sent together up to this length. */
const pieceChars = 32 * 1024
/** A client that takes nothing for this long is gone, or wants to hold our memory. */
const drainMs = 30_000

export function json(value: unknown, status = 200, headers: Headers = {}): Answer {
  return { status, headers, body: { json: value } }
}

/** Resolves when everything has been handed to the socket, or the client has gone. Throws what the pieces throw; when that happens
 *  after the head was sent the socket is destroyed first, so that a cut answer can never pass for a whole one. */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if (response.destroyed) return
  response.statusCode = answer.status
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Cache-Control', 'no-store')
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
  if ('json' in answer.body) {
    const text = `${JSON.stringify(answer.body.json)}\n`
    response.setHeader('Content-Length', Buffer.byteLength(text))
    response.end(text)
    return
  }
  try {
    await sendPieces(response, answer.body.pieces)
  } catch (error) {
    response.destroy()
    throw error
  }
}

async function sendPieces(response: ServerResponse, pieces: Pieces): Promise<void> {
  let waiting = ''
  for await (const piece of pieces) {
    waiting += piece
    if (waiting.length < pieceChars) continue
    if (!response.write(waiting) && !(await drained(response))) return
    waiting = ''
  }
  response.end(`${waiting}\n`)
}

/** @returns false when the client has gone, or takes nothing */
async function drained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return false
  return await new Promise<boolean>(resolve => {
    const end = (goesOn: boolean) => {
      clearTimeout(timer)
      response.off('drain', onDrain).off('close', onClose)
      if (!goesOn) response.destroy()
      resolve(goesOn)
    }
    const onDrain = () => end(true)
    const onClose = () => end(false)
    const timer = setTimeout(onClose, drainMs)
    response.on('drain', onDrain).on('close', onClose)
  })
}

/** The text of a JSON array in pieces: `before`, each item, `after`. */
export async function* listed(
  before: string,
  items: AsyncIterable<unknown> | Iterable<unknown>,
  after: string,
): AsyncGenerator<string> {
  let text = before
  let first = true
  /** @returns what is to be sent now */
  const add = (item: unknown): string => {
    text += (first ? '' : ',') + JSON.stringify(item)
    first = false
    const full = text.length < pieceChars ? '' : text
    if (full !== '') text = ''
    return full
  }
  // `for await` takes longer for an item that is there already than its JSON does.
  if (Symbol.iterator in items)
    for (const item of items) {
      const full = add(item)
      if (full !== '') yield full
    }
  else
    for await (const item of items) {
      const full = add(item)
      if (full !== '') yield full
    }
  yield text + after
}
