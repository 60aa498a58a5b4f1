import { readdir } from 'node:fs/promises'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout } from '../../src/disk/layout.ts'
import { sweep } from '../help/data.ts'
import { openData } from '../help/dataset.ts'
import { ask, type Bench, openBench, parse, raw } from '../help/site.ts'

const test = suite('guard')
let bench: Bench
let port = 0

test.before(async () => {
  bench = await openBench(await openData(), { options: { allowedHosts: ['Desk.Example.Org'] } })
  port = bench.port
})
test.after(async () => {
  await bench.web.close()
  await sweep()
})

const status = async (method: string, url: string, headers: readonly string[]) => {
  const reply = await ask(port, method, url, headers)
  const { status, code } = JSON.parse(reply.body)
  return status === 'error' ? `${reply.status} ${code}` : String(reply.status)
}

const own = () => `Host: localhost:${port}`

test('a Host that is this machine or allowed is served, any other is 421', async () => {
  const table: readonly (readonly [string, string])[] = [
    ['localhost', '200'],
    ['LOCALHOST:8000', '200'],
    ['rucio.localhost', '200'],
    ['a.b.localhost:1', '200'],
    ['127.0.0.1', '200'],
    ['192.168.1.7:8000', '200'],
    ['[::1]', '200'],
    ['[fe80::1]:8000', '200'],
    ['desk.example.org:8000', '200'],
    ['localhost.evil.com', '421 host_not_allowed'],
    ['evil.com', '421 host_not_allowed'],
    ['localhost@evil', '421 host_not_allowed'],
    ['evil.com:80@localhost', '421 host_not_allowed'],
    ['localhost:', '421 host_not_allowed'],
    ['localhost:8000/', '421 host_not_allowed'],
    ['.localhost', '421 host_not_allowed'],
    ['evillocalhost', '421 host_not_allowed'],
    ['1.2.3', '421 host_not_allowed'],
    ['127.0.0.1.evil.com', '421 host_not_allowed'],
    ['[::1', '421 host_not_allowed'],
    ['[evil]', '421 host_not_allowed'],
    ['', '421 host_not_allowed'],
  ]
  for (const [host, wanted] of table)
    assert.is(await status('GET', '/status', [`Host: ${host}`]), wanted, host)
})

test('no Host, or two, is 421, and the sentence names the setting', async () => {
  assert.is(await status('GET', '/status', []), '421 host_not_allowed')
  assert.is(await status('GET', '/status', [own(), own()]), '421 host_not_allowed')
  assert.match((await ask(port, 'GET', '/', ['Host: evil.com'])).body, /ALLOWED_HOSTS/)
})

test('what a page of another site can send is 403, and starts nothing', async () => {
  const ds = '/ds?ds_name=mc16.x.y'
  const files = '/dsfiles?ds_name=mc16.x.y'
  const navigate = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
  const cross = '403 cross_site'
  const table: readonly (readonly [string, string, readonly string[], string])[] = [
    ['POST', ds, ['Origin: http://evil.com'], cross],
    ['POST', ds, ['Origin: null'], cross],
    ['POST', ds, [`Origin: https://localhost:${port}`], cross],
    ['POST', ds, ['Origin: http://localhost:1'], cross],
    ['POST', ds, [`Origin: http://localhost:${port}`, 'Origin: http://evil.com'], cross],
    ['POST', ds, ['Sec-Fetch-Site: cross-site'], cross],
    ['POST', ds, ['Sec-Fetch-Site: same-site'], cross],
    ['POST', ds, ['Sec-Fetch-Site: cross-site', ...navigate], cross],
    ['DELETE', ds, ['Sec-Fetch-Site: cross-site'], cross],
    ['GET', ds, ['Origin: http://evil.com'], cross],
    ['GET', '/status', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors'], cross],
    [
      'GET',
      '/status',
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'],
      cross,
    ],
    ['GET', files, ['Sec-Fetch-Site: cross-site', ...navigate], cross],
    ['GET', files, ['Sec-Fetch-Site: same-site', ...navigate], cross],
    ['OPTIONS', ds, ['Origin: http://evil.com', 'Access-Control-Request-Method: POST'], cross],
    ['GET', '/status', ['Sec-Fetch-Site: cross-site', ...navigate], '200'],
    ['GET', ds, ['Sec-Fetch-Site: same-site', ...navigate], '200'],
    ['GET', '/status', [`Origin: http://LOCALHOST:${port}`, 'Sec-Fetch-Site: same-origin'], '200'],
    ['GET', '/status', ['Sec-Fetch-Site: none'], '200'],
  ]
  for (const [method, url, headers, wanted] of table)
    assert.is(await status(method, url, [own(), ...headers]), wanted, `${method} ${url} ${headers}`)
  const { root } = bench.site
  assert.equal(await readdir(layout.requests(root)), [])
  assert.equal(await readdir(layout.catalogue(root)), [])
})

test('no answer allows another site anything, nor is it kept or sniffed', async () => {
  for (const [method, url] of [
    ['OPTIONS', '/ds'],
    ['GET', '/status'],
    ['GET', '/nowhere'],
    ['POST', '/logs'],
  ] as const) {
    const { headers } = await ask(port, method, url)
    assert.is(headers.get('content-type'), 'application/json')
    assert.is(headers.get('x-content-type-options'), 'nosniff')
    assert.is(headers.get('cache-control'), 'no-store')
    assert.not([...headers.keys()].some(name => name.startsWith('access-control')))
  }
})

test('another method is 405 with Allow, an unknown path 404, in every spelling', async () => {
  const reply = await ask(port, 'PUT', '/ds?ds_name=mc16.x.y')
  assert.is(reply.status, 405)
  assert.is(reply.headers.get('allow'), 'GET, HEAD, POST, DELETE')
  assert.is((await ask(port, 'OPTIONS', '/dsfiles')).headers.get('allow'), 'GET')
  assert.is((await ask(port, 'DELETE', '/status')).status, 405)
  for (const url of ['/nowhere', '/ds/', '/DS', '/status/..', '/datasets/', '/%2e%2e/etc/passwd'])
    assert.is(await status('GET', url, [own()]), '404 not_found', url)
})

test('an address that does not begin with one slash, a doubled parameter, a bad % are 400', async () => {
  for (const url of [
    '//',
    '//evil.com/status',
    '/\\evil.com',
    'http://localhost/status',
    '*',
    '/ds?ds_name=mc16.x.y&ds_name=mc16.x.z',
    '/logs?name=a&name=b',
    '/%ff',
    '/ds',
  ])
    assert.is(await status('GET', url, [own()]), '400 bad_request', url)
})

test('ds_name is refused as bad_name for whatever is no DID', async () => {
  for (const name of [
    '',
    '..',
    'a:b:c',
    'mc16.x/../y',
    '%00',
    'mc16.x%FF',
    'mc16.x%0d%0aX:y',
    'mc16.*',
    'e%CC%81.x',
    'user',
    `mc16.${'x'.repeat(250)}`,
  ])
    for (const method of ['GET', 'POST', 'DELETE'])
      assert.is(await status(method, `/ds?ds_name=${name}`, [own()]), '400 bad_name', name)
  assert.equal(await readdir(layout.requests(bench.site.root)), [])
})

test('a body is read and thrown away; over 64 KiB it is 413, announced or not, and nothing is done', async () => {
  const head = (more: string) =>
    `POST /ds?ds_name=mc16.x.body HTTP/1.1\r\n${own()}\r\nConnection: close\r\n${more}\r\n\r\n`
  const body = 'x'.repeat(70_000)
  const announced = parse(await raw(port, `${head(`Content-Length: ${body.length}`)}${body}`))
  assert.is(announced.status, 413)
  assert.is(JSON.parse(announced.body).code, 'too_large')
  const chunked = parse(
    await raw(
      port,
      `${head('Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ),
  )
  assert.is(chunked.status, 413)
  assert.equal(await readdir(layout.requests(bench.site.root)), [])
  const small = parse(await raw(port, `${head('Content-Length: 5')}hello`))
  assert.is(small.status, 200)
  assert.equal(await readdir(layout.requests(bench.site.root)), ['mc16.x.body.json'])
})

test('what is no HTTP, or says its length twice, gets a JSON error and a closed socket', async () => {
  for (const [text, wanted] of [
    ['\r\n\r\nnonsense\r\n\r\n', 400],
    ['\x16\x03\x01\x02\x00\x01\x00\x01', 400],
    ['GET / HTTP/9.9\r\n\r\n', 400],
    [`POST / HTTP/1.1\r\n${own()}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`POST / HTTP/1.1\r\n${own()}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx`, 400],
    [`GET / HTTP/1.1\r\n${own()}\r\nX: ${'y'.repeat(9000)}\r\n\r\n`, 431],
    [`GET /${'y'.repeat(9000)} HTTP/1.1\r\n${own()}\r\n\r\n`, 431],
    [`GET / HTTP/1.1\r\n${own()}\r\nConnection: close\r\nExpect: magic\r\n\r\n`, 417],
    ['CONNECT evil.com:443 HTTP/1.1\r\nHost: evil.com\r\n\r\n', 405],
  ] as const) {
    const reply = parse(await raw(port, text))
    assert.is(reply.status, wanted, text.slice(0, 40))
    assert.is(JSON.parse(reply.body).status, 'error')
  }
})

test('an Upgrade is ignored', async () => {
  assert.is(await status('GET', '/', [own(), 'Upgrade: h2c']), '200')
})

test('whatever bytes come, each answer is JSON, none is a 500, and the server lives', async () => {
  const piece = fc.constantFrom(
    'GET ',
    'POST ',
    'DELETE ',
    'HEAD ',
    '/ds?ds_name=',
    '/dsfiles?ds_name=',
    '/datasets/',
    '/status',
    '/logs?name=',
    'mc16.x.y',
    '../..',
    '%00',
    '%',
    '&',
    '?',
    '#',
    ' HTTP/1.1',
    ' HTTP/1.0',
    '\r\n',
    '\n',
    '\r',
    ': ',
    'Host',
    'localhost',
    'Content-Length',
    'Transfer-Encoding',
    'chunked',
    '5',
    '-1',
    'Expect: 100-continue',
    'Upgrade: x',
    'Connection: upgrade',
    '\0',
    '\x7f',
    '\xff',
    'Origin: null',
    'wait=0',
    '0\r\n\r\n',
    'x'.repeat(100),
  )
  const line = fc.array(piece, { maxLength: 8 }).map(parts => parts.join(''))
  const sane = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'M-SEARCH'),
      line,
      fc.array(line, { maxLength: 2 }),
    )
    .map(([method, url, more]) => [`${method} /${url} HTTP/1.1`, own(), ...more, '', ''].join('\r\n'))
  let answered = 0
  const send = async (text: string) => {
    // Half a head would wait for its time-out: every request is ended, so that the server must answer or close.
    const reply = await raw(port, Buffer.from(`${text}\r\n\r\n\0\r\n\r\n`, 'latin1'))
    if (reply === '') return
    answered++
    const head = reply.replace('HTTP/1.1 100 Continue\r\n\r\n', '').split('\r\n\r\n')[0]
    const first = parse(`${head}\r\n\r\n`)
    assert.ok((first.status >= 200 && first.status < 500) || first.status === 503, reply)
    assert.is(first.headers.get('content-type'), 'application/json', reply)
  }
  for (let i = 0; i < 20; i++) {
    const texts = fc.sample(
      fc.oneof(
        sane,
        fc.array(line, { maxLength: 4 }).map(lines => lines.join('\r\n')),
      ),
      100,
    )
    await Promise.all(texts.map(send))
  }
  assert.ok(answered > 1000)
  assert.is(await status('GET', '/status', [own()]), '200')
  assert.equal(
    bench.logged.filter(text => text.includes('bug')),
    [],
  )
})

test.run()
