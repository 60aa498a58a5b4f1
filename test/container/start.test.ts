// start.sh and start.ps1 against a docker that writes down what it was told: both must say the same.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'

const test = suite('start scripts')
test.after(sweep)

const container = fileURLToPath(new URL('../../../container/', import.meta.url))

/** A machine with a docker on it that runs what it was told to, as far as start.sh asks. */
async function machine() {
  const dir = await temporary()
  for (const each of ['bin', 'certs', "data's", 'data dir', 'home']) await mkdir(join(dir, each))
  await writeFile(
    join(dir, 'bin', 'docker'),
    `#!/bin/sh
case "$1 $2" in
  'info '* | 'compose version') exit 0 ;;
  'inspect -f') [ -e '${dir}/up' ] && echo true || echo false; exit 0 ;;
esac
for word in "$@"; do printf '%s\\037' "$word"; done >>'${dir}/called'
echo >>'${dir}/called'
for word in "$@"; do case $word in up) touch '${dir}/up' ;; stop) rm -f '${dir}/up' ;; esac; done
`,
    { mode: 0o755 },
  )
  const start = async (words: readonly string[], { shell = 'sh' } = {}) => {
    await writeFile(join(dir, 'called'), '')
    const child = spawn(shell, [join(container, 'start.sh'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${join(dir, 'bin')}:/usr/bin:/bin`, HOME: join(dir, 'home') },
    })
    let said = ''
    child.stdout.on('data', data => {
      said += data
    })
    child.stderr.on('data', data => {
      said += data
    })
    const [code] = await once(child, 'close')
    const called = (await readFile(join(dir, 'called'), 'utf8')).trimEnd().split('\n')
    return { code, said, called: called.map(line => line.split('\x1f').slice(0, -1)) }
  }
  const config = join(dir, 'home/.config/desktop-rucio')
  return {
    dir,
    config,
    start,
    settings: async () => readSettings(await readFile(join(config, 'env'), 'utf8')),
  }
}

function readSettings(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)='([^']*)'$/gm)].map(([, key = '', value = '']) => [key, value]),
  )
}

for (const shell of ['sh', 'bash'])
  test(`${shell}: the parameters of old become settings of compose, and docker is told no secret`, async () => {
    const { dir, config, start, settings } = await machine()
    const secret = join(dir, 'secret')
    await writeFile(secret, 'never-to-be-seen\r\n', { mode: 0o600 })
    const words = [
      join(dir, 'certs'),
      join(dir, 'data dir'),
      'jdoe',
      '-f',
      secret,
      '-v',
      '1.2',
      '-p',
      '8123',
      '-g',
      'atlas:/atlas/x',
      '-e',
      'cms',
    ]
    const { code, said, called } = await start(words, { shell })
    assert.is(code, 0, said)
    assert.match(said, 'answers at http://localhost:8123')
    const { UID_GID, ...rest } = await settings()
    assert.is(UID_GID, `${process.getuid?.()}:${process.getgid?.()}`)
    assert.equal(rest, {
      DATA: join(dir, 'data dir'),
      CERTS: join(dir, 'certs'),
      RUCIO_ACCOUNT: 'jdoe',
      PORT: '8123',
      VERSION: '1.2',
      NAME: 'desktop-rucio',
      EXPERIMENT: 'cms',
      GRID_VOMS: 'atlas:/atlas/x',
      GRID_PASSWORD_FILE: secret,
      CACHE_PREFIX: `file://${join(dir, 'data dir')}`,
    })
    assert.equal(called, [
      [
        'compose',
        '--env-file',
        join(config, 'env'),
        '-f',
        join(container, 'compose.yaml'),
        'up',
        '-d',
        '--wait',
      ],
    ])
    assert.not.match(JSON.stringify(called) + said, 'never-to-be-seen')
    assert.is((await stat(join(config, 'env'))).mode & 0o777, 0o600)
  })

test('run again with the same words it says the same; stopped and started it keeps its settings', async () => {
  const { dir, start, settings } = await machine()
  const words = [join(dir, 'certs'), join(dir, 'data dir'), 'jdoe']
  const first = await start(words)
  const set = await settings()
  const second = await start(words)
  assert.equal([second.code, second.called], [0, first.called])
  assert.equal(await settings(), set)
  assert.is((await start(['-s'])).called[0]?.at(-1), 'stop')
  assert.equal((await start(words)).called, first.called)
  assert.equal(await settings(), set)
})

test('-b opens a bash in it and -u updates the certificates, and starts it only if it does not run', async () => {
  const { dir, start } = await machine()
  assert.is((await start(['-b'])).code, 2, 'nothing is known yet')
  await start([join(dir, 'certs'), join(dir, 'data dir'), 'jdoe'])
  assert.equal((await start(['-b'])).called, [['exec', '-i', 'desktop-rucio', '/bin/bash']])
  assert.equal((await start(['-u'])).called, [['exec', 'desktop-rucio', 'update-certificates']])
  await start(['-s'])
  assert.equal(
    (await start(['-u', '-b'])).called.map(words => words.at(-1)),
    ['--wait', 'update-certificates', '/bin/bash'],
  )
})

test('what is wrong is told in one line, with what to do, and docker is not called', async () => {
  const { dir, start } = await machine()
  const [certs, data] = [join(dir, 'certs'), join(dir, 'data dir')]
  for (const [words, wanted] of [
    [[join(dir, 'none'), data, 'jdoe'], /none is no directory/],
    [[certs, join(dir, 'none'), 'jdoe'], /make it first/],
    [[certs, data, 'jdoe', 'secret'], /one argument too many/],
    [[certs, data, 'jdoe', '-p', 'x'], /-p takes a port/],
    [[certs, data, 'jdoe', '-x'], /no option -x/],
    [[certs, data, 'jdoe', '-f'], /-f takes a value/],
    [[certs, data, 'jdoe', '-f', join(dir, 'none')], /cannot be read/],
    [[certs, join(dir, "data's"), 'jdoe'], /may hold no quote/],
  ] as const) {
    const { code, said, called } = await start(words)
    assert.is(code, 2, words.join(' '))
    assert.match(said, wanted)
    assert.is(said.trimEnd().split('\n').length, 1, said)
    assert.equal(called, [[]])
  }
})

/** What stands between `from` and `to`, exclusive. */
function between(text: string, from: string, to: string): string {
  const at = text.indexOf(from)
  assert.ok(at >= 0, from)
  return text.slice(at + from.length, text.indexOf(to, at + from.length))
}

test('start.ps1 writes the settings that start.sh writes, and calls docker with the same words', async () => {
  const ps1 = await readFile(join(container, 'start.ps1'), 'utf8').then(text => text.replaceAll('\r', ''))
  const sh = await readFile(join(container, 'start.sh'), 'utf8')
  const ofSh = [...sh.matchAll(/^ +put ([A-Z_]+) /gm)].map(([, key]) => key)
  const ofPs1 = [...ps1.matchAll(/\(Get-Line '([A-Z_]+)'/g)].map(([, key]) => key)
  // Docker Desktop does not mind which user, and Windows has no NAME from outside.
  assert.equal(
    ofPs1,
    ofSh.filter(key => key !== 'UID_GID' && key !== 'NAME'),
  )

  // Arrays of arguments, handed on as arrays: & docker @compose up -d --wait
  assert.is(
    between(ps1, '$compose = @(', ')\n').replaceAll(/\s+/g, ' '),
    "'compose', '--env-file', $envFile, '-f', (Join-Path $PSScriptRoot 'compose.yaml')",
  )
  const calls = [...ps1.matchAll(/& docker (.*?)(?: \}|$)/gm)].map(([, words]) => words)
  assert.equal(calls, [
    '@compose stop',
    '@compose up -d --wait',
    'logs --tail 5 $name',
    'exec $name update-certificates',
    'exec -it $name /bin/bash',
  ])
  const ofDocker = [
    ...sh.matchAll(/\b(?:compose|docker) ((?:stop|up|logs|exec) .*?|stop)(?: >&2.*|; .*|)$/gm),
  ].map(([, words = '']) => words.replaceAll('"', ''))
  assert.equal(
    ofDocker.filter(words => !words.startsWith('exec -i ')),
    calls.map(words => words?.replace('@compose ', '')),
  )
})

test('start.ps1 has the parameters of old, and is ASCII: Windows PowerShell reads no UTF-8 without a mark', async () => {
  const ps1 = await readFile(join(container, 'start.ps1'), 'utf8').then(text => text.replaceAll('\r', ''))
  assert.is(/[^\t\r\n\x20-\x7e]/.test(ps1), false)
  const names = [...between(ps1, 'param(', '\n)').matchAll(/\$(\w+)/g)].map(([, name]) => name)
  for (const name of [
    'CertPath',
    'DataDirectory',
    'RUCIOAccount',
    'containerVersion',
    'WebPort',
    'VOMS',
    'StartBash',
    'CertificateUpdate',
  ])
    assert.ok(names.includes(name), name)
  assert.not.match(ps1, /Invoke-Expression|\biex\b/i)
})

test.run()
