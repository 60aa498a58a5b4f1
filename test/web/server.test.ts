import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { Fenced } from '../../src/disk/put.ts'
import { limits, startWeb } from '../../src/web/server.ts'
import { openAccept } from '../../src/wishes/accept.ts'
import { codeOf, Trouble } from '../../src/words/reason.ts'
import { rejects, sweep, world } from '../help/data.ts'
import { didOf, openData, putWhole } from '../help/dataset.ts'
import { ask, call, openBench, parse, raw } from '../help/site.ts'

const test = suite('server')
test.after(sweep)

const ds = '/ds?ds_name=mc16.x.one'

test('both stacks listen on one port, which is free when it is asked to choose', async () => {
  const { web, port } = await openBench(await openData(), { options: { hosts: ['127.0.0.1', '::1'] } })
  assert.equal(web.ports, [port])
  assert.is(web.url, `http://127.0.0.1:${port}`)
  for (const host of ['127.0.0.1', '::1'])
    assert.is(parse(await raw(port, 'GET / HTTP/1.0\r\nHost: [::1]\r\n\r\n', host)).status, 200)
  await web.close()
})

test('an address that the machine does not have is no error while another can be had', async () => {
  const { web, port } = await openBench(await openData(), { options: { hosts: ['fd00::dead', '127.0.0.1'] } })
  assert.is((await ask(port, 'GET', '/')).status, 200)
  await web.close()
  const error = await rejects(openBench(await openData(), { options: { hosts: ['fd00::dead'] } }))
  assert.is(codeOf(error), 'EADDRNOTAVAIL')
})

test('a port that is taken is told as it is, and nothing stays open', async () => {
  const other: Server = createServer()
  await new Promise<void>(resolve => other.listen(0, '::1', resolve))
  const { port } = other.address() as { port: number }
  const error = await rejects(openBench(await openData(), { options: { hosts: ['127.0.0.1', '::1'], port } }))
  assert.is(codeOf(error), 'EADDRINUSE')
  other.close()
  const { web } = await openBench(await openData(), { options: { hosts: ['127.0.0.1', '::1'], port } })
  await web.close()
})

/** The interface while no data directory is ours yet. */
function startWaiting(more: { readonly waitsFor?: () => string } = {}): ReturnType<typeof startWeb> {
  return startWeb({
    hosts: ['127.0.0.1'],
    port: 0,
    allowedHosts: [],
    cachePrefix: undefined,
    world,
    version: '1',
    site: () => undefined,
    ...more,
  })
}

test('until the data directory is ours everything but / and /status is 503 starting', async () => {
  const web = await startWaiting()
  const port = Number(new URL(web.url).port)
  assert.is((await call(port, 'GET', '/')).status, 200)
  const { json } = await call(port, 'GET', '/status')
  assert.is(json['state'], 'starting')
  assert.equal(json['rucio_download'], { downloading: [] })
  for (const url of [ds, '/logs', '/datasets', '/dsfiles?ds_name=mc16.x.one']) {
    const reply = await call(port, 'GET', url)
    assert.is(`${reply.status} ${reply.json['code']}`, '503 starting')
  }
  await web.close()
})

test('a disk that lets nobody begin is named by every call that waits for it', async () => {
  const why = 'the disk takes no more bytes. Free some space.'
  const web = await startWaiting({ waitsFor: () => why })
  const port = Number(new URL(web.url).port)
  const { json } = await call(port, 'GET', '/status')
  assert.is(`${json['state']}: ${json['message']}`, `starting: The daemon cannot begin yet: ${why}`)
  const reply = await call(port, 'GET', ds)
  assert.is(reply.status, 503)
  assert.equal(reply.json, {
    status: 'error',
    code: 'starting',
    message: `The daemon cannot begin yet: ${why}`,
  })
  await web.close()
})

test('the limits are those that were measured', () => {
  assert.equal(limits, {
    headersMs: 10_000,
    requestMs: 30_000,
    checkMs: 2000,
    keepAliveMs: 5000,
    headerBytes: 8192,
    sockets: 256,
    slowDiskMs: 10_000,
    closeMs: 800,
  })
})

test('slow sockets are answered 408 and closed, a good request is served meanwhile, and a waiter outlives the limit', async () => {
  const short = { headersMs: 200, requestMs: 300, checkMs: 50 }
  const { web, port } = await openBench(await openData(), { limits: short })
  await ask(port, 'POST', ds)
  const waiting = call(port, 'GET', `${ds}&wait=0.8`)
  const from = performance.now()
  const slow = ['', 'GET /status HT', `POST ${ds} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx`]
  const replies = slow.map(text => raw(port, text))
  const good = performance.now()
  assert.is((await call(port, 'GET', '/status')).status, 200)
  assert.ok(performance.now() - good < 1000)
  for (const reply of await Promise.all(replies)) assert.is(parse(reply).status, 408)
  // The linger after a refusal is a second.
  assert.ok(performance.now() - from < 3000)
  assert.is((await waiting).json['status'], 'downloading')
  assert.ok(performance.now() - from >= 790)
  await web.close()
})

test('thousands of requests on one socket are all answered', async () => {
  const { web, port } = await openBench(await openData())
  const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const last = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const reply = await raw(port, request.repeat(2499) + last)
  assert.is(reply.split('HTTP/1.1 200 OK').length - 1, 2500)
  assert.not.match(reply, 'HTTP/1.1 503')
  await web.close()
})

test('one socket too many is closed, and there is room again when one has gone', async () => {
  const { web, port } = await openBench(await openData(), { limits: { sockets: 5 } })
  const held: Socket[] = []
  for (let i = 0; i < 5; i++) {
    const socket = connect(port, '127.0.0.1')
    held.push(socket)
    await once(socket, 'connect')
  }
  assert.is(await raw(port, 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n').catch(() => ''), '')
  held[0]?.destroy()
  for (let reply = ''; reply === ''; )
    reply = await raw(port, 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n').catch(() => '')
  for (const socket of held) socket.destroy()
  await web.close()
})

test('the end comes within a second, also with clients that send half, read nothing, or keep their connection', async () => {
  const { web, port } = await openBench(await openData())
  const half = connect(port, '127.0.0.1')
  half.on('error', () => undefined).write('GET /status HT')
  const idle = connect(port, '127.0.0.1')
  idle.on('error', () => undefined).write('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(idle, 'data')
  const from = performance.now()
  await web.close()
  assert.ok(performance.now() - from < 1000)
  assert.match(String(await rejects(raw(port, 'GET / HTTP/1.0\r\n\r\n'))), /ECONNREFUSED/)
  half.destroy()
  idle.destroy()
})

test('close() twice is one end, and the site is left', async () => {
  const bench = await openBench(await openData())
  await call(bench.port, 'GET', ds)
  assert.is(bench.listeners(), 1)
  await Promise.all([bench.web.close(), bench.web.close()])
  assert.is(bench.listeners(), 0)
})

test('a disk that does not answer is 503 disk_slow, and /status, / and the end do not wait for it', async () => {
  const root = await openData()
  const never = new Promise<never>(() => undefined)
  let called: () => void = () => undefined
  const want = () => {
    called()
    return never
  }
  const accept = { want, remove: () => never, list: () => never, exclusive: () => never }
  const { web, port, become } = await openBench(root, { accept, limits: { slowDiskMs: 100 } })
  for (const [method, url] of [
    ['POST', ds],
    ['DELETE', ds],
    ['GET', '/dsfiles?ds_name=mc16.x.one'],
  ] as const) {
    const { status, json } = await call(port, method, url)
    assert.is(`${status} ${json['code']}`, '503 disk_slow')
  }
  become('disk_slow', 'The disk hangs.')
  assert.is((await call(port, 'GET', ds)).json['code'], 'disk_slow')
  const { status, json } = await call(port, 'GET', '/status')
  assert.is(`${status} ${json['state']} ${json['message']}`, '200 disk_slow The disk hangs.')
  become('ready', '')
  const asked = new Promise<void>(resolve => {
    called = resolve
  })
  const hanging = ask(port, 'POST', ds)
  await asked
  await web.close()
  assert.is((await hanging).status, 503)
})

test('what the disk refuses has its own code, and a fault of ours shows no stack and no path', async () => {
  const root = await openData()
  const good = openAccept(root, world, () => undefined)
  let error: unknown
  const accept = {
    ...good,
    want: async () => {
      throw error
    },
  }
  const { web, port, logged } = await openBench(root, { accept })
  for (const [thrown, wanted] of [
    [new Trouble('disk_full', 'no room'), '507 disk_full'],
    [new Trouble('disk_error', 'EIO'), '507 disk_error'],
    [new Trouble('read_only', 'EROFS'), '503 read_only'],
    [Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write' }), '507 disk_full'],
    [new Fenced('gone'), '503 starting'],
    [new TypeError(`at ${root.dir}`), '500 bug'],
    ['a string', '500 bug'],
  ] as const) {
    error = thrown
    const { status, json } = await call(port, 'POST', ds)
    assert.is(`${status} ${json['code']}`, wanted)
    assert.is(json['status'], 'error')
    assert.not(JSON.stringify(json).includes(root.dir))
    assert.ok(String(json['message']).endsWith('.'))
  }
  assert.ok(logged.some(line => line.includes(`TypeError: at ${root.dir}`) && line.includes('server.test')))
  await web.close()
})

test('wishes are logged with their name, questions are not', async () => {
  const { web, port, logged } = await openBench(await openData())
  await call(port, 'GET', ds)
  await call(port, 'POST', ds)
  await call(port, 'DELETE', ds)
  assert.equal(logged, [
    'web_server: POST mc16:mc16.x.one: downloading',
    'web_server: DELETE mc16:mc16.x.one: not_on_server',
  ])
  await web.close()
})

test('a thousand requests go over one connection, pipelined too, each with its own answer', async () => {
  const root = await openData()
  await putWhole(root, didOf('mc16.x.one'), 1)
  await writeFile(layout.request(root, 'mc16.x.two'), '')
  const { web, port } = await openBench(root)
  const get = (name: string, more = '') =>
    `GET /ds?ds_name=mc16.x.${name} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`
  const names = ['one', 'two', 'three', 'one']
  const text = await raw(port, names.map(name => get(name)).join('') + get('two', 'Connection: close\r\n'))
  const words = [...text.matchAll(/"status":"(\w+)"/g)].map(match => match[1])
  assert.equal(words, ['local', 'downloading', 'not_on_server', 'local', 'downloading'])
  await web.close()
})

test('a client that hangs up in the middle of its request is no fault of ours', async () => {
  const { web, port, logged } = await openBench(await openData())
  assert.is((await ask(port, 'GET', '/datasets')).status, 200)
  for (let i = 0; i < 20; i++) {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(`POST ${ds} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf`)
    // The head has been read by then.
    await new Promise(resolve => setTimeout(resolve, 5 + i))
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  await web.close()
  assert.equal(logged, [])
})

test.run()
