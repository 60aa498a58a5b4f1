import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createRaw, type Socket, type Server as TcpServer } from 'node:net'
import { createSecureContext } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeIdentity, retireIdentity } from '../../src/outside/identity.ts'
import { type Ask, ask, bodyText, dropBody, setLoopbackAllowed } from '../../src/outside/request.ts'
import { Trouble } from '../../src/words/reason.ts'
import { rejects } from '../help/data.ts'

const test = suite('request')
const servers = new Set<Server | TcpServer>()
const sockets = new Set<Socket>()
const identity = makeIdentity({ certificate: undefined, bare: createSecureContext() })

test.before(() => setLoopbackAllowed(true, new Set()))
test.after(() => {
  retireIdentity(identity)
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
})

async function listen<T extends Server | TcpServer>(server: T): Promise<{ server: T; port: number }> {
  servers.add(server)
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { server, port: (server.address() as AddressInfo).port }
}

async function serve(listener: RequestListener): Promise<number> {
  return (await listen(createServer({ keepAliveTimeout: 60_000 }, listener))).port
}

function get(port: number, more: Partial<Ask> = {}): Ask {
  return {
    method: 'GET',
    scheme: 'http',
    host: '127.0.0.1',
    port,
    path: '/',
    agent: identity.plainAgent,
    limits: { connectMs: 5_000, headersMs: 5_000, idleMs: 5_000 },
    signal: new AbortController().signal,
    ...more,
  }
}

async function troubleOf(promise: Promise<unknown>): Promise<Trouble> {
  const error = await rejects(promise)
  if (!(error instanceof Trouble)) throw error
  return error
}

test('an answer comes with its status, and its body as text', async () => {
  const port = await serve((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => response.writeHead(201).end(`${request.method} ${request.url} ${body}`))
  })
  const answer = await ask(get(port, { method: 'POST', path: '/a?b', body: 'ä' }))
  assert.is(answer.statusCode, 201)
  assert.is(await bodyText(answer, 100), 'POST /a?b ä')
})

test('a redirect is not followed', async () => {
  const port = await serve((_, response) => response.writeHead(302, { location: '/other' }).end())
  const answer = await ask(get(port))
  assert.is(answer.statusCode, 302)
  dropBody(answer)
})

test('a body longer than wanted ends in bad_listing', async () => {
  const port = await serve((_, response) => response.end('x'.repeat(101)))
  assert.is((await troubleOf(bodyText(await ask(get(port)), 100))).reason, 'bad_listing')
})

test('nobody on the port is host_down', async () => {
  const { server, port } = await listen(createRaw())
  await new Promise(done => server.close(done))
  const trouble = await troubleOf(ask(get(port)))
  assert.is(trouble.reason, 'host_down')
  assert.match(trouble.detail, `127.0.0.1:${port} refuses connections`)
})

test('a host that says "go on" without end is down, and takes no time from the rest', async () => {
  const { port } = await listen(
    createRaw(socket => {
      socket.on('error', () => {})
      const pour = () => {
        while (!socket.destroyed && socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)));
      }
      socket.on('drain', pour)
      socket.once('data', pour)
    }),
  )
  const trouble = await troubleOf(ask(get(port)))
  assert.is(trouble.reason, 'host_down')
  assert.match(trouble.detail, 'never answers')
})

test('a host that changes to another language unasked is down', async () => {
  const { port } = await listen(
    createRaw(socket => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nwhatever'),
      )
    }),
  )
  const late = AbortSignal.timeout(3_000)
  assert.is((await troubleOf(ask(get(port, { signal: late })))).reason, 'host_down')
  assert.not.ok(late.aborted)
})

test('some words before the answer are usual', async () => {
  const { port } = await listen(
    createRaw(socket => {
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        ),
      )
    }),
  )
  assert.is(await bodyText(await ask(get(port)), 100), 'ok')
})

test('a host that accepts and says nothing is stalled', async () => {
  const { port } = await listen(createRaw())
  const limits = { connectMs: 5_000, headersMs: 60, idleMs: 5_000 }
  assert.is((await troubleOf(ask(get(port, { limits })))).reason, 'stalled')
})

test('TLS that never comes to an end is host_down after the connect limit', async () => {
  const { port } = await listen(createRaw())
  const limits = { connectMs: 60, headersMs: 5_000, idleMs: 5_000 }
  const trouble = await troubleOf(ask(get(port, { scheme: 'https', agent: identity.agent, limits })))
  assert.is(trouble.reason, 'host_down')
})

test('a body without a byte for the idle limit is stalled', async () => {
  const port = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345')
  })
  const limits = { connectMs: 5_000, headersMs: 5_000, idleMs: 80 }
  const answer = await ask(get(port, { limits }))
  assert.is((await troubleOf(bodyText(answer, 100))).reason, 'stalled')
})

test('time in which we do not read is not held against the server', async () => {
  const port = await serve((_, response) => response.end('x'.repeat(4 * 2 ** 20)))
  const limits = { connectMs: 5_000, headersMs: 5_000, idleMs: 40 }
  const answer = await ask(get(port, { limits }))
  await new Promise(done => setTimeout(done, 150))
  assert.is((await bodyText(answer, 2 ** 23)).length, 4 * 2 ** 20)
})

test('a body that is cut short is stalled, not an end', async () => {
  const port = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345', () => response.socket?.destroy())
  })
  const trouble = await troubleOf(bodyText(await ask(get(port)), 100))
  assert.is(trouble.reason, 'stalled')
  assert.match(trouble.detail, 'in the middle')
})

test('a signal ends a request that waits, and one whose body comes', async () => {
  const { port: silent } = await listen(createRaw())
  const first = new AbortController()
  const waiting = rejects(ask(get(silent, { signal: first.signal })))
  first.abort(new Error('enough'))
  assert.is(((await waiting) as Error).message, 'enough')

  const port = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345')
  })
  const second = new AbortController()
  const body = rejects(bodyText(await ask(get(port, { signal: second.signal })), 100))
  second.abort(new Error('enough'))
  assert.is(((await body) as Error).message, 'enough')
})

/** Answers the first request of each connection; the second finds it reset, as after a server's idle limit. */
async function forgetful(): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = []
  const { port } = await listen(
    createRaw(socket => {
      let requests = 0
      socket.on('error', () => {})
      socket.on('data', chunk => {
        seen.push(chunk.toString().split(' ')[0] ?? '')
        if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.resetAndDestroy()
      })
    }),
  )
  return { port, seen }
}

test('a pooled connection that was dead already is repeated, for what may be sent twice', async () => {
  const { port, seen } = await forgetful()
  const text = async (more: Partial<Ask>) => bodyText(await ask(get(port, more)), 10)
  assert.is(await text({}), 'ok')
  assert.is(await text({}), 'ok')
  assert.equal(seen, ['GET', 'GET', 'GET'])
  assert.is(await text({ method: 'POST', body: '{}', repeatable: true }), 'ok')
  assert.is((await troubleOf(text({ method: 'POST', body: '{}' }))).reason, 'host_down')
})

test('a first connection that is reset is not repeated', async () => {
  let seen = 0
  const { port } = await listen(
    createRaw(socket => {
      socket.on('error', () => {})
      socket.on('data', () => {
        seen++
        socket.resetAndDestroy()
      })
    }),
  )
  assert.is((await troubleOf(ask(get(port)))).reason, 'host_down')
  assert.is(seen, 1)
})

test('a retired identity keeps no connection', async () => {
  const port = await serve((_, response) => response.end('ok'))
  const own = makeIdentity({ certificate: undefined, bare: createSecureContext() })
  const answer = await ask(get(port, { agent: own.plainAgent }))
  const socket = answer.socket
  retireIdentity(own)
  assert.is(await bodyText(answer, 10), 'ok')
  if (!socket.destroyed) await new Promise(done => socket.once('close', done))
  assert.equal(Object.keys(own.plainAgent.freeSockets), [])
})

test('loopback, the wire and metadata are refused however they are written, unless allowed', async () => {
  const port = await serve((_, response) => response.end('ok'))
  setLoopbackAllowed(false, new Set())
  for (const host of ['127.0.0.1', '127.1', '2130706433', 'localhost', '::1', '::ffff:127.0.0.1', '0.0.0.0'])
    assert.is((await troubleOf(ask(get(port, { host })))).reason, 'refused', host)
  // What the user wrote in rucio.cfg is taken.
  assert.is(await bodyText(await ask(get(port, { configured: true })), 10), 'ok')
  setLoopbackAllowed(true, new Set())
  for (const host of ['169.254.169.254', '2852039166', 'fe80::1', 'fd00:ec2::254', '224.0.0.1'])
    assert.is((await troubleOf(ask(get(80, { host })))).reason, 'refused', host)
  // Our own port is never a storage, also where loopback is allowed.
  setLoopbackAllowed(true, new Set([port]))
  assert.is((await troubleOf(ask(get(port)))).reason, 'refused')
  setLoopbackAllowed(true, new Set())
})

test('what speaks no HTTP is host_down', async () => {
  const { port } = await listen(createRaw(socket => socket.end('220 mail ready\r\n')))
  assert.is((await troubleOf(ask(get(port)))).reason, 'host_down')
})

test('a name that nobody knows is no reason to call this machine offline, as long as it has a network', async () => {
  const trouble = await troubleOf(ask(get(80, { host: 'no-such-host.invalid' })))
  assert.ok(['host_down', 'offline'].includes(trouble.reason))
})

test.run()
