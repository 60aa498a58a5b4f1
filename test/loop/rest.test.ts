// One DID that the catalogue cannot list, and what that means for the others.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openCatalogueRest } from '../../src/loop/rest.ts'
import { Trouble } from '../../src/words/reason.ts'
import { closeAll, liar } from '../catalogue/open.ts'
import { type Clock, openClock } from '../help/clock.ts'
import { sweep } from '../help/data.ts'
import { stoppedWorld } from '../help/dataset.ts'
import { type Home, openHome } from '../help/home.ts'

const test = suite('the catalogue at rest')
const down = new Trouble('host_down', 'rucio.org:443 answered 500')

let clock: Clock | undefined
let home: Home | undefined

test.after(async () => {
  await home?.end()
  clock?.close()
  closeAll()
  await sweep()
})

test('one call that fails over and over does not make the rests of all longer', () => {
  const world = stoppedWorld()
  const rest = openCatalogueRest(world)
  const restAfter = (subject: string | undefined, trouble = down): number => {
    rest.answered()
    assert.is(rest.failed(trouble, subject), true)
    return rest.seen().until - world.now()
  }
  const first = restAfter('a')
  for (let i = 0; i < 10; i++) assert.is(restAfter('a'), first)
  assert.ok(restAfter('b') > first, 'a second one that fails may be the whole')
  rest.worked()
  assert.is(restAfter('a'), first)
  rest.worked()
  const probes = [restAfter(undefined), restAfter(undefined), restAfter(undefined)]
  assert.ok((probes[2] ?? 0) > (probes[1] ?? 0) && (probes[1] ?? 0) > (probes[0] ?? 0))
  rest.worked()
  const refused = new Trouble('auth', 'wrong password')
  const logins = [restAfter('a', refused), restAfter('a', refused)]
  assert.ok((logins[1] ?? 0) > (logins[0] ?? 0), 'a login is that of all')
})

test('a clock that was set back does not make the rest longer', () => {
  const world = stoppedWorld()
  const rest = openCatalogueRest(world)
  rest.failed(new Trouble('offline', 'x'), undefined)
  world.move(-86_400_000)
  assert.ok(rest.seen().until <= world.now(), 'a probe is due')
  assert.is(rest.seen().reason, 'offline')
})

test('datasets that the catalogue cannot list do not keep it from the others', async () => {
  const url = await liar((request, response) => {
    if (request.url === '/ping') return void response.end('{}')
    const name = /\/(hands\.[^/?]*)/.exec(request.url ?? '')?.[1] ?? ''
    if (name === 'hands.bad.login') response.writeHead(401, { ExceptionClass: 'CannotAuthenticate' })
    else if (name.startsWith('hands.bad')) response.writeHead(500, { ExceptionClass: 'DatabaseException' })
    else response.writeHead(404, { ExceptionClass: 'DataIdentifierNotFound' })
    response.end()
  })
  clock = openClock(8)
  home = await openHome({ grid: { url, caPem: '' }, world: clock.world })
  for (const name of ['bad.login', 'bad.1', 'bad.2', 'bad.3'])
    assert.is(await home.ds('POST', `hands:hands.${name}`), 'downloading')
  const good = Array.from({ length: 12 }, (_, i) => `hands:hands.good.${i}`)
  for (const did of good) await home.ds('POST', did)
  for (const did of good) await home.says(did, 'does_not_exist')
  const { json } = await home.get('/datasets/hands.bad.1')
  const sentences = String(json['message']).split('. ')
  assert.match(sentences[0] ?? '', 'answered')
  assert.is(new Set(sentences).size, sentences.length, `it says once what follows: ${sentences}`)
})

test.run()
