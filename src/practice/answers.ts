// The shapes of all answers of Rucio's REST interface (facts/rucio.md 2): objects, lists, errors, pages. Never decides which one is given.

import { type ServerResponse, STATUS_CODES } from 'node:http'

/** The headers that every answer has. */
export function commonHeaders(response: ServerResponse): void {
  response.setHeader('Server', 'gunicorn')
  // Said by us, so that Node does not say how long: gunicorn does not either.
  response.setHeader('Connection', 'keep-alive')
  // The word None, as the real server writes it.
  response.setHeader('Access-Control-Allow-Origin', 'None')
  response.setHeader('Access-Control-Allow-Headers', 'None')
  response.setHeader('Access-Control-Allow-Methods', '*')
  response.setHeader('Access-Control-Allow-Credentials', 'true')
  response.setHeader('Cache-Control', [
    'no-cache, no-store, max-age=0, must-revalidate',
    'post-check=0, pre-check=0',
  ])
  response.setHeader('Pragma', 'no-cache')
}

export function answerObject(value: unknown, response: ServerResponse): void {
  body(200, 'application/json', JSON.stringify(value), response)
}

/** One JSON value a line, chunked; an empty list has Content-Length 0.
 *  @param cut true = the connection breaks in the middle of the list; 'clean' = the list ends in the middle, properly */
export function answerLines(
  lines: readonly unknown[],
  cut: boolean | 'clean',
  response: ServerResponse,
): void {
  if (lines.length === 0) {
    body(200, 'application/x-json-stream', '', response)
    return
  }
  response.setHeader('Content-Type', 'application/x-json-stream')
  response.writeHead(200, phrase(200))
  const texts = lines.map(line => `${JSON.stringify(line)}\n`)
  const half = Math.floor(texts.length / 2)
  if (cut === false) {
    for (let at = 0; at < texts.length; at += 100) response.write(texts.slice(at, at + 100).join(''))
    response.end()
  } else if (cut === 'clean') response.end(texts.slice(0, half).join(''))
  else {
    const broken = texts[half] ?? ''
    response.write(texts.slice(0, half).join('') + broken.slice(0, Math.floor(broken.length / 2)), () =>
      response.socket?.destroy(),
    )
  }
}

/** Rucio's own errors. The header is cut at 125 characters, the body never is. */
export function answerError(
  status: number,
  exceptionClass: string,
  message: string,
  response: ServerResponse,
): void {
  const short = message.replace(/\n/g, ' ').replace(/[^\x20-\x7e]/g, '?')
  response.setHeader('ExceptionClass', exceptionClass)
  response.setHeader('ExceptionMessage', short.length > 125 ? `${short.slice(0, 125)}...` : short)
  const text = JSON.stringify({ ExceptionClass: exceptionClass, ExceptionMessage: message })
  body(status, 'application/octet-stream', text, response)
}

/** What Flask and Apache say for themselves: HTML, without ExceptionClass. */
export function answerPage(status: number, text: string, response: ServerResponse): void {
  const title = STATUS_CODES[status] ?? 'Error'
  const page = `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`
  body(status, 'text/html; charset=utf-8', page, response)
}

/** Text without any frame. */
export function answerText(
  status: number,
  contentType: string,
  text: string,
  response: ServerResponse,
): void {
  body(status, contentType, text, response)
}

function body(status: number, contentType: string, text: string, response: ServerResponse): void {
  response.setHeader('Content-Type', contentType)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.writeHead(status, phrase(status))
  response.end(text)
}

function phrase(status: number): string {
  return (STATUS_CODES[status] ?? 'UNKNOWN').toUpperCase()
}
