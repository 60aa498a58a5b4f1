// A web server over a data directory, without a loop, and a client that sends just the bytes that a test wants.

import { connect } from 'node:net'
import type { Root } from '../../src/disk/layout.ts'
import { type Limits, limits, type Site, startWeb, type Web, type WebOptions } from '../../src/web/server.ts'
import { type Accept, openAccept } from '../../src/wishes/accept.ts'
import type { FileProgress } from '../../src/words/progress.ts'
import type { DataState } from '../../src/words/status.ts'
import { world } from './data.ts'

export type Bench = {
  readonly web: Web
  readonly port: number
  readonly site: Site
  readonly logged: string[]
  readonly progress: Map<string, Map<string, FileProgress>>
  /** what the loop would say of DATA */
  become(state: DataState, message: string): void
  /** what the loop would call */
  changed(name?: string): void
  listeners(): number
}

export async function openBench(
  root: Root,
  more: {
    readonly accept?: Accept
    readonly options?: Partial<WebOptions>
    readonly limits?: Partial<Limits>
    readonly troubles?: readonly string[]
  } = {},
): Promise<Bench> {
  const listeners = new Set<(name?: string) => void>()
  const logged: string[] = []
  const progress = new Map<string, Map<string, FileProgress>>()
  let state: { readonly state: DataState; readonly message: string } = { state: 'ready', message: '' }
  const changed = (name?: string) => {
    for (const listener of listeners) listener(name)
  }
  const site: Site = {
    root,
    accept: more.accept ?? openAccept(root, world, () => changed()),
    log: (name, text) => logged.push(`${name}: ${text}`),
    progress,
    state: () => state,
    troubles: () => more.troubles ?? [],
    waiting: name => (name === 'mc16.x.waits' ? { reason: 'offline', message: 'No connection.' } : undefined),
    onChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const options: WebOptions = {
    hosts: ['127.0.0.1'],
    port: 0,
    allowedHosts: [],
    cachePrefix: undefined,
    world,
    version: '1.2.3',
    site: () => site,
    ...more.options,
  }
  const web = await startWeb(options, { ...limits, ...more.limits })
  return {
    web,
    port: Number(new URL(web.url).port),
    site,
    logged,
    progress,
    become: (its, message) => {
      state = { state: its, message }
    },
    changed,
    listeners: () => listeners.size,
  }
}

export type Reply = { readonly status: number; readonly headers: Map<string, string>; readonly body: string }

/** Sends bytes as they are, ends nothing, and reads until the server closes or the reply is whole. */
export function raw(port: number, text: string | Buffer, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host })
    let all = ''
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      all += chunk
    })
    socket.on('error', error => (all === '' ? reject(error) : resolve(all)))
    socket.on('close', () => resolve(all))
    socket.write(text)
  })
}

/** One request with its own connection. */
export async function ask(
  port: number,
  method: string,
  url: string,
  headers: readonly string[] = [`Host: localhost:${port}`],
): Promise<Reply> {
  return parse(
    await raw(port, `${[`${method} ${url} HTTP/1.1`, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`),
  )
}

export function parse(text: string): Reply {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = new Map(
    lines.map(line => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const rest = text.slice(end + 4)
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunk(rest) : rest
  return {
    status: Number(first.split(' ')[1]),
    headers,
    body: Buffer.from(body, 'latin1').toString('utf8'),
  }
}

function unchunk(text: string): string {
  let out = ''
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at)
    const length = line < 0 ? Number.NaN : Number.parseInt(text.slice(at, line), 16)
    if (Number.isNaN(length)) throw new Error('the answer was cut')
    if (length === 0) return out
    out += text.slice(line + 2, line + 2 + length)
    at = line + 2 + length + 2
  }
}

/** GET, POST or DELETE, the answer as JSON with its status. */
export async function call(
  port: number,
  method: string,
  url: string,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const { status, body } = await ask(port, method, url)
  return { status, json: JSON.parse(body) }
}
