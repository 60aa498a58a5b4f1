// What Rucio says of the login, in GET /status.

import { suite } from 'uvu'
import { closeAll, liar } from './catalogue/open.ts'
import { sweep, world } from './help/data.ts'
import { type Home, openHome, until } from './help/home.ts'

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

test.run()
