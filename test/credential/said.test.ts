// The words of both clients, as they were seen (Debian's voms-clients 2.1.1 and voms-clients-java 3.3.2).

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { complaint, explain } from '../../src/credential/said.ts'

const test = suite('what voms-proxy-init says')
const asked = { voms: 'testvo', certPath: '/c/usercert.pem', keyPath: '/c/userkey.pem' }

const rows: readonly (readonly [string, 'change' | 'network' | 'later', RegExp])[] = [
  ['error:1C800064:Provider routines::bad decrypt\nmaybe wrong password', 'change', /password.*is wrong/],
  [
    'Error loading credentials: the password is incorrect or the PEM data is corrupted',
    'change',
    /password.*is wrong/,
  ],
  ['Failed to read pass-phrase from stdin.', 'change', /password/],
  ["user key and certificate don't match", 'change', /not the key of/],
  ['The private key and certificate are not matching', 'change', /not the key of/],
  ['VOMS Server for testvo not known!', 'change', /no VOMS server is known for testvo.*vomses/],
  ['VOMS server for VO testvo is not known!', 'change', /no VOMS server is known for testvo/],
  ['Error: testvo: User unknown to this VO.', 'later', /no member of testvo/],
  ["User unknown to this VO: '/CN=Jane Doe' (issued by '/CN=CA')", 'later', /no member of testvo/],
  [
    "User is not authorized to request attribute '/testvo/Role=x' or attribute does not exist.\nNone of the contacted servers for testvo were capable of returning a valid AC for the user.",
    'later',
    /group and role in GRID_VOMS/,
  ],
  ["User '/CN=Jane Doe, /CN=CA' is currently suspended. Reason: AUP", 'later', /suspended or not active/],
  ['Error: User is currently suspended!\nSuspension reason: AUP', 'later', /suspended or not active/],
  ["User '/CN=Jane Doe, /CN=CA' is not active.", 'later', /suspended or not active/],
  [
    'Error: Server Answer was incorrectly formatted.\nNone of the contacted servers for testvo were capable\nof returning a valid AC for the user.',
    'later',
    /does not show why: are you a member, and do you hold testvo/,
  ],
  ['Error: Unable to satisfy B/testvo:VO-Admin request!', 'later', /group and role in GRID_VOMS/],
  ['Error during SSL handshake:Either proxy or user certificate: oid exists', 'network', /was not reached/],
  ['Error contacting localhost:15999 for VO testvo: Connection refused', 'network', /was not reached/],
  ['Error contacting no.such.host: UnknownHostException', 'network', /was not reached/],
  ['AC not yet valid.', 'network', /clock of this machine is behind/],
  ['Error: self-signed certificate in certificate chain', 'change', /CA directory/],
  ['unable to access trusted certificates in:x509_cert_dir=/nowhere', 'change', /CA directory/],
  ['No trusted CA certificate was found for the certificate chain', 'change', /CA directory/],
  ['Cannot verify AC signature!', 'change', /\.lsc/],
  ['outdated CRL found, revoking all certs', 'later', /fetch-crl/],
  ['Cannot write proxy to: /run/x', 'network', /could not be written/],
  ['Something that nobody has seen before', 'network', /made no proxy: Something that nobody/],
  ['Cannot open fileFilename=/root/.rnd\nFunction: \n........+....+++\n', 'network', /gave no reason/],
]

for (const [text, again, words] of rows)
  test(`${text.split('\n')[0]} -> ${again}`, () => {
    const said = explain({ text, shown: text }, asked, false)
    assert.is(said.again, again)
    assert.match(said.message, words)
  })

test('who ran into the time limit did not reach the server', () => {
  const said = explain({ text: 'bad decrypt', shown: '' }, asked, true)
  assert.equal([said.again, /did not answer in time/.test(said.message)], ['network', true])
})

test('a password that is one of its words hides none of them, and is not shown', () => {
  const said = explain({ text: 'maybe wrong password', shown: 'maybe *** password' }, asked, false)
  assert.match(said.message, /password.*is wrong/)
  assert.match(
    explain({ text: 'odd canary', shown: 'odd ***' }, asked, false).message,
    /no proxy: odd \*\*\*$/,
  )
})

test('of a good proxy only what matters is told', () => {
  assert.is(complaint('Your proxy is valid until Wed Nov 25'), undefined)
  assert.match(
    complaint('Warning: The validity of this VOMS AC in your proxy is shortened to 86400 seconds!') ?? '',
    /24 hours/,
  )
  assert.match(complaint('Cannot verify AC signature!') ?? '', /\.lsc/)
})

test.run()
