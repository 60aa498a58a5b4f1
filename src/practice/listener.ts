// One port on 127.0.0.1 and ::1 that can be shut and opened again, with TLS or without, and connections that can be reset or left in
// silence. Never looks at what is asked.

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { caPem, hostKeyPem, hostPem } from './certificates.ts'
import { hasBadCertificate } from './identity.ts'

export type Connection = {
  /** Ends it with a RST: what the kernel still holds is lost. */
  reset(): void
  /** body bytes handed to it, over all its requests */
  bodyBytes: number
  /** the rate limit has been used up to this moment; ms of performance.now() */
  paidUntil: number
}

export type Listener = {
  readonly port: number
  /** Does nothing if it is open. Throws EADDRINUSE if somebody took the port meanwhile. */
  open(): Promise<void>
  /** Refuses connections from now on and resets those that are open. */
  shut(): Promise<void>
}

/** Opens a free port. */
export async function listen(options: {
  readonly secure: boolean
  /** how long a connection may be idle before it is closed */
  readonly idleMs: number
  /** new connections get nothing at all while this is true */
  readonly silent: () => boolean
  readonly answer: (request: IncomingMessage, response: ServerResponse, connection: Connection) => void
}): Promise<Listener> {
  const sockets = new Set<Socket>()
  const connections = new WeakMap<Socket, Connection>()
  // It never listens itself: connections are handed to it, so that the TCP socket below TLS stays in our hands.
  const http = createHttpServer({ keepAliveTimeout: options.idleMs }, (request, response) => {
    const connection = connections.get(request.socket)
    if (connection !== undefined) options.answer(request, response, connection)
  })

  function accept(raw: Socket): void {
    sockets.add(raw)
    raw.setNoDelay(true)
    raw.once('close', () => sockets.delete(raw))
    raw.on('error', ignore)
    if (options.silent()) return
    const serve = (socket: Socket): void => {
      connections.set(socket, { reset: () => raw.resetAndDestroy(), bodyBytes: 0, paidUntil: 0 })
      http.emit('connection', socket)
    }
    if (!options.secure) {
      serve(raw)
      return
    }
    const tls = new TLSSocket(raw, {
      isServer: true,
      secureContext: context,
      requestCert: true,
      rejectUnauthorized: false,
    })
    tls.on('error', () => raw.destroy())
    // XRootD and gunicorn refuse a bad certificate with a TLS alert, which node:tls cannot send: here the connection just breaks.
    tls.once('secure', () => (hasBadCertificate(tls) ? raw.destroy() : serve(tls)))
  }

  let servers = await openBoth(0, accept)
  const address = servers[0]?.address()
  if (typeof address !== 'object' || address === null) throw new Error('a listening server has no port')
  const { port } = address

  return {
    port,
    async open() {
      if (servers.length === 0) servers = await openBoth(port, accept)
    },
    async shut() {
      const closing = servers
      servers = []
      const closed = closing.map(server => new Promise(resolve => server.close(resolve)))
      for (const socket of sockets) socket.resetAndDestroy()
      await Promise.all(closed)
    },
  }
}

const context = createSecureContext({
  key: hostKeyPem,
  cert: hostPem,
  ca: caPem,
  // Without it a client that offers an old session is refused outright, as certificates are asked for.
  sessionIdContext: 'practice',
})

// A client that goes away in the middle is what this storage is for; `close` follows and the answer ends there.
function ignore(): void {}

async function openBoth(port: number, accept: (socket: Socket) => void): Promise<Server[]> {
  // A free port of one family may be taken in the other: then another is tried.
  for (let tries = 1; ; tries++) {
    const first = await open('127.0.0.1', port, accept)
    try {
      const address = first.address()
      const second = await open('::1', typeof address === 'object' ? (address?.port ?? 0) : 0, accept)
      return [first, second]
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : ''
      // No IPv6 here: the one will do.
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return [first]
      await new Promise(resolve => first.close(resolve))
      if (port !== 0 || tries === 10) throw error
    }
  }
}

function open(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(accept)
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}
