// The HTTP interface: sockets, limits, and the end. Writes wishes through Accept and reads the disk; never imports loop/.

import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Root } from '../disk/layout.ts'
import type { Accept } from '../wishes/accept.ts'
import type { Checkup } from '../words/checkup.ts'
import type { ProgressTable } from '../words/progress.ts'
import { codeOf } from '../words/reason.ts'
import type { DataState, Log } from '../words/status.ts'
import type { World } from '../words/world.ts'
import { type Handler, openHandler } from './handle.ts'
import { refuseRaw } from './raw.ts'
import { listenSocket } from './socket.ts'

export type WebOptions = {
  readonly hosts: readonly string[]
  /** 0 = a free one */
  readonly port: number
  readonly allowedHosts: readonly string[]
  readonly cachePrefix: string | undefined
  /** a Unix socket beside, or in place of, `hosts` */
  readonly socketPath?: string
  /** API_TOKEN: wanted of every request */
  readonly token?: string
  readonly world: World
  /** version of package.json, for GET /status */
  readonly version: string
  /** undefined until the lease is held: everything but GET /status and GET / is 503 `starting` then */
  readonly site: () => Site | undefined
  /** why there is none yet, a sentence with what to do; undefined when it is a matter of seconds */
  readonly waitsFor?: () => string | undefined
}

/** What the web may see. It writes wishes and reads the disk; it never imports loop/. */
export type Site = {
  readonly root: Root
  readonly accept: Accept
  readonly log: Log
  readonly progress: ProgressTable
  /** the loop's view of DATA, with a sentence */
  readonly state: () => { readonly state: DataState; readonly message: string }
  /** what stands in the way of all datasets: reasons of the loop (offline, auth, disk_full …) as sentences, for GET /status and /datasets */
  readonly troubles: () => readonly string[]
  /** per-dataset words of the loop that no record holds (why it waits): NAME -> {reason, message} */
  readonly waiting: (name: string) => { readonly reason: string; readonly message: string } | undefined
  /** where a browser may log in to Rucio now; undefined when nobody has to */
  readonly loginUrl?: () => string | undefined
  /** What a transfer needs, examined: takes seconds, and starts programs and connections; at most one at a time. */
  readonly doctor?: () => Promise<Checkup>
  /** GET /status is asked: what can be looked at cheaply is, and told in the next answer */
  readonly askedForStatus?: () => void
  /** called after anything on disk changed that a waiter may wait for; with the NAME where it is known, so that what is kept of the
   *  others still counts
   *  @returns stops it */
  readonly onChange: (listener: (name?: string) => void) => () => void
}

export type Web = {
  /** first URL in use, e.g. http://127.0.0.1:8000; unix:PATH where there is a socket alone */
  readonly url: string
  readonly ports: readonly number[]
  close(): Promise<void>
}

/** What bounds a client, and a disk that does not answer. Tests have shorter ones. */
export type Limits = {
  /** from the first byte to the last of a request's head; of the whole request; how often that is looked at; between requests */
  readonly headersMs: number
  readonly requestMs: number
  readonly checkMs: number
  readonly keepAliveMs: number
  readonly headerBytes: number
  /** over all addresses */
  readonly sockets: number
  readonly slowDiskMs: number
  /** what is still open this long after close() is cut */
  readonly closeMs: number
}

/** Measured in faults.md 1c: on Node's own (60 s, 300 s, no limit) 500 slow sockets were all still open after 8 s. */
export const limits: Limits = {
  headersMs: 10_000,
  requestMs: 30_000,
  checkMs: 2000,
  keepAliveMs: 5000,
  headerBytes: 8 * 1024,
  sockets: 256,
  slowDiskMs: 10_000,
  closeMs: 800,
}

/** Throws the listen error (EADDRINUSE …) as it is. */
export async function startWeb(options: WebOptions, bounds: Limits = limits): Promise<Web> {
  const handler = openHandler(options, bounds)
  const sockets = new Set<Socket>()
  const make = (): Server => makeServer(handler, bounds, sockets)
  const servers = await listenAll(options.hosts, options.port, make, options.socketPath !== undefined)
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  const url = servers[0] === undefined ? `unix:${options.socketPath}` : urlOf(servers[0])
  if (options.socketPath !== undefined) {
    const server = make()
    try {
      await listenSocket(server, options.socketPath)
    } catch (error) {
      await Promise.all(servers.map(stop))
      throw error
    }
    servers.push(server)
  }
  handler.opened(url)
  let closing: Promise<void> | undefined
  return {
    url,
    ports: [...new Set(ports)],
    close: () => {
      closing ??= closeAll(servers, handler, sockets, bounds.closeMs)
      return closing
    },
  }
}

function makeServer(handler: Handler, bounds: Limits, sockets: Set<Socket>): Server {
  const server = createServer(
    {
      headersTimeout: bounds.headersMs,
      requestTimeout: bounds.requestMs,
      connectionsCheckingInterval: bounds.checkMs,
      keepAliveTimeout: bounds.keepAliveMs,
      maxHeaderSize: bounds.headerBytes,
      // The guard looks at Host itself, to answer with a sentence.
      requireHostHeader: false,
      insecureHTTPParser: false,
    },
    handler.handle,
  )
  // No end after so many requests: Node answers a client that has sent on already with an empty 503.
  server.maxRequestsPerSocket = 0
  server.on('connection', socket => {
    if (sockets.size >= bounds.sockets) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that resets its connection is its own affair; without a listener the process would end.
    socket.on('error', () => socket.destroy())
  })
  server.on('clientError', refuseRaw)
  server.on('checkContinue', handler.handle)
  server.on('checkExpectation', handler.handle)
  server.on('connect', (_, socket) => refuseRaw(new Error('CONNECT'), socket))
  return server
}

/** Both stacks on one port. A machine without IPv6 has no ::1, which is no error while another address can be had. */
async function listenAll(
  hosts: readonly string[],
  port: number,
  make: () => Server,
  mayBeNone: boolean,
): Promise<Server[]> {
  if (hosts.length === 0 && mayBeNone) return []
  for (let tries = 1; ; tries++) {
    const servers: Server[] = []
    let shared = port
    let absent: unknown
    try {
      for (const host of hosts) {
        const server = make()
        try {
          await listen(server, host, shared)
        } catch (error) {
          if (!isAbsent(error)) throw error
          absent = error
          continue
        }
        servers.push(server)
        shared = (server.address() as AddressInfo).port
      }
      if (servers.length > 0) return servers
    } catch (error) {
      await Promise.all(servers.map(stop))
      // A port that is free on one stack may be taken on the other: with port 0 another one will do.
      if (port === 0 && codeOf(error) === 'EADDRINUSE' && servers.length > 0 && tries < 20) continue
      throw error
    }
    throw absent ?? new Error('no address to listen on was given')
  }
}

function isAbsent(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '')
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // ipv6Only: else :: would take IPv4 too, and 0.0.0.0 beside it would be EADDRINUSE.
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      server.off('error', reject)
      // EMFILE and the like on accept: the connection is lost, the server goes on.
      server.on('error', () => undefined)
      resolve()
    })
  })
}

/** Waiters are answered at once, answers under way may end, and what is still open then is cut. */
async function closeAll(
  servers: readonly Server[],
  handler: Handler,
  sockets: ReadonlySet<Socket>,
  ms: number,
): Promise<void> {
  const ended = Promise.all(servers.map(stop))
  handler.close()
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, ms)
  await ended
  clearTimeout(timer)
}

function stop(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}
