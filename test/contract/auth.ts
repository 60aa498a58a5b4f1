// The contract of logging in: passwords, certificates, tokens, and what each refusal looks like.

import type { Agent } from 'node:https'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { object, rucioError } from './expect.ts'
import { type Answer, ask, call, jdoe, login, type Subject } from './subject.ts'

export function authContract(test: Test, subject: () => Subject): void {
  test('the ping needs no token and tells the version', async () => {
    const answer = await ask({ url: `${subject().rucioUrl}/ping`, agent: subject().agent })
    assert.match(String(object(answer)['version']), /^\d+\.\d+/)
  })

  test('a password gives a token in a header, and how long it holds', async () => {
    isToken(await login(subject(), jdoe))
  })

  test('an identity of one account need not name it', async () => {
    const { 'X-Rucio-Account': _, ...rest } = jdoe
    isToken(await login(subject(), rest))
  })

  test('a wrong password, a wrong account and no password are CannotAuthenticate, each in its own words', async () => {
    const refused = async (headers: Record<string, string>, message: string): Promise<void> =>
      rucioError(await login(subject(), headers), 401, 'CannotAuthenticate', message)
    await refused(
      { ...jdoe, 'X-Rucio-Password': 'wrong' },
      'Cannot authenticate to account jdoe with given credentials',
    )
    await refused(
      { ...jdoe, 'X-Rucio-Account': 'nobody' },
      'Cannot authenticate to account nobody with given credentials',
    )
    await refused({}, 'Cannot authenticate without passing all required arguments')
  })

  test('the VO of a server that has one alone may be named; another has no such account, and one may be no name at all', async () => {
    isToken(await login(subject(), { ...jdoe, 'X-Rucio-VO': 'def' }))
    rucioError(await login(subject(), { ...jdoe, 'X-Rucio-VO': 'xyz' }), 401, 'CannotAuthenticate')
    rucioError(
      await login(subject(), { ...jdoe, 'X-Rucio-VO': 'no vo!' }),
      400,
      'RucioException',
      'Invalid characters in VO name.',
    )
  })

  test('a login by certificate without one is CannotAuthenticate', async () => {
    const answer = await ask({
      url: `${subject().rucioUrl}/auth/x509_proxy`,
      agent: subject().agent,
      headers: { 'X-Rucio-Account': 'jdoe' },
    })
    rucioError(answer, 401, 'CannotAuthenticate', 'Cannot get DN')
  })

  test('a missing token is 400, an unknown one 401, and the class tells them apart', async () => {
    const { agent, rucioUrl } = subject()
    const missing = await ask({ url: `${rucioUrl}/scopes/`, agent })
    rucioError(missing, 400, 'ValueError', 'Token must be set.')
    for (const token of ['jdoe-jdoe-unknown-0123456789abcdef0123456789abcdef', 'garbage']) {
      const answer = await ask({
        url: `${rucioUrl}/scopes/`,
        agent,
        headers: { 'X-Rucio-Auth-Token': token },
      })
      rucioError(answer, 401, 'CannotAuthenticate', 'Cannot authenticate with given credentials')
    }
  })

  test('a list of replicas wants a token too', async () => {
    const answer = await ask({
      url: `${subject().rucioUrl}/replicas/list`,
      method: 'POST',
      agent: subject().agent,
      headers: { 'Content-Type': 'application/json' },
      body: '{"dids":[]}',
    })
    rucioError(answer, 400, 'ValueError', 'Token must be set.')
  })

  test('a path that is not there is an HTML page, an Accept that it cannot meet is 406', async () => {
    const answer = await call(subject(), '/no/such/path')
    assert.is(answer.status, 404)
    assert.match(String(answer.headers['content-type']), /^text\/html/)
    assert.is(answer.headers['exceptionclass'], undefined)
    const html = await call(subject(), '/dids/mc16_13TeV/no.such.dataset', {
      headers: { Accept: 'text/html' },
    })
    rucioError(html, 406, 'UnsupportedRequestedContentType')
  })
}

export function certificateContract(
  test: Test,
  subject: () => Subject & { readonly readers: readonly Agent[] },
): void {
  const get = (path: string, agent: Agent, headers: Record<string, string> = {}): Promise<Answer> =>
    ask({ url: `${subject().rucioUrl}${path}`, agent, headers })

  test('a proxy and a certificate give a token, with an account named or not', async () => {
    for (const reader of subject().readers)
      for (const path of ['/auth/x509_proxy', '/auth/x509']) {
        isToken(await get(path, reader, { 'X-Rucio-Account': 'jdoe' }))
        // Such a token holds the DN: spaces, slashes and equal signs in a header.
        const token = isToken(await get(path, reader))
        assert.match(token, / /)
        const scopes = await get('/scopes/', subject().agent, { 'X-Rucio-Auth-Token': token })
        assert.is(scopes.status, 200)
      }
  })
}

/** Needs a grid that has a stranger. */
export function strangerContract(test: Test, subject: () => Subject & { readonly stranger: Agent }): void {
  test('a certificate that Rucio does not know is refused, differently with an account and without', async () => {
    const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
      ask({ url: `${subject().rucioUrl}${path}`, agent: subject().stranger, headers })
    const named = await get('/auth/x509_proxy', { 'X-Rucio-Account': 'jdoe' })
    rucioError(named, 401, 'CannotAuthenticate')
    rucioError(await get('/auth/x509_proxy'), 401, 'IdentityError')
  })
}

/** A token's answer: empty body; the end of its life is a date that ends in UTC, within the hour. */
function isToken(answer: Answer): string {
  assert.is(answer.status, 200)
  assert.is(answer.headers['content-type'], 'application/octet-stream')
  assert.is(answer.body.length, 0)
  assert.is(answer.headers['x-rucio-auth-account'], 'jdoe')
  const expires = String(answer.headers['x-rucio-auth-token-expires'])
  assert.match(expires, /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} UTC$/)
  const leftMs = Date.parse(expires) - Date.now()
  assert.is(leftMs > 3_500_000 && leftMs <= 3_601_000, true, `${leftMs} ms left`)
  return String(answer.headers['x-rucio-auth-token'])
}
