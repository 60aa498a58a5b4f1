import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missOf, toLog } from '../../src/transfer/rucio-words.ts'

const test = suite('rucio-words')

/** As client 41.5.1 said it on the real grid; `said` is what came after its head. */
const head = `WARNING This method is being deprecated. Please replace your command with \`rucio download\`
DEBUG No creds passed. Trying to get it from the config file.
DEBUG HTTP request: GET https://localhost:14443/rses/?expression=istape%3Dtrue
DEBUG HTTP header:  X-Rucio-Auth-Token: [hidden]
DEBUG HTTP Response: 200 OK
INFO Processing 1 item(s) for input
INFO Using main thread to download 1 file(s)
INFO Preparing download of mc16_13TeV:a.root
`
const table: readonly { readonly because: string; readonly said: string; readonly is: string }[] = [
  {
    because: 'a dead port',
    said: `DEBUG The requested service is not available at the moment.
Details: An unknown exception occurred.
Details: Could not open source: Result Could not connect to server after 1 attempts
WARNING Download attempt failed. Try 2/2
DEBUG gfal.Default: closing protocol connection
ERROR Failed to download file mc16_13TeV:a.root
ERROR None of the requested files have been downloaded.`,
    is: 'host host_down',
  },
  {
    because: 'no such file at the storage',
    said: `DEBUG Source file not found.
Details: Source file not found.
Details: Could not open source: Result HTTP 404 : File not found  after 1 attempts
WARNING Download attempt failed. Try 2/2
ERROR None of the requested files have been downloaded.`,
    is: 'replica no_replica',
  },
  {
    because: 'the same over root',
    said: `DEBUG xrootd.Default: xrootd.get: cmd: xrdcp -f root://localhost:10940//rucio/a.root /tmp/a.root.part
DEBUG The requested service is not available at the moment.
Details: Source file not found.
WARNING Download attempt failed. Try 2/2`,
    is: 'replica no_replica',
  },
  {
    because: 'https without a proxy',
    said: `WARNING Failed to create protocol for PFN: https://localhost:14431/rucio/a.root
Details: X509_USER_PROXY is not set
WARNING No available source found for file: mc16_13TeV:a.root`,
    is: 'replica unsupported',
  },
  {
    because: 'a storage that says 403',
    said: `DEBUG The requested service is not available at the moment.
Details: An unknown exception occurred.
Details: Could not open source: HTTP 403 : Permission refused
WARNING Download attempt failed. Try 2/2`,
    is: 'replica refused',
  },
  {
    because: 'a storage that says 500',
    said: `DEBUG The requested service is not available at the moment.
Details: An unknown exception occurred.
Details: Could not open source: Result HTTP 500 : Unexpected server error: 500  after 1 attempts`,
    is: 'host host_down',
  },
  {
    because: 'no credential for a GSI storage',
    said: `WARNING Failed to create protocol for PFN: root://localhost:10940//rucio/a.root
DEBUG scheme: root, exception: Referenced RSE not reachable.
Details: Referenced RSE not reachable.
Details: [FATAL] Auth failed: No protocols left to try
ERROR Failed to download file mc16_13TeV:a.root`,
    is: 'replica refused',
  },
  {
    because: 'a proxy that is not there',
    said: `DEBUG scheme: https, exception: Could not find the TLS certificate file, invalid path: /nonexistent
ERROR Failed to download file mc16_13TeV:a.root`,
    is: 'replica refused',
  },
  {
    because: 'an authority that the client does not know',
    said: `DEBUG The requested service is not available at the moment.
Details: Could not open source: Result (Neon): Server certificate verification failed: issuer is not trusted after 1 attempts`,
    is: 'replica refused',
  },
  {
    because: 'a storage that the server does not know',
    said: `DEBUG HTTP Response: 500 INTERNAL SERVER ERROR
ERROR Provided RSE expression is considered invalid.
Details: RSE Expression resulted in an empty set.
DEBUG This means the RSE expression you provided is not syntactically correct.`,
    is: 'replica no_replica',
  },
  {
    because: 'nothing there for this protocol',
    said: `WARNING No available source found for file: mc16_13TeV:a.root
ERROR None of the requested files have been downloaded.`,
    is: 'replica no_replica',
  },
  {
    because: 'a token that the server has forgotten',
    said: `DEBUG Response text (length=106): [{"ExceptionClass": "CannotAuthenticate", "ExceptionMessage": "Cannot authenticate with given credentials"}]
DEBUG get a new token
ERROR The module is not installed.
Details: The requests-kerberos module is not installed.`,
    is: 'us auth',
  },
  {
    because: 'a Rucio server that is down',
    said: `ERROR ConnectionError: HTTPSConnectionPool(host='localhost', port=9): Max retries exceeded with url: /scopes/ (Caused by NewConnectionError("…: [Errno 111] Connection refused"))
ERROR Cannot connect to the Rucio server.`,
    is: 'us host_down',
  },
  {
    because: 'a full disk',
    said: `DEBUG The requested service is not available at the moment.
Details: [Errno 28] No space left on device
WARNING Download attempt failed. Try 2/2`,
    is: 'us disk_full',
  },
  {
    because: 'no library for the protocol',
    said: `WARNING Failed to create protocol for PFN: srm://se.example.org:8446/a.root
DEBUG scheme: srm, exception: No module named 'gfal2'
ERROR Failed to download file mc16_13TeV:a.root`,
    is: 'replica unsupported',
  },
  {
    because: 'Python broke',
    said: `Traceback (most recent call last):
  File "/opt/rucio/bin/rucio", line 30, in <module>
ModuleNotFoundError: No module named 'rucio'`,
    is: 'replica unsupported',
  },
  { because: 'it says nothing that is known', said: 'INFO bye', is: 'replica refused' },
]

for (const { because, said, is } of table)
  test(`${because}: ${is}`, () => {
    const miss = missOf(head + said, 'RSE1 (se.example.org:443)')
    assert.is(`${miss.blame} ${miss.trouble.reason}`, is)
    assert.match(miss.trouble.detail, /^RSE1 \(se\.example\.org:443\): /)
  })

test('the sentence has the innermost words of the client', () => {
  assert.is(
    missOf(head + (table[0]?.said ?? ''), 'RSE1').trouble.detail,
    'RSE1: the official client does not reach the storage: Could not open source: Result Could not connect to server after 1 attempts',
  )
})

test('the log has what it did and what went wrong, without its calls and without queries of URLs', () => {
  const said = `${head}INFO Using PFN: https://se.example.org/a.root?X-Amz-Signature=secret
DEBUG renaming '/x/a.root.part' to '/x/a.root'
DEBUG Source file not found.
Details: at https://se.example.org/a.root?sig=secret
INFO File user.test:a.root successfully downloaded in 0.0 seconds
----------------------------------
Download summary`
  assert.equal(toLog(said), [
    'INFO Processing 1 item(s) for input',
    'INFO Using main thread to download 1 file(s)',
    'INFO Preparing download of mc16_13TeV:a.root',
    'INFO Using PFN: https://se.example.org/a.root',
    'DEBUG Source file not found.',
    'Details: at https://se.example.org/a.root',
    'INFO File user.test:a.root successfully downloaded in 0.0 seconds',
  ])
})

test.run()
