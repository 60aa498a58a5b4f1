// The doctor on a machine with the real programs, beside a daemon, against the real Rucio server: all well, and then not.

import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { type Job, service, startJob } from './job.ts'
import { variable } from './seeded.ts'

const test = suite('doctor, real grid')
const bin = fileURLToPath(new URL('../../../bin/desktop-rucio', import.meta.url))
let job: Job

test.before(async () => {
  job = await startJob(await temporary(), 'rucio-x509.cfg')
})
test.after(async () => {
  service('start', 'rucio')
  await job.daemon.end()
  await sweep()
})

/** `desktop-rucio doctor` with what the daemon was given. */
function doctor(): {
  readonly code: number | null
  readonly line: (check: string) => string
  readonly text: string
} {
  const done = spawnSync(process.execPath, [bin, 'doctor', '--data', job.data], {
    encoding: 'utf8',
    cwd: tmpdir(),
    env: {
      PATH: process.env['PATH'],
      HOME: tmpdir(),
      RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/rucio-x509.cfg`,
      X509_CERT_DIR: variable('X509_CERT_DIR'),
    },
    timeout: 60_000,
  })
  const text = `${done.stdout}${done.stderr}`
  return {
    code: done.status,
    text,
    line: check => text.split('\n').find(each => each.includes(` ${check} `)) ?? text,
  }
}

test('beside a daemon all is well, with the versions of the real programs', async () => {
  const { code, line, text } = doctor()
  assert.is(code, 0, text)
  for (const check of ['voms-proxy-init', 'xrdcp', 'rucio', 'fetch-crl'])
    assert.match(line(check), /^good .*\d+\.\d+.*, \//, check)
  for (const check of [
    'credential',
    'authorities',
    'Rucio server',
    'clock',
    'login',
    'data directory',
    'file events',
  ])
    assert.match(line(check), /^good /, text)
  // No list lies there: that is no more than a warning.
  assert.match(line('revocation lists'), /^warning .*1 missing/)
  assert.match(line('credential'), 'CN=Jane Doe')
})

test('without the Rucio server it says so, and the rest all the same', () => {
  service('kill', 'rucio')
  const { code, line, text } = doctor()
  assert.is(code, 1)
  assert.match(line('Rucio server'), /^bad .*refuses connections/)
  assert.match(line('login'), /^skipped /)
  assert.match(line('data directory'), /^good /, text)
})

test.run()
