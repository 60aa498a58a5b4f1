import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readAuthoritiesOptions } from '../src/options-authorities.ts'
import { sweep, temporary } from './help/data.ts'

const test = suite('options of authorities')
test.after(sweep)

type Env = Readonly<Record<string, string>>
type Given = { readonly caDir?: string; readonly caBundle?: string }

async function read(env: Env, given: Given = {}) {
  const read = await readAuthoritiesOptions({ authType: 'userpass', env, ...given }, env)
  if ('message' in read) throw new Error(read.message)
  return read
}

async function refusal(env: Env, given: Given = {}): Promise<string> {
  const read = await readAuthoritiesOptions({ authType: 'userpass', env, ...given }, env)
  return 'message' in read ? read.message : 'it was taken'
}

test('without a directory of authorities there is nothing to renew, unless a command does', async () => {
  const bundle = join(await temporary(), 'ca.pem')
  await writeFile(bundle, '')
  for (const given of [{}, { caBundle: bundle }, { caDir: '/nowhere/certificates' }])
    assert.is((await read({ HOME: '/home/jane' }, given)).certUpdate.off, true)
  const { certUpdate } = await read({ CERT_UPDATE_COMMAND: "/opt/update.sh 'a b'" }, { caBundle: bundle })
  assert.equal([certUpdate.off, certUpdate.command], [false, ['/opt/update.sh', 'a b']])
  assert.is((await read({ CERT_UPDATE: '0' }, { caDir: await temporary() })).certUpdate.off, true)
})

test('lists lie beside the authorities where these can be written, else in the cache of the user, or where CRL_DIR says', async () => {
  const dir = await temporary()
  const own = await read({ HOME: '/home/jane' }, { caDir: dir })
  assert.equal([own.certUpdate.listsDir, own.credential.crlDir], [dir, undefined])
  assert.is(own.certUpdate.stateDir, '/home/jane/.cache/desktop-rucio/fetch-crl')
  const named = await read({ CRL_DIR: '/var/crl', XDG_CACHE_HOME: '/cache' }, { caBundle: dir })
  assert.equal([named.certUpdate.listsDir, named.credential.crlDir], ['/var/crl', '/var/crl'])
  assert.equal([named.certUpdate.dir, named.certUpdate.stateDir], [dir, '/cache/desktop-rucio/fetch-crl'])

  const barred = join(dir, 'barred')
  await mkdir(barred)
  await chmod(barred, 0o555)
  // root may write everywhere.
  if (process.getuid?.() === 0) return
  const other = await read({ HOME: '/home/jane' }, { caDir: barred })
  assert.is(other.certUpdate.listsDir, '/home/jane/.cache/desktop-rucio/crl')
  assert.is((await read({ HOME: '/' }, { caDir: barred })).certUpdate.listsDir, barred)
})

test('the program gets the directories and a proxy of the web, and no secret', async () => {
  const dir = await temporary()
  const { certUpdate } = await read(
    {
      ...{ PATH: '/bin', HOME: '/home/jane', GRID_PASSWORD: 'x', BEARER_TOKEN: 'x', X509_USER_PROXY: '/x' },
      ...{
        http_proxy: 'http://proxy:3128',
        HTTPS_PROXY: 'http://jane:secret@proxy:3128',
        no_proxy: 'localhost',
      },
    },
    { caDir: dir },
  )
  assert.equal(certUpdate.env, {
    LC_ALL: 'C',
    PATH: '/bin:/usr/local/sbin:/usr/sbin:/sbin',
    X509_CERT_DIR: dir,
    CRL_DIR: dir,
    HOME: '/home/jane',
    http_proxy: 'http://proxy:3128',
    no_proxy: 'localhost',
  })
})

test('strict mode needs a directory, and what cannot be meant is said', async () => {
  const dir = await temporary()
  assert.is((await read({ CRL_STRICT: '1' }, { caDir: dir })).credential.strictCrl, true)
  assert.is((await read({}, { caDir: dir })).credential.strictCrl, false)
  assert.match(await refusal({ CRL_STRICT: '1' }), 'set X509_CERT_DIR')
  assert.match(await refusal({ CRL_DIR: 'crl' }, { caDir: dir }), 'whole path')
  assert.match(
    await refusal({ CERT_UPDATE_COMMAND: 'a | b' }),
    'CERT_UPDATE_COMMAND cannot be taken: no shell',
  )
})

test.run()
