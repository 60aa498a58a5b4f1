import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasNetwork } from '../../src/outside/address.ts'
import { lineTrouble, noteConnected } from '../../src/outside/errors.ts'

const test = suite('errors')
const place = { host: 'se.example.org', port: 443 }

function reason(code: string, message = code): string {
  return lineTrouble(Object.assign(new Error(message), { code }), place).reason
}

test('alerts about our certificate are auth, with TLS 1.3 and 1.2', () => {
  for (const code of [
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  ])
    assert.is(reason(code), 'auth', code)
  const old =
    'write EPROTO 0:error:0A000415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired:rec_layer_s3.c:1605:SSL alert number 45'
  assert.is(reason('EPROTO', old), 'auth')
})

test('a certificate of theirs that does not verify is refused', () => {
  for (const code of [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])
    assert.is(reason(code), 'refused', code)
})

test('an authority that is not known is said with where to name it', () => {
  const { detail } = lineTrouble(
    Object.assign(new Error('self-signed certificate in certificate chain'), {
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    }),
    { host: 'se.example.org', port: 443 },
  )
  assert.match(detail, 'X509_CERT_DIR')
})

test('a host that is reached and does not serve is host_down', () => {
  for (const code of [
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'HPE_INVALID_CONSTANT',
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ])
    assert.is(reason(code), 'host_down', code)
})

test('no route is offline, until something else was reached', () => {
  assert.is(reason('ENETUNREACH'), 'offline')
  assert.is(reason('EAI_AGAIN'), 'offline')
  // A host on this machine says nothing of the network.
  noteConnected('localhost')
  assert.is(reason('EAI_AGAIN'), 'offline')
  noteConnected('other.example.org')
  const expected = hasNetwork() ? 'host_down' : 'offline'
  for (const code of ['ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND']) assert.is(reason(code), expected, code)
})

test('of several addresses one that refused shows that there is a network', () => {
  const errors = ['ENETUNREACH', 'ECONNREFUSED'].map(code => Object.assign(new Error(code), { code }))
  assert.is(lineTrouble(new AggregateError(errors), place).reason, 'host_down')
})

test('too many open files is a fault of this machine', () => {
  const error = Object.assign(new Error('connect EMFILE'), { code: 'EMFILE', syscall: 'connect' })
  assert.is(lineTrouble(error, place).reason, 'disk_error')
})

test('a mistake of ours is a bug', () => {
  assert.is(reason('ERR_INVALID_ARG_TYPE'), 'bug')
})

test.run()
