import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { listed } from '../../src/web/answer.ts'
import { sweep } from '../help/data.ts'
import { didOf, listingText, openData } from '../help/dataset.ts'
import { ask, openBench, parse, raw } from '../help/site.ts'

const test = suite('answer')
test.after(sweep)

const did = didOf('mc16.x.big')
const url = '/dsfiles?ds_name=mc16.x.big'
const files = 200_000
/** an answer of some 34 MB */
const longName = 'DAOD_EXOT15.'.padEnd(140, 'x')

async function putBigListing(path: string, files: number): Promise<void> {
  const [head = ''] = listingText(did, 0).split('\n')
  const handle = await open(path, 'w')
  await handle.write(`${JSON.stringify({ ...JSON.parse(head), length: files, bytes: files * 5 })}\n`)
  for (let i = 0; i < files; i += 5000) {
    let text = ''
    for (let j = i; j < i + 5000; j++) text += `{"did":"mc16:${longName}${j}","path":"f${j}","bytes":5}\n`
    await handle.write(text)
  }
  await handle.close()
}

test('pieces make the JSON that one string would be', async () => {
  for (const items of [
    [],
    [1],
    [1, 'a"b', null, { c: [] }],
    Array.from({ length: 20_000 }, (_, i) => `f ${i}`),
  ]) {
    let text = ''
    for await (const piece of listed('{"files":[', items, ']}')) text += piece
    assert.equal(JSON.parse(text), { files: items })
  }
})

test('200,000 files go out of a daemon with 24 MB of heap, also beside a client that reads nothing', async () => {
  const root = await openData()
  await putBigListing(layout.answer(root, 'mc16.x.big'), files)
  const worker = new Worker(new URL('small.js', import.meta.url), {
    workerData: root.dir,
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 8 },
  })
  const ended = once(worker, 'exit')
  const failed: unknown[] = []
  worker.on('error', error => failed.push(error))
  const [port] = (await once(worker, 'message')) as [number]
  const deaf = connect({ port, host: '127.0.0.1' })
  deaf.pause().on('error', () => undefined)
  deaf.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  const got = await new Promise<{ bytes: number; lines: number; end: string }>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let bytes = 0
    let lines = 0
    let end = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: unknown) => {
      bytes += String(text).length
      lines += String(text).split('["mc16:').length - 1
      end = (end + String(text)).slice(-20)
    })
    socket.on('close', () => resolve({ bytes, lines, end })).on('error', reject)
    socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  })
  deaf.destroy()
  worker.postMessage('end')
  await ended
  assert.equal(failed, [])
  assert.ok(got.bytes > 30_000_000)
  // A name that is cut by the border of two reads is not counted.
  assert.ok(got.lines > files * 0.98)
  assert.ok(got.end.endsWith(']}\n\r\n0\r\n\r\n'))
})

test('a listing that goes away while it is sent cuts the answer, which then is no JSON', async () => {
  const root = await openData()
  const path = layout.answer(root, 'mc16.x.big')
  await putBigListing(path, 70_000)
  const { web, port, logged } = await openBench(root)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  socket.pause()
  const handle = await open(path, 'r+')
  await handle.truncate(1_000_000)
  await handle.close()
  let text = first.toString('latin1')
  socket.setEncoding('latin1')
  socket.on('data', more => {
    text += String(more)
  })
  socket.on('error', () => undefined).resume()
  await once(socket, 'close')
  assert.throws(() => parse(text), /cut/)
  assert.ok(logged.some(line => line.includes('an answer was cut')))
  await web.close()
})

test('a client of HTTP/1.0 gets the whole answer too, ended by the end of the connection', async () => {
  const root = await openData()
  const { web, port } = await openBench(root)
  const long = await raw(port, 'GET /datasets HTTP/1.0\r\nHost: localhost\r\n\r\n')
  assert.equal(JSON.parse(parse(long).body), { datasets: [] })
  assert.equal(JSON.parse((await ask(port, 'GET', '/datasets')).body), { datasets: [] })
  await web.close()
})

test.run()
