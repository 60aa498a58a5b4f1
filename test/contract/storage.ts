// The contract of a storage over https, as XRootD 5.5.3 is: ranges, digests, refusals, and what it never says.

import type { Agent } from 'node:https'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { fileOf, list } from './expect.ts'
import * as names from './names.ts'
import { pfnsOf } from './replicas.ts'
import { type Answer, ask, call, type Subject } from './subject.ts'

type Headers = Readonly<Record<string, string>>

export function storageContract(test: Test, subject: () => Subject): void {
  const fetch = (url: string, headers: Headers = {}, method = 'GET'): Promise<Answer> =>
    ask({ url, headers, method, agent: subject().agent })
  const second = () => urlOf(subject(), names.secondFile, 'XRD2')

  test('a file comes whole, with its length and no word of when it changed', async () => {
    const file = fileOf(subject().facts, names.secondFile)
    const answer = await fetch(await second())
    assert.is(answer.status, 200)
    isPlain(answer, file.bytes)
    assert.is(hex(answer.body), file.adler32)
    const head = await fetch(await second(), {}, 'HEAD')
    assert.is(head.status, 200)
    isPlain(head, file.bytes)
    assert.is(head.body.length, 0)
  })

  test('a closed range inside the file is answered exactly, and If-Range changes nothing', async () => {
    const whole = (await fetch(await second())).body
    for (const more of [{}, { 'If-Range': '"other"' }]) {
      const answer = await fetch(await second(), { Range: 'bytes=1000-1999', ...more })
      assert.is(answer.status, 206)
      assert.is(answer.headers['content-range'], `bytes 1000-1999/${whole.length}`)
      isPlain(answer, 1000)
      assert.is(answer.body.equals(whole.subarray(1000, 2000)), true)
    }
    const last = await fetch(await second(), { Range: `bytes=0-${whole.length - 1}` })
    assert.is(last.status, 206)
    assert.is(last.body.equals(whole), true)
  })

  test('an open range is answered with nothing, wrongly: nobody may ask for one', async () => {
    const size = fileOf(subject().facts, names.secondFile).bytes
    for (const from of [0, 60_000, size]) {
      const answer = await fetch(await second(), { Range: `bytes=${from}-` })
      assert.is(answer.status, 206)
      assert.is(answer.headers['content-range'], `bytes ${from}--1/${size}`)
      assert.is(answer.headers['content-length'], '0')
      assert.is(answer.body.length, 0)
    }
  })

  test('a range beyond the end promises bytes that never come; there is no 416', async () => {
    const size = fileOf(subject().facts, names.secondFile).bytes
    const answer = await fetch(await second(), { Range: 'bytes=65000-99999' })
    assert.is(answer.status, 206)
    assert.is(answer.headers['content-range'], `bytes 65000-99999/${size}`)
    assert.is(answer.headers['content-length'], '35000')
    assert.is(answer.cut, true)
    assert.is(answer.body.length, 0)
  })

  test('a suffix range is answered with the whole file', async () => {
    const answer = await fetch(await second(), { Range: 'bytes=-100' })
    assert.is(answer.status, 200)
    isPlain(answer, fileOf(subject().facts, names.secondFile).bytes)
  })

  test('HEAD passes a range over', async () => {
    const answer = await fetch(await second(), { Range: 'bytes=1000-1999' }, 'HEAD')
    assert.is(answer.status, 200)
    isPlain(answer, fileOf(subject().facts, names.secondFile).bytes)
  })

  test('a digest that HEAD asks for is made of the bytes that lie there, the wrong ones too', async () => {
    const want = { 'Want-Digest': 'adler32' }
    const good = await fetch(await second(), want, 'HEAD')
    assert.is(good.headers['digest'], `adler32=${fileOf(subject().facts, names.secondFile).adler32}`)
    const url = await urlOf(subject(), names.badFile, 'XRD2')
    const bad = await fetch(url, want, 'HEAD')
    const lying = (await fetch(url)).body
    assert.is(bad.headers['digest'], `adler32=${hex(lying)}`)
    assert.is.not(hex(lying), fileOf(subject().facts, names.badFile).adler32)
  })

  test('a file without bytes is 200 and length 0', async () => {
    const answer = await fetch(await urlOf(subject(), names.zeroFile, 'XRD2'))
    assert.is(answer.status, 200)
    isPlain(answer, 0)
  })

  test('a query is passed over, a path may be escaped or have two slashes', async () => {
    const size = fileOf(subject().facts, names.secondFile).bytes
    const url = await second()
    const [, origin = '', path = ''] = /^(https:\/\/[^/]+)(\/.*)$/.exec(url) ?? []
    for (const other of [`${url}?authz=x`, url.replace('DAOD_PHYS', 'DAOD%5FPHYS'), `${origin}/${path}`]) {
      const answer = await fetch(other, { Range: 'bytes=0-9' })
      assert.is(answer.status, 206, other)
      assert.is(answer.headers['content-range'], `bytes 0-9/${size}`)
    }
  })

  test('what is not there is 404 and ends the connection; a path that climbs or leads elsewhere is 403', async () => {
    const url = await second()
    const missing = await fetch(url.replace(/[^/]+$/, 'no.such.file'))
    isRefusal(missing, 404)
    const [, head = '', folder = '', name = ''] = /^(.*\/)([^/]+)\/([^/]+)$/.exec(url) ?? []
    isRefusal(await fetch(`${head}${folder}/../${folder}/${name}`), 403)
    isRefusal(await fetch(`${url.slice(0, url.indexOf('/', 8))}/etc/passwd`), 403)
  })

  test('a directory is a page of HTML with status 200', async () => {
    const answer = await fetch((await second()).replace(/\/[^/]+$/, ''))
    assert.is(answer.status, 200)
    assert.match(answer.body.toString('utf8'), /<html/i)
  })

  test('it reads only: PUT and POST are refused', async () => {
    assert.is((await fetch(`${await second()}.new`, {}, 'PUT')).status, 403)
    assert.is((await fetch(await second(), {}, 'POST')).status, 501)
  })
}

/** XRD1, which reads only for a certificate that it knows. */
export function guardedContract(
  test: Test,
  subject: () => Subject & { readonly readers: readonly Agent[]; readonly stranger?: Agent },
): void {
  const fetch = (url: string, agent: Agent, headers: Headers = {}): Promise<Answer> =>
    ask({ url, agent, headers })

  test('a known certificate reads; none, a stranger and a token that it does not know get 403', async () => {
    const url = await urlOf(subject(), names.secondFile, 'XRD1')
    const { agent, readers, stranger } = subject()
    for (const reader of readers) {
      const answer = await fetch(url, reader)
      assert.is(answer.status, 200)
      assert.is(hex(answer.body), fileOf(subject().facts, names.secondFile).adler32)
    }
    isRefusal(await fetch(url, agent), 403)
    isRefusal(await fetch(url, agent, { Authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }), 403)
    if (stranger !== undefined) isRefusal(await fetch(url, stranger), 403)
  })

  test('who may not read is told 403 of what is missing too', async () => {
    const url = (await urlOf(subject(), names.secondFile, 'XRD1')).replace(/[^/]+$/, 'no.such.file')
    isRefusal(await fetch(url, subject().agent), 403)
    for (const reader of subject().readers) isRefusal(await fetch(url, reader), 404)
  })
}

/** The https URL of a file at an RSE, as the catalogue gives it. davs is https on the wire. */
export async function urlOf(
  subject: Subject,
  file: { readonly scope: string; readonly name: string },
  rse: string,
): Promise<string> {
  const body = { dids: [file], schemes: ['davs'] }
  const [line] = list(await call(subject, '/replicas/list', { body }))
  const found = pfnsOf(line ?? {}).find(([, at]) => at.rse === rse)
  if (found === undefined) throw new Error(`no davs PFN of ${names.key(file)} at ${rse}`)
  return found[0].replace(/^davs/, 'https')
}

/** No validator, no date, no type: nothing but its length tells one file from another. */
function isPlain(answer: Answer, length: number): void {
  assert.is(answer.headers['content-length'], String(length))
  for (const name of ['etag', 'last-modified', 'accept-ranges', 'date', 'content-type', 'transfer-encoding'])
    assert.is(answer.headers[name], undefined, name)
}

function isRefusal(answer: Answer, status: number): void {
  assert.is(answer.status, status)
  assert.match(String(answer.headers['connection']), /^close$/i)
}

function hex(bytes: Uint8Array): string {
  return printAdler32(adler32(1, bytes))
}
