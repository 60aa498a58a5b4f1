// A VOMS server that speaks REST alone, as today's do, and the old protocol not at all: each client gets its attributes there, and what it
// says of a refusal becomes the same sentences.

import { chmod, copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeProxy, type Outcome } from '../../src/credential/attempt.ts'
import { Trouble } from '../../src/words/reason.ts'
import { parseVoms } from '../../src/words/voms.ts'
import { sweep, temporary } from '../help/data.ts'
import { variable } from './seeded.ts'
import { type RestServer, startRestServer } from './voms/rest.ts'
import { type Client, certDir, password, startVoms, stopVoms, vomsEnv } from './voms/server.ts'

const test = suite('VOMS by REST alone')

let clients: readonly Client[] = []
let server: RestServer
test.before(async () => {
  clients = startVoms()
  // The attributes are those of the real server; the server itself is not needed any more.
  stopVoms()
  server = await startRestServer(['/testvo', '/testvo/de', '/testvo/Role=production'])
})
test.after(async () => {
  await server.stop()
  await sweep()
})

async function make(
  client: Client,
  asked: string,
  who: 'usercert' | 'stranger' = 'usercert',
): Promise<{ readonly outcome: Outcome; readonly said: string }> {
  const voms = parseVoms(asked)
  if (voms instanceof Trouble) throw voms
  const dir = await temporary()
  const certs = await certDir(dir)
  const { DESKTOP_RUCIO_PROXY_DIR: proxies, VOMS_USERCONF: _, ...env } = vomsEnv(client, dir)
  if (who === 'stranger') {
    const key = join(certs, 'userkey.pem')
    await chmod(key, 0o600)
    await copyFile(join(variable('GRID_DIR'), 'certs', 'stranger.pem'), join(certs, 'usercert.pem'))
    await copyFile(join(variable('GRID_DIR'), 'certs', 'stranger.key'), key)
    await chmod(key, 0o400)
  }
  let said = ''
  const outcome = await makeProxy(
    {
      proxyPath: `${proxies}/x509up.pem`,
      certPath: `${certs}/usercert.pem`,
      keyPath: `${certs}/userkey.pem`,
      voms,
      valid: '10:00',
      copyKey: false,
      caDir: variable('X509_CERT_DIR'),
      vomses: server.vomses,
      env,
    },
    { password, held: undefined, now: () => Date.now() },
    line => {
      said += `${line}\n`
    },
    AbortSignal.timeout(120_000),
  )
  return { outcome, said }
}

for (const name of ['C++', 'Java'] as const) {
  test(`${name}: attributes, group and role come from it`, async () => {
    const client = clients.find(each => each.name === name)
    if (client === undefined) return console.log(`there is no ${name} client here`)
    for (const [asked, fqan] of [
      ['testvo', '/testvo/Role=NULL/Capability=NULL'],
      ['testvo:/testvo/Role=production', '/testvo/Role=production/Capability=NULL'],
    ] as const) {
      const { outcome, said } = await make(client, asked)
      if (outcome.kind !== 'made') throw new Error(`${JSON.stringify(outcome)}\n${said}`)
      const { voms, identity } = outcome.pair
      assert.equal([voms?.vos, voms?.fqans], [['testvo'], [fqan]])
      assert.is(identity, variable('USER_DN'))
      assert.is(outcome.complaint, undefined)
      const leftMs = (voms?.end ?? 0) - Date.now()
      assert.ok(Math.abs(leftMs - 36_000_000) < 120_000, `${leftMs}`)
    }
    assert.ok(
      server.asked.every(({ path }) => path.startsWith('/generate-ac?')),
      JSON.stringify(server.asked),
    )
    console.log(`${name}: ${server.asked.map(({ path }) => path).join(' ')}, ${server.strange()} strange`)
    server.asked.length = 0
  })

  test(`${name}: what the server refuses is told, and tried again each hour`, async () => {
    const client = clients.find(each => each.name === name)
    if (client === undefined) return console.log(`there is no ${name} client here`)
    const [role, stranger] =
      name === 'Java'
        ? [/does not give testvo:\/testvo\/Role=VO-Admin to this certificate/, /no member of testvo/]
        : [
            /does not show why: are you a member, and do you hold testvo:\/testvo\/Role=VO-Admin/,
            /are you a member/,
          ]
    for (const [asked, who, says] of [
      ['testvo:/testvo/Role=VO-Admin', 'usercert', role],
      ['testvo', 'stranger', stranger],
    ] as const) {
      const { outcome, said } = await make(client, asked, who)
      if (outcome.kind !== 'refused') throw new Error(outcome.kind)
      assert.match(outcome.message, says)
      assert.is(outcome.again, 'later', said)
    }
  })
}

test.run()
