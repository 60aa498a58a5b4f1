import { rename, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { openWaiters, readWait } from '../../src/web/wait.ts'
import { sweep } from '../help/data.ts'
import { didOf, listingText, openData, putWhole } from '../help/dataset.ts'
import { ask, call, openBench } from '../help/site.ts'

const test = suite('wait')
test.after(sweep)

const forever = new AbortController().signal
const ds = '/ds?ds_name=mc16.x.one'

test('wait is a number of seconds, 60 at most', () => {
  assert.is(readWait(undefined), 0)
  assert.is(readWait('0'), 0)
  assert.is(readWait('1.5'), 1500)
  assert.is(readWait('61'), 60_000)
  assert.is(readWait('999999999'), 60_000)
  for (const text of ['', '-1', 'x', '1e3', 'Infinity', '0x10', ' 1', '1.'])
    assert.throws(() => readWait(text), /seconds/)
})

test('a waiter is answered when the answer differs, and not by other changes', async () => {
  const waiters = openWaiters()
  let now = 'downloading'
  let looks = 0
  const waiting = waiters.wait({
    look: async () => {
      looks++
      return now
    },
    isPending: word => word === 'downloading',
    key: word => word,
    ms: 60_000,
    signal: forever,
  })
  await new Promise(setImmediate)
  waiters.changed()
  while (looks < 2) await new Promise(setImmediate)
  now = 'local'
  waiters.changed()
  assert.is(await waiting, 'local')
})

test('a change that comes during the first look is not missed', async () => {
  const waiters = openWaiters()
  let now = 'downloading'
  const look = async () => {
    const seen = now
    now = 'local'
    waiters.changed()
    await new Promise(setImmediate)
    return seen
  }
  const options = { look, isPending: (word: string) => word === 'downloading', key: (word: string) => word }
  assert.is(await waiters.wait({ ...options, ms: 60_000, signal: forever }), 'local')
})

test('what is not pending is answered at once, what does not change when the time is over', async () => {
  const { web, port } = await openBench(await openData())
  for (const method of ['GET', 'POST', 'GET']) await ask(port, method, `${ds}&wait=0.01`)
  const from = performance.now()
  assert.is((await call(port, 'GET', `${ds}&wait=0.2`)).json['status'], 'downloading')
  assert.ok(performance.now() - from >= 190)
  assert.is((await call(port, 'GET', '/ds?ds_name=mc16.x.two&wait=60')).json['status'], 'not_on_server')
  for (const url of [`${ds}&wait=x`, '/dsfiles?ds_name=mc16.x.one&wait=-1']) {
    const { status, json } = await call(port, 'GET', url)
    assert.is(`${status} ${json['code']}`, '400 bad_request')
  }
  assert.is((await call(port, 'POST', '/ds?ds_name=mc16.x.new&wait=x')).status, 400)
  assert.is((await call(port, 'GET', '/ds?ds_name=mc16.x.new')).json['status'], 'not_on_server')
  await web.close()
})

test('GET and POST /ds and GET /dsfiles wait for the change on disk', async () => {
  const root = await openData()
  const { web, port, changed } = await openBench(root)
  const post = call(port, 'POST', `${ds}&wait=60`)
  while ((await call(port, 'GET', ds)).json['status'] !== 'downloading') await new Promise(setImmediate)
  const get = call(port, 'GET', `${ds}&wait=60`)
  const files = call(port, 'GET', '/dsfiles?ds_name=mc16.x.one&wait=60')
  await putWhole(root, didOf('mc16.x.one'), 1)
  changed('mc16.x.one')
  assert.is((await post).json['status'], 'local')
  assert.is((await get).json['status'], 'local')
  assert.is((await files).json['status'], 'OK')
  await web.close()
})

test('a listing that comes is the answer of whoever waits for it', async () => {
  const root = await openData()
  const { web, port, changed } = await openBench(root)
  const files = call(port, 'GET', '/dsfiles?ds_name=mc16.x.one&wait=60')
  await writeFile(layout.answer(root, 'mc16.x.one'), listingText(didOf('mc16.x.one'), 1))
  changed('mc16.x.one')
  assert.is((await files).json['status'], 'OK')
  await web.close()
})

test('the 65th waiter is answered at once, and a place is free when a client has gone', async () => {
  const { web, port } = await openBench(await openData())
  await ask(port, 'POST', ds)
  const sockets = Array.from({ length: 64 }, () => connect(port, '127.0.0.1'))
  for (const socket of sockets)
    socket.on('error', () => undefined).write(`GET ${ds}&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  // All 64 wait once this one, asked for again and again, no longer has to.
  for (let full = false; !full; ) {
    const from = performance.now()
    await call(port, 'GET', `${ds}&wait=0.1`)
    full = performance.now() - from < 90
  }
  for (const socket of sockets.slice(0, 3)) socket.destroy()
  for (let free = false; !free; ) {
    const from = performance.now()
    await call(port, 'GET', `${ds}&wait=0.1`)
    free = performance.now() - from >= 90
  }
  for (const socket of sockets) socket.destroy()
  await web.close()
})

test('the end of the daemon answers waiters at once', async () => {
  const { web, port } = await openBench(await openData())
  await ask(port, 'POST', ds)
  const waiting = ask(port, 'GET', `${ds}&wait=60`)
  await call(port, 'GET', ds)
  const from = performance.now()
  await web.close()
  const reply = await waiting
  assert.is(JSON.parse(reply.body).status, 'downloading')
  assert.is(reply.headers.get('connection'), 'close')
  assert.ok(performance.now() - from < 700)
})

test('a data directory that goes away while somebody waits is 503, not another word', async () => {
  const root = await openData()
  const { web, port, changed } = await openBench(root)
  await ask(port, 'POST', ds)
  const waiting = call(port, 'GET', `${ds}&wait=60`)
  await call(port, 'GET', ds)
  await rename(layout.own(root), `${root.dir}/away`)
  await rename(layout.requests(root), `${root.dir}/away2`)
  changed()
  assert.is((await waiting).json['code'], 'data_dir_missing')
  await web.close()
})

test.run()
