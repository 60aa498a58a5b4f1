import { existsSync } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { startWeb } from '../../src/web/server.ts'
import { codeOf } from '../../src/words/reason.ts'
import { rejects, sweep, temporary, world } from '../help/data.ts'
import { openData } from '../help/dataset.ts'
import { ask, openBench } from '../help/site.ts'

const test = suite('socket and token')
test.after(sweep)

const base = {
  hosts: [],
  port: 0,
  allowedHosts: [],
  cachePrefix: undefined,
  world,
  version: '1',
  site: () => undefined,
} as const

function over(socketPath: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path: '/status', headers: { host: 'localhost' }, agent: false },
      (answer: IncomingMessage) => {
        answer.resume()
        resolve(answer.statusCode)
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

test('a socket is served, for its owner alone, and no port is open', async () => {
  const socketPath = join(await temporary(), 'dr.sock')
  const web = await startWeb({ ...base, socketPath })
  assert.is((await stat(socketPath)).mode & 0o777, 0o600)
  assert.is(web.url, `unix:${socketPath}`)
  assert.equal(web.ports, [])
  assert.is(await over(socketPath), 200)
  await web.close()
  assert.is(existsSync(socketPath), false)
})

test('a socket beside an address serves both', async () => {
  const socketPath = join(await temporary(), 'dr.sock')
  const web = await startWeb({ ...base, hosts: ['127.0.0.1'], socketPath })
  assert.is(web.ports.length, 1)
  assert.is((await ask(web.ports[0] ?? 0, 'GET', '/status')).status, 200)
  assert.is(await over(socketPath), 200)
  await web.close()
})

test('a living socket and a file that is none are left alone', async () => {
  const dir = await temporary()
  const socketPath = join(dir, 'dr.sock')
  const web = await startWeb({ ...base, socketPath })
  assert.is(codeOf(await rejects(startWeb({ ...base, socketPath }))), 'EADDRINUSE')
  assert.is(await over(socketPath), 200)
  await web.close()
  const file = join(dir, 'file')
  await writeFile(file, 'mine')
  assert.is(
    codeOf(await rejects(startWeb({ ...base, hosts: ['127.0.0.1'], socketPath: file }))),
    'EADDRINUSE',
  )
  assert.is((await stat(file)).size, 4)
})

test('what a killed daemon has left behind is no hindrance', async () => {
  const dir = await temporary()
  const socketPath = join(dir, 'dr.sock')
  // A link that outlives its listener: Node takes away only the name that it listened on.
  const dead = createServer()
  await new Promise<void>(resolve => dead.listen(join(dir, 'first'), resolve))
  const { rename } = await import('node:fs/promises')
  await rename(join(dir, 'first'), socketPath)
  await new Promise(resolve => dead.close(resolve))
  assert.is((await stat(socketPath)).isSocket(), true)
  const web = await startWeb({ ...base, socketPath })
  assert.is(await over(socketPath), 200)
  await web.close()
})

test('with a token each call wants it, and a wrong one is 401 like none', async () => {
  const token = 'fedcba9876543210'
  const { web, port } = await openBench(await openData(), { options: { token } })
  const host = `Host: localhost:${port}`
  for (const url of ['/status', '/', '/ds?ds_name=mc16.x.one', '/nothing']) {
    for (const header of [
      [],
      ['Authorization: Bearer'],
      [`Authorization: Bearer ${token}x`],
      [`Authorization: Basic ${token}`],
      [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    ]) {
      const reply = await ask(port, 'GET', url, [host, ...header])
      assert.is(reply.status, 401, `${url} ${header.join()}`)
      assert.is(JSON.parse(reply.body).code, 'unauthorized')
    }
  }
  assert.is((await ask(port, 'GET', '/status', [host, `Authorization: Bearer ${token}`])).status, 200)
  assert.is((await ask(port, 'GET', '/status', [host, `authorization: bearer ${token}`])).status, 200)
  // A foreign page learns nothing of tokens.
  assert.is((await ask(port, 'GET', '/status', ['Host: evil.com'])).status, 421)
  await web.close()
})

test.run()
