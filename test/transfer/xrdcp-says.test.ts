// What xrdcp 5.5.3 was seen to end with, and what follows of it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { missOfXrdcp } from '../../src/transfer/xrdcp-says.ts'

const test = suite('xrdcp says')
const place = 'R (se.example.org:1094)'

function judged(code: number | null, stderr: string, came = 0, showed = true): string {
  const { blame, trouble, denied } = missOfXrdcp({ code, stderr, came, showed }, place)
  return `${blame} ${trouble.reason}${denied ? ' denied' : ''}`
}

test('each end that was measured has its blame and reason', () => {
  const rows: readonly (readonly [number | null, string, string])[] = [
    [
      54,
      'Run: [ERROR] Server responded with an error: [3011] Unable to open /x; no such file (source)',
      'replica no_replica',
    ],
    [
      54,
      "Run: [ERROR] Server responded with an error: [3010] Opening path '/x' is disallowed.",
      'replica refused denied',
    ],
    [
      54,
      'Run: [ERROR] Server responded with an error: [3016] Unable to open /x; is a directory',
      'strike corrupt',
    ],
    [54, 'Run: [ERROR] Server responded with an error: [3024] busy', 'host host_down'],
    [54, 'Run: [ERROR] Server responded with an error: [3999] what', 'replica refused'],
    [54, 'Run: [ERROR] Local error: no space left on device:  (destination)', 'us disk_full'],
    [54, 'Run: [ERROR] Local error: no such file or directory:  (destination)', 'us disk_error'],
    [53, 'Run: [ERROR] Resource not found:  (source)', 'replica no_replica'],
    [52, 'Run: [FATAL] Auth failed: No protocols left to try (source)', 'replica auth'],
    [52, 'Run: [ERROR] Operation expired:  (source)', 'host host_down'],
    [51, 'Run: [FATAL] Connection error:  (source)', 'host host_down'],
    [51, 'Run: [FATAL] Socket error:  (source)', 'host host_down'],
    [51, 'Run: [FATAL] Invalid address:  (source)', 'host host_down'],
    [51, 'Run: [FATAL] TLS error: resource temporarily unavailable:  (source)', 'replica refused'],
    [53, 'Run: [FATAL] Redirect limit has been reached:  (source)', 'replica refused'],
    [
      50,
      'Run: [ERROR] Received corrupted data: End-of-central-directory signature not found. (source)',
      'strike corrupt',
    ],
    [0, '', 'strike corrupt'],
    [null, '', 'replica stalled'],
    [1, 'anything at all', 'replica refused'],
  ]
  for (const [code, said, expected] of rows) assert.is(judged(code, said), expected, said)
})

test('what breaks after bytes have come says nothing against the host', () => {
  assert.is(judged(51, 'Run: [FATAL] Socket error: connection reset by peer:  (source)', 5), 'line stalled')
  assert.is(judged(52, 'Run: [ERROR] Operation expired:  (source)', 5), 'line stalled')
})

test('a storage that encrypts nothing is told by what asked for it', () => {
  const stderr =
    'Run: [FATAL] TLS error: connection refused: Server was not configured to support encryption. (source)'
  const { blame, trouble } = missOfXrdcp({ code: 51, stderr, came: 0, showed: false }, place)
  assert.equal([blame, trouble.reason], ['replica', 'refused'])
  assert.match(trouble.detail, '"plain_data": false')
})

test('who was not shown our token, and why, stands in the sentence', () => {
  const stderr = 'Run: [FATAL] Auth failed: No protocols left to try (source)'
  const { trouble } = missOfXrdcp({ code: 52, stderr, came: 0, showed: true, keptBack: true }, place)
  assert.is(trouble.reason, 'auth')
  assert.match(trouble.detail, 'sends us on to other hosts, and a token is shown to no host but')
})

test('without a proxy the sentence says that one is wanted', () => {
  const { trouble } = missOfXrdcp(
    { code: 52, stderr: 'Run: [FATAL] Auth failed: No protocols left to try', came: 0, showed: false },
    place,
  )
  assert.match(trouble.detail, /takes a proxy/)
})

test('an address that it repeats is not told on, since its query may hold a secret', () => {
  const { trouble } = missOfXrdcp(
    {
      code: 54,
      stderr:
        'Run: [ERROR] Server responded with an error: [3999] root://h//x?authz=canary and /x?authz=canary failed',
      came: 0,
      showed: true,
    },
    place,
  )
  assert.not.match(trouble.detail, /canary/)
})

test.run()
