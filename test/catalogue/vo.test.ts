import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setLoopbackAllowed } from '../../src/outside/request.ts'
import { closeAll, dataset, filesOf, liar, line, never, open } from './open.ts'

const test = suite('the VO of a Rucio server')
test.before(() => setLoopbackAllowed(true, new Set()))
test.after(closeAll)

for (const vo of ['abc', undefined])
  test(`each call names ${vo ?? 'none where none is configured'}, the login among them`, async () => {
    const seen: [string, unknown][] = []
    const say = dataset([[1, 10]], [line('a')])
    const url = await liar((request, response) => {
      seen.push([request.url?.split('?')[0] ?? '', request.headers['x-rucio-vo']])
      if (request.url?.startsWith('/auth/') !== true) return say(request, response)
      response.setHeader('X-Rucio-Auth-Token', 'a token')
      response.setHeader('X-Rucio-Auth-Token-Expires', new Date(Date.now() + 3_600_000).toUTCString())
      response.end()
    }, 'auth too')
    const { rucio } = open(url, vo === undefined ? {} : { vo })
    await rucio.ping(never)
    assert.is((await filesOf(rucio, 's:n')).length, 1)
    const paths = new Set(seen.map(([path]) => path))
    assert.equal([...paths].sort(), ['/auth/userpass', '/dids/s/n', '/dids/s/n/files', '/ping'])
    assert.ok(
      seen.every(([, named]) => named === vo),
      JSON.stringify(seen),
    )
  })

test.run()
