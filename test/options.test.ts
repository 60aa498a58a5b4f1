import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readOptions, type ServeOptions } from '../src/options.ts'
import { parseCfg } from '../src/rucioCfg.ts'
import { sweep, temporary } from './help/data.ts'

const test = suite('options')
test.after(sweep)

const userpass = {
  RUCIO_CLIENT_RUCIO_HOST: 'https://rucio.example.org',
  RUCIO_AUTH_TYPE: 'userpass',
  RUCIO_CLIENT_USERNAME: 'jdoe',
  RUCIO_CLIENT_PASSWORD: 'a#b;c',
}

async function good(argv: string[], env: Record<string, string>): Promise<ServeOptions> {
  const options = await readOptions(argv, env)
  if ('message' in options) throw new Error(options.message)
  return options
}

test('what is missing is said with the rucio.cfg that was read, and what is wrong with it', async () => {
  const dir = await temporary()
  const cfg = join(dir, 'rucio.cfg')
  const said = async (text: string): Promise<string> => {
    await writeFile(cfg, text)
    const read = await readOptions(['--data', dir], { RUCIO_CONFIG: cfg })
    return 'message' in read ? read.message : 'taken'
  }
  assert.match(await said('rucio_host = https://x\n'), `${cfg} has no section [client]`)
  assert.match(await said('[Client]\nrucio_host = https://x\n'), `${cfg} has no section [client]`)
  assert.match(await said('[client]\nrucio_host https://x\n'), `${cfg} was read`)
  assert.match(await said('[client]\nrucio_host = https://x\nauth_typ = x509\n'), `${cfg} was read`)
  const none = await readOptions(['--data', dir], { RUCIO_HOME: dir })
  assert.not.match('message' in none ? none.message : '', 'was read')
})

test('the VO of a server with several is read as the official client reads it', async () => {
  const dir = await temporary()
  const cfg = join(dir, 'rucio.cfg')
  const base = '[client]\nrucio_host = https://x\nauth_type = userpass\nusername=u\npassword=p\n'
  const voOf = async (text: string, env: Record<string, string> = {}): Promise<string | undefined> => {
    await writeFile(cfg, base + text)
    return (await good(['--data', dir], { RUCIO_CONFIG: cfg, ...env })).rucio.vo
  }
  assert.is(await voOf(''), undefined)
  assert.is(await voOf('vo = abc\n'), 'abc')
  assert.is(await voOf('vo = abc\n', { RUCIO_VO: 'xyz' }), 'xyz')
  const bad = await readOptions(['--data', dir], { RUCIO_CONFIG: cfg, RUCIO_VO: 'a b\r\nX: y' })
  assert.match('message' in bad ? bad.message : '', /RUCIO_VO.* is the name of a VO/)
})

test('flags go before the environment, and that before rucio.cfg', async () => {
  const dir = await temporary()
  const cfg = join(dir, 'rucio.cfg')
  await writeFile(
    cfg,
    '[client]\nrucio_host = https://cfg\naccount = cfg\nauth_type = userpass\nusername=u\npassword=p\n',
  )
  const fromCfg = await good(['--data', dir], { RUCIO_CONFIG: cfg })
  assert.is(fromCfg.rucio.rucioHost, 'https://cfg')
  assert.is(fromCfg.rucio.authHost, 'https://cfg')
  assert.is(fromCfg.rucio.account, 'cfg')
  const fromEnv = await good([], { RUCIO_CONFIG: cfg, RUCIO_ACCOUNT: 'env', DESKTOP_RUCIO_DATA: dir })
  assert.is(fromEnv.rucio.account, 'env')
  const fromFlag = await good(['--data', dir, '--account', 'flag', '--port', '0'], {
    RUCIO_CONFIG: cfg,
    RUCIO_ACCOUNT: 'env',
  })
  assert.is(fromFlag.rucio.account, 'flag')
  assert.is(fromFlag.web.port, 0)
  assert.equal(fromFlag.web.hosts, ['127.0.0.1', '::1'])
})

test('what is missing or contradictory is said in one sentence', async () => {
  const dir = await temporary()
  const rows: [string[], Record<string, string>, RegExp][] = [
    [[], userpass, /--data DIR/],
    [['--data', join(dir, 'absent')], userpass, /not there; make it first/],
    [['--data', dir, '--port', 'eighty'], userpass, /--port takes a number/],
    [['--data', dir, '--port', '65536'], userpass, /--port takes a number/],
    [['--data', dir, '--nonsense'], userpass, /--nonsense.*--help/],
    [['--data', dir, 'stray'], userpass, /--help/],
    [['--data', dir], { RUCIO_AUTH_TYPE: 'userpass' }, /which Rucio server/],
    [['--data', dir, '--rucio-host', 'http://far.example.org'], userpass, /https/],
    [['--data', dir, '--rucio-host', 'far'], userpass, /is an address like/],
    [['--data', dir], { ...userpass, RUCIO_AUTH_TYPE: 'gss' }, /gss.*not served/],
    [['--data', dir], { ...userpass, RUCIO_CLIENT_PASSWORD: '' }, /needs username and password/],
    [['--data', dir], { ...userpass, RUCIO_AUTH_TYPE: 'x509' }, /client_cert and client_key/],
    [['--data', dir], { ...userpass, RUCIO_AUTH_TYPE: 'token' }, /auth_token_file_path/],
    [['--data', dir], { ...userpass, RUCIO_CONFIG: join(dir, 'no.cfg') }, /no\.cfg cannot be read/],
  ]
  for (const [argv, env, said] of rows) {
    const options = await readOptions(argv, env)
    assert.ok('message' in options, JSON.stringify(argv))
    assert.match(options.message, said)
    assert.not.match(options.message, /\n/)
  }
})

test('a password is kept to the letter and out of the logs, and no flag takes it', async () => {
  const dir = await temporary()
  const options = await good(['--data', dir], userpass)
  assert.is(options.rucio.password, 'a#b;c')
  assert.equal(options.secrets, ['a#b;c'])
  assert.ok('message' in (await readOptions(['--data', dir, '--password', 'x'], userpass)))
})

test('rucio.cfg is read as configparser reads it', () => {
  const cfg = parseCfg(
    [
      '# comment',
      '[common.dotted]',
      'password = other',
      '[client]',
      'password = "a;b#c\\d\'',
      'account: jdoe',
      ' auth_type = userpass ',
      'request_retries = 3',
      '; comment = x',
      '__proto__ = evil',
      'list[] = x',
      '[policy]',
      'account = wrong',
    ].join('\r\n'),
  )
  assert.is(cfg.get('password'), '"a;b#c\\d\'')
  assert.is(cfg.get('account'), 'jdoe')
  assert.is(cfg.get('auth_type'), 'userpass')
  assert.is(cfg.get('request_retries'), '3')
})

test('x509_proxy takes X509_USER_PROXY, and no other certificate beside it', async () => {
  const dir = await temporary()
  const options = await good(['--data', dir], {
    RUCIO_CLIENT_RUCIO_HOST: 'https://rucio.example.org',
    RUCIO_AUTH_TYPE: 'x509_proxy',
    X509_USER_PROXY: '/proxy',
    RUCIO_CLIENT_CERT: '/cert',
    X509_CERT_DIR: '/ca',
    ALLOWED_HOSTS: 'one, two',
    CACHE_PREFIX: 'root://cache',
  })
  assert.is(options.credential.proxyPath, '/proxy')
  assert.is(options.credential.certPath, undefined)
  assert.is(options.credential.caDir, '/ca')
  assert.equal(options.web.allowedHosts, ['one', 'two'])
  assert.is(options.web.cachePrefix, 'root://cache')
})

test('a path of rucio.cfg that names a variable counts only where it is set', async () => {
  const dir = await temporary()
  const cfg = join(dir, 'rucio.cfg')
  await writeFile(
    cfg,
    `[client]\nca_cert = $RUCIO_HOME/ca.pem\nclient_cert = $HOME/usercert.pem\nclient_x509_proxy = \${X509_USER_PROXY}\n`,
  )
  const unset = await good(['--data', dir], { ...userpass, RUCIO_CONFIG: cfg })
  assert.is(unset.credential.proxyPath, undefined)
  assert.is(unset.credential.certPath, undefined)
  assert.is(unset.credential.caBundle, undefined)
  const env = { ...userpass, RUCIO_CONFIG: cfg, HOME: '/h', RUCIO_HOME: '/r', X509_USER_PROXY: '/p' }
  const set = await good(['--data', dir], env)
  assert.is(set.credential.proxyPath, '/p')
  assert.is(set.credential.certPath, '/h/usercert.pem')
  assert.is(set.credential.caBundle, '/r/ca.pem')
})

test('a certificate with its key in one file is enough for x509', async () => {
  const dir = await temporary()
  const options = await good(['--data', dir], {
    ...userpass,
    RUCIO_AUTH_TYPE: 'x509',
    RUCIO_CLIENT_CERT: '/both.pem',
  })
  assert.is(options.credential.certPath, '/both.pem')
  assert.is(options.credential.keyPath, undefined)
})

test('a directory with certificate and key asks for a proxy, logs in with it, and hides the password', async () => {
  const dir = await temporary()
  const place = await temporary()
  const env = {
    RUCIO_CLIENT_RUCIO_HOST: 'https://rucio.example.org',
    GRID_PASSWORD: 'canary',
    GRID_VOMS: 'testvo:/testvo/Role=production',
    DESKTOP_RUCIO_PROXY_DIR: place,
    PATH: '/bin',
  }
  const { maker, rucio, credential, secrets } = await good(['--data', dir, '--cert-dir', '/certs'], env)
  assert.is(rucio.authType, 'x509_proxy')
  assert.equal(
    [maker?.certPath, maker?.keyPath, maker?.valid, maker?.env['PATH']],
    ['/certs/usercert.pem', '/certs/userkey.pem', '24:00', '/bin'],
  )
  assert.equal([credential.proxyPath, credential.ownProxy], [maker?.proxyPath, true])
  assert.match(maker?.proxyPath ?? '', new RegExp(`^${place}/x509up_[0-9a-f]{16}\\.pem$`))
  assert.ok(secrets.includes('canary'))
  assert.not.match(JSON.stringify([maker?.env, credential.env]), 'canary')
})

test('X509_USER_PROXY is somebody else’s: nothing is made', async () => {
  const env = { RUCIO_CLIENT_RUCIO_HOST: 'https://r', GRID_VOMS: 'testvo', X509_USER_PROXY: '/p' }
  const { maker, credential } = await good(['--data', await temporary(), '--auth-type', 'x509_proxy'], env)
  assert.equal([maker, credential.proxyPath, credential.ownProxy], [undefined, '/p', undefined])
})

test('what GRID_VOMS, GRID_PROXY_VALID and the place of the proxy cannot be is said', async () => {
  const dir = await temporary()
  for (const [env, words] of [
    [{ GRID_VOMS: '-x' }, /GRID_VOMS takes/],
    [{ GRID_VOMS: 'vo', GRID_PROXY_VALID: '24' }, /GRID_PROXY_VALID takes/],
    [{ GRID_VOMS: 'vo', GRID_PROXY_VALID: '0:00' }, /GRID_PROXY_VALID takes/],
    [{ GRID_VOMS: 'vo', DESKTOP_RUCIO_PROXY_DIR: join(dir, 'x') }, /must not lie in the data directory/],
  ] as const) {
    const read = await readOptions(['--data', dir], { RUCIO_CLIENT_RUCIO_HOST: 'https://r', ...env })
    assert.match('message' in read ? read.message : 'taken', words)
  }
})

test.run()
