import { X509Certificate } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nameOf, readCrl } from '../../src/credential/crl.ts'
import { authority } from '../help/issue.ts'

const test = suite('revocation list')
const ca = authority('One')
const key = new X509Certificate(ca.pem).publicKey
const pem = (text: string): Buffer => Buffer.from(text)
const whole = (at: Date): number => Math.floor(at.getTime() / 1000) * 1000

test('serials, dates and issuer of a list are those that it was made with', () => {
  const from = new Date(Date.now() - 1000)
  const until = new Date('2060-01-01T00:00:00Z')
  const list = readCrl(pem(`some text before it\n${ca.crl(['0a', '00ff01'], { from, until })}`))
  assert.equal([...list.serials], ['a', 'ff01'])
  assert.equal([list.from, list.until], [whole(from), until.getTime()])
  const host = nameOf(new X509Certificate(ca.host('00ff01').cert).raw)
  assert.is(host.issuer, list.issuer)
  assert.is(host.serial, 'ff01')
  assert.is(nameOf(new X509Certificate(ca.pem).raw).subject, list.issuer)
})

test('a list may be DER, empty and without an end', () => {
  const text = ca.crl([], { until: null })
  const der = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64')
  const list = readCrl(der)
  assert.is(list.serials.size, 0)
  assert.is(list.until, undefined)
  assert.is(list.digest, readCrl(pem(text)).digest)
})

test('the signature of an authority is told from that of another, with RSA as with EC', () => {
  const rsa = authority('One', { rsa: true })
  const rsaKey = new X509Certificate(rsa.pem).publicKey
  assert.is(readCrl(pem(ca.crl(['01']))).isSignedBy(key), true)
  assert.is(readCrl(pem(ca.crl(['01']))).isSignedBy(rsaKey), false)
  assert.is(readCrl(pem(rsa.crl(['01']))).isSignedBy(rsaKey), true)
  assert.is(readCrl(pem(rsa.crl(['01']))).isSignedBy(key), false)
  const bytes = Buffer.from(ca.crl(['0abc']).replace(/-----[^-]+-----/g, ''), 'base64')
  bytes[bytes.indexOf(Buffer.from('0abc', 'hex'))] = 0x0b
  assert.is(readCrl(bytes).isSignedBy(key), false)
})

test('a name in another encoding, in other letter case and with more blanks is the same name', () => {
  const list = readCrl(pem(ca.crl([], { name: ' oNE ', printable: true })))
  assert.is(list.issuer, nameOf(new X509Certificate(ca.pem).raw).subject)
})

test('a list with a critical extension that is not known is not judged by', () => {
  const critical = (oid: string, value: string): string => {
    const body = `0603${oid}0101ff04${(value.length / 2).toString(16).padStart(2, '0')}${value}`
    return `30${(body.length / 2).toString(16).padStart(2, '0')}${body}`
  }
  assert.throws(
    () => readCrl(pem(ca.crl([], { extension: critical('551d1b', '020101') }))),
    'critical extension',
  )
  // issuingDistributionPoint: only user certificates, and then an indirect list.
  assert.is(readCrl(pem(ca.crl(['01'], { extension: critical('551d1c', '30038101ff') }))).serials.size, 1)
  assert.throws(() => readCrl(pem(ca.crl([], { extension: critical('551d1c', '30038401ff') }))), 'critical')
})

test('a list that is cut or changed anywhere throws or is not signed', () => {
  const bytes = Buffer.from(ca.crl(['01', '02']).replace(/-----[^-]+-----/g, ''), 'base64')
  assert.throws(() => readCrl(Buffer.from('garbage')))
  assert.throws(() => readCrl(Buffer.alloc(0)))
  for (let cut = 1; cut < bytes.length; cut++) assert.throws(() => readCrl(bytes.subarray(0, cut)))
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 0x01
    let isSigned = false
    try {
      isSigned = readCrl(changed).isSignedBy(key)
    } catch {
      // What is no list any more cannot be signed.
    }
    assert.is(isSigned, false, `byte ${i}`)
  }
})

test.run()
