import { execFile } from 'node:child_process'
import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layout, type Root } from '../../src/disk/layout.ts'
import { parseRequest } from '../../src/words/request.ts'
import { toIso } from '../../src/words/world.ts'
import { sweep, world } from '../help/data.ts'
import { didOf, fileName, listingText, missingText, openData, putListed, putWhole } from '../help/dataset.ts'
import { ask, type Bench, call, openBench, parse, raw } from '../help/site.ts'

const test = suite('frozen')
const did = didOf('mc16.x.one')
const name = 'mc16.x.one'
const ds = `/ds?ds_name=${name}`
const run = promisify(execFile)

let root: Root
let bench: Bench
let port = 0
test.before.each(async () => {
  root = await openData()
  bench = await openBench(root)
  port = bench.port
})
test.after.each(() => bench.web.close())
test.after(sweep)

const word = async (method = 'GET') => (await call(port, method, ds)).json['status']

test('not_on_server: nothing is here, and asking does not change that', async () => {
  assert.equal(await call(port, 'GET', ds), { status: 200, json: { status: 'not_on_server', filelist: [] } })
  assert.equal(await readdir(layout.requests(root)), [])
  assert.equal(await readdir(layout.catalogue(root)), [])
})

test('a POST is downloading, is on disk before it is answered, and stays so when said twice', async () => {
  assert.equal(await call(port, 'POST', ds), { status: 200, json: { status: 'downloading', filelist: [] } })
  assert.ok('priority' in parseRequest(await readFile(layout.request(root, name), 'utf8')))
  assert.is(await word('POST'), 'downloading')
  assert.is(await word(), 'downloading')
})

test('waiting, paused and broken requests are downloading', async () => {
  for (const text of ['', '{"paused": true}', '{"paused": ', '\xff\xfe\xff']) {
    await writeFile(layout.request(root, name), text, 'latin1')
    bench.changed()
    assert.is(await word(), 'downloading', text)
    assert.is(await word('POST'), 'downloading', text)
    assert.is(await readFile(layout.request(root, name), 'latin1'), text)
  }
})

test('local comes with NAME/FILE in the order of the listing, by GET and by POST, which writes nothing', async () => {
  await putWhole(root, did, 3)
  const filelist = [0, 1, 2].map(i => `${name}/${fileName(i)}`)
  assert.equal(await call(port, 'GET', ds), { status: 200, json: { status: 'local', filelist } })
  assert.equal(await call(port, 'POST', ds), { status: 200, json: { status: 'local', filelist } })
  assert.equal(await readdir(layout.requests(root)), [])
})

test('a POST over what is whole and has no request is local, and leaves a wish that has it brought to its end', async () => {
  await putWhole(root, did, 3)
  await rm(layout.keptRequest(root, name))
  await writeFile(layout.incomplete(root, name), '3 of 3 files')
  assert.is(await word('POST'), 'local')
  assert.equal(await readdir(layout.requests(root)), [`${name}.json`])
  assert.is(await word(), 'local')
})

test('a POST over a whole container asks for its listing again when that is over an hour old, and says local meanwhile', async () => {
  await putWhole(root, did, 2, { type: 'CONTAINER', fetched: toIso(world.now() - 3_500_000) })
  assert.is(await word('POST'), 'local')
  assert.equal(await readdir(layout.catalogue(root)), [])
  await putWhole(root, did, 2, { type: 'CONTAINER', fetched: toIso(world.now() - 3_700_000) })
  assert.is(await word('POST'), 'local')
  assert.equal(await readdir(layout.catalogue(root)), [`${name}.queued`])
})

test('whole counts more than a request that still lies there, and more than does_not_exist', async () => {
  await putWhole(root, did, 1)
  await writeFile(layout.request(root, name), '')
  await writeFile(layout.answer(root, name), missingText(did, world.now() + 60_000))
  assert.is(await word(), 'local')
})

test('a file that is cut, changed or deleted makes it downloading again, with the request kept in its folder', async () => {
  await putWhole(root, did, 3)
  assert.is(await word(), 'local')
  await rm(layout.file(root, name, fileName(1)))
  assert.is(await word(), 'downloading')
  await rm(layout.keptRequest(root, name))
  assert.is(await word(), 'not_on_server')
})

test('a change within a file is seen after an event at the latest', async () => {
  await putWhole(root, did, 3)
  assert.is(await word(), 'local')
  await appendFile(layout.file(root, name, fileName(2)), 'more')
  bench.changed(name)
  assert.is(await word(), 'downloading')
})

test('does_not_exist counts while it is fresh: by GET without a request, by POST with one', async () => {
  await writeFile(layout.answer(root, name), missingText(did, world.now() + 60_000))
  assert.is(await word(), 'does_not_exist')
  assert.equal(await readdir(layout.requests(root)), [])
  assert.is(await word('POST'), 'does_not_exist')
  assert.equal(await readdir(layout.requests(root)), [`${name}.json`])
  await writeFile(layout.answer(root, name), missingText(did, world.now() - 1))
  assert.is(await word(), 'downloading')
})

test('a DELETE is not_on_server from then on, a POST over it cancels it', async () => {
  await putWhole(root, did, 2)
  assert.equal(await call(port, 'DELETE', ds), {
    status: 200,
    json: { status: 'not_on_server', filelist: [] },
  })
  assert.is(await word(), 'not_on_server')
  assert.is(await word('POST'), 'local')
  assert.is(await word(), 'local')
  await rm(layout.request(root, name))
  assert.is(await word('DELETE'), 'not_on_server')
  // The loop has done its part up to the request.
  await rm(layout.dataset(root, name), { recursive: true })
  assert.is(await word('POST'), 'downloading')
})

test('a DELETE of what is not here writes nothing', async () => {
  assert.is(await word('DELETE'), 'not_on_server')
  assert.equal(await readdir(layout.requests(root)), [])
})

test('names come bare or with their scope, and the answer uses NAME', async () => {
  const other = didOf('other:mc16.x.one')
  await putWhole(root, other, 1)
  const { json } = await call(port, 'GET', '/ds?ds_name=other%3Amc16.x.one')
  assert.equal(json, { status: 'local', filelist: ['other=3Amc16.x.one/f000.root'] })
  assert.is((await call(port, 'GET', '/ds?ds_name=mc16:mc16.x.one')).json['status'], 'not_on_server')
  await putWhole(root, did, 1)
  assert.is((await call(port, 'GET', '/ds?ds_name=mc16:mc16.x.one/')).json['status'], 'local')
})

test('a name that differs by letter case is 409, and so is a link in the place of a dataset', async () => {
  await putWhole(root, didOf('mc16.X.one'), 1)
  const { status, json } = await call(port, 'POST', ds)
  assert.is(status, 409)
  assert.is(json['code'], 'name_taken')
  assert.match(String(json['message']), /mc16\.X\.one/)
  await symlink('/etc', layout.dataset(root, 'mc16.x.link'))
  for (const method of ['GET', 'POST', 'DELETE']) {
    const linked = await call(port, method, '/ds?ds_name=mc16.x.link')
    assert.is(`${linked.status} ${linked.json['code']}`, '409 name_taken')
    assert.not(JSON.stringify(linked.json).includes(root.dir))
  }
})

test('CACHE_PREFIX is joined to each path by exactly one slash', async () => {
  await putWhole(root, did, 1)
  for (const [cachePrefix, wanted] of [
    ['root://host//data', 'root://host//data/mc16.x.one/f000.root'],
    ['/data/', '/data/mc16.x.one/f000.root'],
    ['/data///', '/data/mc16.x.one/f000.root'],
    ['/', '/mc16.x.one/f000.root'],
    ['', 'mc16.x.one/f000.root'],
  ] as const) {
    const other = await openBench(root, { options: { cachePrefix } })
    assert.equal((await call(other.port, 'GET', ds)).json['filelist'], [wanted])
    await other.web.close()
  }
})

test('/dsfiles queues a listing, and answers from catalogue/ or from the folder as [scope:file, bytes, events or null]', async () => {
  const url = `/dsfiles?ds_name=${name}`
  assert.equal(await call(port, 'GET', url), { status: 200, json: { status: 'query queued' } })
  assert.equal(await readdir(layout.catalogue(root)), [`${name}.queued`])
  await rm(layout.queued(root, name))
  const files = [
    ['mc16:f000.root', 5, 0],
    ['mc16:f001.root', 5, null],
  ]
  await writeFile(layout.answer(root, name), listingText(did, 2))
  assert.equal(await call(port, 'GET', url), { status: 200, json: { status: 'OK', files } })
  await rm(layout.answer(root, name))
  await putListed(root, did, 2)
  assert.equal((await call(port, 'GET', url)).json, { status: 'OK', files })
  assert.equal(await readdir(layout.catalogue(root)), [])
})

test('/dsfiles of an empty dataset is OK with no files, of an unknown one says so', async () => {
  const url = `/dsfiles?ds_name=${name}`
  await writeFile(layout.answer(root, name), listingText(did, 0))
  assert.equal((await call(port, 'GET', url)).json, { status: 'OK', files: [] })
  await writeFile(layout.answer(root, name), missingText(did, world.now() + 60_000))
  assert.equal((await call(port, 'GET', url)).json, { status: 'dataset does not exist' })
  await writeFile(layout.answer(root, name), missingText(did, world.now() - 1))
  assert.equal((await call(port, 'GET', url)).json, { status: 'query queued' })
})

test('/dsfiles asks again for an old listing of what is open or a container, and for one that is not whole', async () => {
  const url = `/dsfiles?ds_name=${name}`
  const old = toIso(world.now() - 3_700_000)
  await writeFile(layout.answer(root, name), listingText(did, 2, { fetched: old }))
  assert.is((await call(port, 'GET', url)).json['status'], 'OK')
  for (const text of [
    listingText(did, 2, { open: true, fetched: old }),
    listingText(did, 2, { type: 'CONTAINER', fetched: old }),
    `${listingText(did, 2).split('\n').slice(0, 2).join('\n')}\n`,
  ]) {
    await rm(layout.queued(root, name), { force: true })
    await writeFile(layout.answer(root, name), text)
    assert.is((await call(port, 'GET', url)).json['status'], 'query queued')
    assert.ok((await readdir(layout.catalogue(root))).includes(`${name}.queued`))
  }
})

test('/dsfiles is 503 queue_full when 100 listings wait', async () => {
  for (let i = 0; i < 100; i++) await writeFile(layout.queued(root, `mc16.q.${i}`), '')
  const reply = await ask(port, 'GET', `/dsfiles?ds_name=${name}`)
  assert.is(reply.status, 503)
  assert.is(JSON.parse(reply.body).code, 'queue_full')
  assert.is(reply.headers.get('retry-after'), '60')
})

test('/logs names the logs in their order, gives the lines of one, and [] for an unknown one', async () => {
  assert.equal((await call(port, 'GET', '/logs')).json, ['web_server', 'rucio_downloader', 'grid_cert'])
  await mkdir(layout.logs(root), { recursive: true })
  await writeFile(layout.log(root, 'grid_cert'), 'one\ntwo\n')
  assert.equal((await call(port, 'GET', '/logs?name=grid_cert')).json, ['one\n', 'two\n'])
  assert.equal((await call(port, 'GET', '/logs?name=web_server')).json, [])
  for (const odd of ['nothing', '../format', '__proto__', ''])
    assert.equal((await call(port, 'GET', `/logs?name=${odd}`)).json, [])
})

test('while DATA is missing /ds, /dsfiles, /datasets are 503, also before the loop has noticed; /logs is 200', async () => {
  await putWhole(root, did, 1)
  await rename(layout.own(root), `${root.dir}/away`)
  for (const told of [false, true]) {
    if (told) bench.become('data_dir_missing', 'It is not mounted.')
    for (const [method, url] of [
      ['GET', ds],
      ['POST', ds],
      ['DELETE', ds],
      ['GET', `/dsfiles?ds_name=${name}`],
      ['GET', '/datasets'],
      ['GET', `/datasets/${name}`],
    ] as const) {
      const { status, json } = await call(port, method, url)
      assert.is(status, 503, url)
      assert.is(json['code'], 'data_dir_missing', url)
    }
    assert.is((await call(port, 'GET', '/logs')).status, 200)
    assert.equal(await call(port, 'GET', '/logs?name=grid_cert'), { status: 200, json: [] })
  }
})

test('on a disk that cannot be written GETs go on, POST and DELETE are 503 read_only', async () => {
  await putWhole(root, did, 1)
  bench.become('read_only', 'Make the data directory writable.')
  assert.is(await word(), 'local')
  for (const method of ['POST', 'DELETE']) {
    const reply = await ask(port, method, ds)
    assert.is(reply.status, 503)
    assert.is(JSON.parse(reply.body).code, 'read_only')
    assert.is(reply.headers.get('retry-after'), '60')
  }
})

test('HEAD has the head of GET and no body, save where asking starts work', async () => {
  const text = await raw(port, `HEAD ${ds} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  assert.is(parse(text).status, 200)
  assert.ok(text.endsWith('\r\n\r\n'))
  assert.is((await ask(port, 'HEAD', `/dsfiles?ds_name=${name}`)).status, 405)
})

test('the plain POSTs of curl and of python-requests are taken', async () => {
  const plain = [
    `POST ${ds}a HTTP/1.1\r\nHost: localhost:${port}\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    `POST ${ds}b HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    `POST ${ds}c HTTP/1.0\r\nHost: localhost\r\n\r\n`,
  ]
  for (const text of plain) {
    const reply = parse(await raw(port, text))
    assert.is(reply.status, 200)
    assert.equal(JSON.parse(reply.body), { status: 'downloading', filelist: [] })
  }
  const { stdout } = await run('curl', ['-s', '-X', 'POST', `http://localhost:${port}${ds}`])
  assert.equal(JSON.parse(stdout), { status: 'downloading', filelist: [] })
  assert.is((await readdir(layout.requests(root))).length, 4)
})

test.run()
