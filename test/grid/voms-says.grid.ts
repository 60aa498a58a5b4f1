// What goes wrong with a real VOMS server and real clients, as far as a user can cause it, and the sentence that it becomes.

import { readFileSync } from 'node:fs'
import { chmod, copyFile, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeProxy, type Outcome, type ProxyOptions } from '../../src/credential/attempt.ts'
import { Trouble } from '../../src/words/reason.ts'
import { parseVoms } from '../../src/words/voms.ts'
import { rejects, sweep, temporary } from '../help/data.ts'
import { crlOf, gridCa, openssl } from './openssl.ts'
import { variable } from './seeded.ts'
import { type Client, certDir, password, startVoms, stopVoms, vomsDir, vomsEnv } from './voms/server.ts'

const test = suite('what goes wrong with VOMS')

let clients: readonly Client[] = []
test.before(() => {
  clients = startVoms()
})
test.after(async () => {
  stopVoms()
  await sweep()
})

type Stage = {
  readonly dir: string
  readonly certs: string
  options: ProxyOptions
  password: string | undefined
  now: () => number
}
type Row = {
  readonly because: string
  /** what is made wrong */
  readonly spoil: (stage: Stage) => Promise<void> | void
  readonly again: 'change' | 'network' | 'later' | 'made'
  readonly says: RegExp
  /** Debian's two clients differ: only for the one */
  readonly only?: Client['name']
}

const cert = (name: string): string => join(variable('GRID_DIR'), 'certs', name)

const rows: readonly Row[] = [
  {
    because: 'the password is wrong',
    spoil: stage => {
      stage.password = 'not-it'
    },
    again: 'change',
    says: /password of the private key is wrong/,
  },
  {
    because: 'no password was given',
    spoil: stage => {
      stage.password = undefined
    },
    again: 'change',
    says: /none was given/,
  },
  {
    because: 'the key may be read by others',
    spoil: ({ options }) => chmod(options.keyPath, 0o644),
    again: 'change',
    says: /mode 0644.*chmod 400/,
  },
  {
    because: 'the key is on a share that shows it to all, and is copied',
    spoil: async stage => {
      await chmod(stage.options.keyPath, 0o777)
      stage.options = { ...stage.options, copyKey: true }
    },
    again: 'made',
    says: /^$/,
  },
  {
    because: 'the key is that of another certificate',
    spoil: ({ certs }) => copyFile(cert('stranger.pem'), join(certs, 'usercert.pem')),
    again: 'change',
    says: /is not the key of/,
  },
  {
    because: 'the certificate is not there',
    spoil: stage => {
      stage.options = { ...stage.options, certPath: join(stage.dir, 'nothing.pem') }
    },
    again: 'change',
    says: /is not there/,
  },
  {
    because: 'the certificate has ended',
    spoil: stage => {
      stage.now = () => Date.parse('2040-01-01')
    },
    again: 'change',
    says: /your certificate ended/,
  },
  {
    because: 'the certificate is not valid yet',
    spoil: stage => {
      stage.now = () => Date.parse('2020-01-01')
    },
    again: 'network',
    says: /counts only from .*clock right/,
  },
  {
    because: 'the certificate ends before the proxy would',
    spoil: stage => shortCertificate(stage, 3_600_000),
    again: 'made',
    says: /^$/,
  },
  {
    because: 'the key is not there',
    spoil: stage => {
      stage.options = { ...stage.options, keyPath: join(stage.dir, 'nothing.pem') }
    },
    again: 'change',
    says: /private key .* is not there/,
  },
  {
    because: 'more is asked for than the server gives',
    spoil: stage => {
      stage.options = { ...stage.options, valid: '48:00' }
    },
    again: 'made',
    says: /gives attributes for 24 hours only/,
  },
  {
    because: 'the name of the VOMS server is one that nobody knows',
    spoil: stage => serversAt(stage, ['no.such.host.invalid:15000']),
    again: 'network',
    says: /was not reached|could not be reached|made no proxy/,
  },
  {
    because: 'of two VOMS servers one is down',
    spoil: stage => serversAt(stage, ['localhost:1', `localhost:${realPort()}`]),
    again: 'made',
    says: /^$/,
  },
  {
    because: 'a revocation list has run out',
    only: 'C++',
    spoil: stage => listOf(stage, [], new Date(Date.now() - 3_600_000)),
    again: 'made',
    says: /revocation list in the CA directory has ended: run fetch-crl/,
  },
  {
    because: 'a revocation list has run out, to Java',
    only: 'Java',
    spoil: stage => listOf(stage, [], new Date(Date.now() - 3_600_000)),
    again: 'later',
    says: /revocation list in the CA directory has ended: run fetch-crl/,
  },
  {
    because: 'the certificate was revoked',
    only: 'C++',
    spoil: stage => listOf(stage, [cert('usercert.pem')], new Date(Date.now() + 86_400_000)),
    again: 'made',
    says: /has been revoked: ask its authority/,
  },
  {
    because: 'the certificate was revoked, to Java',
    only: 'Java',
    spoil: stage => listOf(stage, [cert('usercert.pem')], new Date(Date.now() + 86_400_000)),
    again: 'change',
    says: /has been revoked: ask its authority/,
  },
  {
    because: 'who asks is no member of the VO',
    spoil: async ({ certs }) => {
      await copyFile(cert('stranger.pem'), join(certs, 'usercert.pem'))
      await chmod(join(certs, 'userkey.pem'), 0o600)
      await copyFile(cert('stranger.key'), join(certs, 'userkey.pem'))
      await chmod(join(certs, 'userkey.pem'), 0o400)
    },
    again: 'later',
    says: /no member of testvo/,
  },
  {
    because: 'the role is not his',
    spoil: stage => ask(stage, 'testvo:/testvo/Role=VO-Admin'),
    again: 'later',
    says: /does not give testvo:\/testvo\/Role=VO-Admin/,
  },
  {
    because: 'the VO is in no vomses',
    spoil: stage => ask(stage, 'othervo'),
    again: 'change',
    says: /no VOMS server is known for othervo/,
  },
  {
    because: 'nothing listens at the address of the VOMS server',
    spoil: stage => at(stage, 1),
    again: 'network',
    says: /was not reached/,
  },
  {
    because: 'the VOMS server accepts and never answers',
    spoil: stage => at(stage, Number(variable('GRID_HANG_PORT'))),
    again: 'network',
    says: /was not reached|did not answer/,
  },
  {
    because: 'the directory of authorities is empty',
    spoil: async stage => {
      const empty = join(stage.dir, 'no-authorities')
      await mkdir(empty)
      trust(stage, empty)
    },
    again: 'change',
    says: /CA directory/,
  },
  {
    because: 'the directory of authorities is not there',
    spoil: stage => trust(stage, join(stage.dir, 'nowhere')),
    again: 'change',
    says: /CA directory/,
  },
  {
    because: 'the .lsc file is not there, and the attributes are good all the same',
    only: 'C++',
    spoil: stage => {
      stage.options = {
        ...stage.options,
        env: { ...stage.options.env, X509_VOMS_DIR: join(stage.dir, 'nowhere') },
      }
    },
    again: 'made',
    says: /\.lsc/,
  },
  {
    because: 'the .lsc file is not there',
    only: 'Java',
    spoil: stage => {
      stage.options = {
        ...stage.options,
        env: { ...stage.options.env, X509_VOMS_DIR: join(stage.dir, 'nowhere') },
      }
    },
    again: 'change',
    says: /\.lsc/,
  },
  {
    because: 'there is no voms-proxy-init',
    spoil: stage => {
      stage.options = { ...stage.options, env: { ...stage.options.env, PATH: '/nowhere' } }
    },
    again: 'change',
    says: /no voms-proxy-init on this machine: install it/,
  },
  {
    because: 'the place of the proxy is another user’s',
    spoil: stage => {
      stage.options = { ...stage.options, proxyPath: '/proc/x509up.pem' }
    },
    again: 'network',
    says: /could not be made|could not be written/,
  },
]

for (const row of rows)
  test(row.because, async () => {
    for (const client of clients) {
      if (row.only !== undefined && row.only !== client.name) continue
      const stage = await stageFor(client)
      await row.spoil(stage)
      const lines: string[] = []
      const outcome = await run(stage, line => lines.push(line))
      const said =
        outcome.kind === 'refused'
          ? outcome.message
          : outcome.kind === 'made'
            ? (outcome.complaint ?? '')
            : 'no other'
      const told = `${client.name}: ${outcome.kind} ${said}\n${lines.join('\n')}`
      assert.is(outcome.kind === 'refused' ? outcome.again : outcome.kind, row.again, told)
      assert.match(said, row.says, told)
    }
  })

test('a client that is ended in the middle leaves neither proxy nor key', async () => {
  const before = await keys()
  for (const client of clients) {
    const stage = await stageFor(client)
    await at(stage, Number(variable('GRID_HANG_PORT')))
    const ending = new AbortController()
    const running = rejects(makeProxy(stage.options, known(stage), () => {}, ending.signal))
    await sleep(2500)
    ending.abort(new Error('enough'))
    assert.is(((await running) as Error).message, 'enough')
    assert.equal(await readdir(join(stage.dir, 'proxies')), [], client.name)
  }
  assert.equal(await keys(), before)
})

test('the user’s files are as they were', async () => {
  const [client] = clients
  if (client === undefined) throw new Error('no client')
  const stage = await stageFor(client)
  const look = async (): Promise<unknown> =>
    await Promise.all(
      (await readdir(stage.certs)).sort().map(async name => {
        const path = join(stage.certs, name)
        const { mode, mtimeMs, ctimeMs, ino } = await stat(path)
        return { name, mode, mtimeMs, ctimeMs, ino, text: await readFile(path, 'utf8') }
      }),
    )
  const before = await look()
  assert.is((await run(stage, () => {})).kind, 'made')
  assert.equal(await look(), before)
  assert.not.match(await readFile(stage.options.proxyPath, 'utf8'), /ENCRYPTED/)
})

test.run()

async function stageFor(client: Client): Promise<Stage> {
  const dir = await temporary()
  const certs = await certDir(dir)
  const { DESKTOP_RUCIO_PROXY_DIR: place = '', ...env } = vomsEnv(client, dir)
  return {
    dir,
    certs,
    password,
    now: () => Date.now(),
    options: {
      proxyPath: join(place, 'x509up_1.pem'),
      certPath: join(certs, 'usercert.pem'),
      keyPath: join(certs, 'userkey.pem'),
      voms: [{ vo: 'testvo', command: undefined }],
      valid: '2:00',
      copyKey: false,
      caDir: env['X509_CERT_DIR'] ?? '',
      vomses: env['VOMS_USERCONF'] ?? '',
      env,
    },
  }
}

function known(stage: Stage) {
  return { password: stage.password, held: undefined, now: stage.now }
}

function run(stage: Stage, say: (line: string) => void): Promise<Outcome> {
  return makeProxy(stage.options, known(stage), say, new AbortController().signal)
}

function ask(stage: Stage, text: string): void {
  const voms = parseVoms(text)
  if (voms instanceof Trouble) throw voms
  stage.options = { ...stage.options, voms }
}

async function at(stage: Stage, port: number): Promise<void> {
  const vomses = join(stage.dir, 'vomses')
  stage.options = { ...stage.options, vomses, env: { ...stage.options.env, VOMS_USERCONF: vomses } }
  await writeFile(vomses, `"testvo" "localhost" "${port}" "/DC=org/DC=gridtest/CN=localhost" "testvo"\n`)
}

function realPort(): string {
  return /"(\d+)"/.exec(readFileSync(join(vomsDir(), 'vomses'), 'utf8'))?.[1] ?? ''
}

async function serversAt(stage: Stage, places: readonly string[]): Promise<void> {
  const vomses = join(stage.dir, 'vomses')
  stage.options = { ...stage.options, vomses, env: { ...stage.options.env, VOMS_USERCONF: vomses } }
  const lines = places.map(place =>
    place
      .split(':')
      .map(each => `"${each}"`)
      .join(' '),
  )
  const host = '"/DC=org/DC=gridtest/CN=localhost" "testvo"'
  await writeFile(vomses, lines.map(line => `"testvo" ${line} ${host}\n`).join(''))
}

/** A directory of authorities of the stage's own, with a list. */
async function listOf(stage: Stage, revoked: readonly string[], until: Date): Promise<void> {
  const dir = join(stage.dir, 'authorities')
  await cp(variable('X509_CERT_DIR'), dir, { recursive: true })
  const text = crlOf(gridCa(), revoked, stage.dir, until)
  for (const name of await readdir(dir))
    if (/\.0$/.test(name)) await writeFile(join(dir, name.replace(/0$/, 'r0')), text)
  trust(stage, dir)
}

/** jdoe's certificate anew, for a while only. */
async function shortCertificate({ certs, dir }: Stage, ms: number): Promise<void> {
  const [ca, request] = [gridCa(), join(dir, 'request.pem')]
  const plain = cert('userkey-plain.pem')
  openssl(['x509', '-x509toreq', '-in', cert('usercert.pem'), '-signkey', plain, '-out', request])
  const config = join(dir, 'short.cnf')
  await writeFile(join(dir, 'short.txt'), '')
  await writeFile(
    config,
    `[ca]\ndefault_ca=one\n[one]\ndatabase=${dir}/short.txt\nnew_certs_dir=${dir}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\n`,
  )
  const enddate = `${new Date(Date.now() + ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  const extensions = join(dir, 'short-ext.cnf')
  await writeFile(extensions, 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n')
  openssl([
    ...[
      'ca',
      '-batch',
      '-config',
      config,
      '-extfile',
      extensions,
      '-preserveDN',
      '-notext',
      '-cert',
      ca.cert,
      '-keyfile',
      ca.key,
    ],
    ...['-in', request, '-enddate', enddate, '-out', join(certs, 'usercert.pem')],
  ])
}

function trust(stage: Stage, caDir: string): void {
  stage.options = { ...stage.options, caDir, env: { ...stage.options.env, X509_CERT_DIR: caDir } }
}

async function keys(): Promise<string[]> {
  return (await readdir('/tmp')).filter(name => name.startsWith('tmp_x509up_u')).sort()
}
