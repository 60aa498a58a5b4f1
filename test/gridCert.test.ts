// What Rucio says of the login, in GET /status.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closeAll, liar } from './catalogue/open.ts'
import { sweep, temporary, world } from './help/data.ts'
import { type Home, openHome, until } from './help/home.ts'
import { fakeClient } from './help/voms-client.ts'

const test = suite('the credential in GET /status')
let home: Home | undefined

test.after(async () => {
  await home?.end()
  closeAll()
  await sweep()
})

test('a login that Rucio refuses is told within seconds, not with the next look in a minute', async () => {
  const url = await liar((_, response) => {
    response.writeHead(401, { ExceptionClass: 'CannotAuthenticate' }).end()
  }, 'auth too')
  home = await openHome({ grid: { url, caPem: '' }, world })
  await home.ds('POST', 'hands:hands.x')
  await until(async () => {
    const answer = await home?.get('/status')
    const cert = answer?.json['grid_cert'] as { is_good: boolean; error: string | null } | undefined
    return (
      (cert?.is_good === false && cert.error?.includes('CannotAuthenticate') === true) ||
      `it says ${JSON.stringify(cert)}`
    )
  }, 5000)
})

test('why no proxy could be made is told within seconds, and what mends it is taken up', async () => {
  const place = await temporary()
  const client = await fakeClient(place)
  await client.plays({ says: 'testvo: User unknown to this VO.', code: 1 })
  const url = await liar((_, response) => {
    response.writeHead(401, { ExceptionClass: 'CannotAuthenticate' }).end()
  }, 'auth too')
  const secret = join(place, 'password')
  await home?.end()
  home = await openHome({
    grid: { url, caPem: '' },
    world,
    env: {
      PATH: client.bin,
      DESKTOP_RUCIO_CERT_DIR: client.certs,
      DESKTOP_RUCIO_PROXY_DIR: join(place, 'proxies'),
      GRID_VOMS: 'testvo',
      GRID_PASSWORD_FILE: secret,
    },
  })
  await says(/password file .* is not there/)
  await writeFile(secret, 'canary\n')
  await says(/you are no member of testvo/)
  // What the client says is the log.
  const { json } = await home.get('/logs?name=grid_cert')
  assert.match(JSON.stringify(json), 'voms-proxy-init: testvo: User unknown to this VO.')
  const [run] = await client.runs()
  assert.is(run?.input, 'canary\n')
  assert.not.match(JSON.stringify([run?.args, run?.env, await home.get('/status')]), 'canary')
})

async function says(words: RegExp): Promise<void> {
  await until(async () => {
    const cert = (await home?.get('/status'))?.json['grid_cert'] as { is_good: boolean; error: string | null }
    return (cert.is_good === false && words.test(cert.error ?? '')) || `it says ${JSON.stringify(cert)}`
  }, 8000)
}

test.run()
