// One HTTP request that tells everything: status, headers, bytes, and how it ended. Never follows, repeats or judges.

import { type IncomingHttpHeaders, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { TlsOptions } from 'node:tls'

export type Told = {
  /** 0 = no answer came */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** undefined = it ended as it should; else the code of the error */
  readonly broken: string | undefined
}

/** On a connection of its own, unless `agent` is given. */
export function ask(
  url: string,
  options: {
    readonly method?: string
    /** as it goes over the wire, in place of the URL's, which is normalised */
    readonly path?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly ca?: string
    readonly cert?: TlsOptions['cert']
    readonly key?: TlsOptions['key']
    readonly agent?: import('node:https').Agent
    /** the connection is left after so many bytes of body */
    readonly leaveAfter?: number
  } = {},
): Promise<Told> {
  const { body, leaveAfter, agent = false, ...others } = options
  // Node sends the body of a DELETE without any length, and so as nothing, unless it is told.
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const rest = { ...others, headers: { ...length, ...others.headers } }
  return new Promise(resolve => {
    const pieces: Buffer[] = []
    let head: { readonly status: number; readonly headers: IncomingHttpHeaders } = { status: 0, headers: {} }
    const tell = (broken: string | undefined): void => {
      const bytes = Buffer.concat(pieces)
      resolve({ ...head, bytes, text: bytes.toString(), broken })
    }
    const sent = url.startsWith('https:')
      ? tlsRequest(url, { ...rest, agent })
      : plainRequest(url, { ...rest, agent: false })
    const code = (error: Error): string => ('code' in error ? String(error.code) : error.message)
    sent.on('error', error => tell(code(error)))
    sent.on('response', answer => {
      head = { status: answer.statusCode ?? 0, headers: answer.headers }
      answer.on('data', (piece: Buffer) => {
        pieces.push(piece)
        if (leaveAfter !== undefined && pieces.reduce((sum, each) => sum + each.length, 0) >= leaveAfter)
          sent.destroy()
      })
      answer.on('error', error => tell(code(error)))
      answer.on('end', () => tell(undefined))
    })
    sent.end(body)
  })
}

/** Lines of an x-json-stream. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}
