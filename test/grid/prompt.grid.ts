// The question for the password at a real terminal: what is shown there, what the keys do, how it is left; and that nobody is asked
// where nobody sits. A terminal needs python3; the key and the client are the grid's.

import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { variable } from './seeded.ts'
import { certDir, password } from './voms/server.ts'

const test = suite('the password at a terminal')
const bin = fileURLToPath(new URL('../../../bin/desktop-rucio', import.meta.url))
const question = 'Password of .*userkey\\.pem: '
const ctrlC = '\u0003'

test.after(sweep)

type Step = { readonly wait: string; readonly send?: string }
type Seen = {
  readonly output: string
  readonly echo: readonly boolean[]
  readonly same: boolean
  readonly code: number
  readonly missed: string | null
}
type Place = { readonly data: string; readonly argv: readonly string[]; readonly env: Record<string, string> }

async function place(): Promise<Place> {
  const [dir, data] = [await temporary(), await temporary()]
  const certs = await certDir(dir)
  return {
    data,
    argv: [process.execPath, bin, 'serve', '--data', data, '--port', '0', '--cert-dir', certs],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: tmpdir(),
      RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/rucio-x509.cfg`,
      X509_CERT_DIR: variable('X509_CERT_DIR'),
      DESKTOP_RUCIO_PROXY_DIR: join(dir, 'proxies'),
    },
  }
}

function atTerminal({ argv, env }: Omit<Place, 'data'>, steps: readonly Step[], seconds = 30): Seen {
  const script = join(variable('GRID_SRC'), 'terminal.py')
  const input = JSON.stringify({ argv, env, steps, seconds })
  const done = spawnSync('python3', [script], { input, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  const seen = JSON.parse(done.stdout) as Seen
  assert.is(seen.missed, null, JSON.stringify(seen))
  return seen
}

/** bash as a person's shell: jobs, at this terminal. `$@` is the daemon. */
function inShell(text: string, { argv, env }: Place): Omit<Place, 'data'> {
  return { argv: ['/bin/bash', '-c', text, 'bash', ...argv], env }
}

async function certOf(data: string): Promise<{ readonly is_good: boolean; readonly error: string | null }> {
  return JSON.parse(await readFile(join(data, '.rucio', 'status', 'grid_cert.json'), 'utf8'))
}

test('what is typed is not shown, and the daemon makes its proxy with it', async () => {
  const here = await place()
  const steps = [
    { wait: question, send: `${password}\r` },
    { wait: ' serves ', send: '' },
  ]
  // Its proxy is made while it begins; Ctrl-C is a signal again by then.
  const made = JSON.stringify(join(here.data, '.rucio', 'logs', 'grid_cert.log'))
  const until = `until grep -qs 'a proxy of' ${made}; do sleep 0.2; done; echo made`
  const seen = atTerminal(inShell(`set -m; { ${until}; } & "$@"; echo "code $?"`, here), [
    ...steps,
    { wait: 'made', send: ctrlC },
    { wait: 'code 0' },
  ])
  assert.not.match(seen.output, new RegExp(password))
  assert.equal(seen.echo, [false, true, true])
  assert.ok(seen.same)
  assert.equal([(await certOf(here.data)).is_good, (await certOf(here.data)).error], [true, null])
})

test('a wrong one is told at once and asked for again; three wrong ones end it with 1', async () => {
  const here = await place()
  const wrong = (send: string): Step[] => [
    { wait: question, send: `${send}\r` },
    { wait: 'that is not the password of .*userkey\\.pem' },
  ]
  const seen = atTerminal(here, [...wrong('one'), ...wrong('two'), ...wrong('three')])
  assert.equal([seen.code, seen.same], [1, true])
  assert.not.match(seen.output, /one|two|three/)
  // Nothing had begun.
  assert.equal(await readdir(here.data), [])
  const right = atTerminal(here, [
    ...wrong('one'),
    { wait: question, send: `${password}\r` },
    { wait: ' serves ', send: ctrlC },
  ])
  assert.equal([right.code, right.same], [0, true])
})

test('Ctrl-C ends it with 130, leaves the terminal as it was, and nothing has begun', async () => {
  const here = await place()
  const seen = atTerminal(here, [{ wait: question, send: `half of it${ctrlC}` }])
  assert.equal([seen.code, seen.same, seen.echo], [130, true, [false]])
  assert.not.match(seen.output, /half|serves/)
  assert.equal(await readdir(here.data), [])
})

test('Ctrl-Z gives the terminal to the shell, and the question comes again with fg', async () => {
  const here = await place()
  const shell = inShell('set -m; "$@"; echo "stopped $?"; stty -a; fg; echo "code $?"', here)
  const seen = atTerminal(shell, [
    { wait: question, send: 'half\u001a' },
    { wait: 'stopped 148' },
    { wait: '[^-]echo' },
    { wait: question, send: ctrlC },
    { wait: 'code 130' },
  ])
  assert.ok(seen.same)
})

test('an empty answer begins without one, and says what it lacks', async () => {
  const here = await place()
  const seen = atTerminal(here, [
    { wait: question, send: '\r' },
    { wait: ' serves ', send: ctrlC },
  ])
  assert.is(seen.code, 0)
})

test('in the background nobody is asked, and it is not stopped for having a terminal', async () => {
  const here = await place()
  const said = JSON.stringify(join(here.data, '.rucio', 'status', 'grid_cert.json'))
  const until = `until grep -qs 'none was given' ${said}; do sleep 0.2; done`
  const seen = atTerminal(inShell(`set -m; "$@" & ${until}; kill $!; wait $!; echo "code $?"`, here), [
    { wait: ' serves ' },
    { wait: 'code 0' },
  ])
  assert.not.match(seen.output, /Password/)
  assert.match((await certOf(here.data)).error ?? '', /has a password, and none was given/)
})

test('without a terminal nobody is asked either', async () => {
  const here = await place()
  const shell = inShell('"$@" </dev/null & read -r _; kill $!; wait $!; echo "code $?"', here)
  const seen = atTerminal(shell, [{ wait: ' serves ', send: '\r' }, { wait: 'code 0' }])
  assert.not.match(seen.output, /Password/)
})

test('desktop-rucio password: Ctrl-C ends it with 130, and nothing is handed over', async () => {
  const here = await place()
  const shell = inShell(
    `set -m; "$@" & read -r _; ${JSON.stringify(process.execPath)} ${bin} password --data ${here.data}; echo "code $?"; kill $!; wait $!; echo "end $?"`,
    here,
  )
  const seen = atTerminal(shell, [
    { wait: ' serves ', send: '\r' },
    { wait: 'Password of the private key: ', send: `half${ctrlC}` },
    { wait: 'code 130' },
    { wait: 'end 0' },
  ])
  assert.equal([seen.same, seen.echo], [true, [true, false]])
  assert.not.match(seen.output, /half/)
})

test.run()
