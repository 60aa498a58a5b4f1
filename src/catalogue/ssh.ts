// Logging in with an SSH key: a challenge of Rucio's, signed within the 10 s for which it counts. Never sends the key.

import { dropBody, type Identity } from '../outside/request.ts'
import { hostPort } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'
import type { World } from '../words/world.ts'
import { authCall, type LoggedIn, takeToken } from './auth-call.ts'
import type { RucioOptions } from './rucio.ts'
import type { Server } from './server.ts'
import { readSshKey, signChallenge } from './ssh-key.ts'

/** Throws Trouble, auth among them. */
export async function logInWithSsh(
  options: RucioOptions,
  server: Server,
  identity: Identity,
  world: World,
): Promise<LoggedIn> {
  if (options.sshKeyPath === undefined || options.account === undefined)
    throw new Trouble('auth', 'ssh_private_key and account are needed to log in to Rucio with ssh')
  // The key first: no challenge is left lying at the server for a key that cannot sign it.
  const key = await readSshKey(options.sshKeyPath)
  const asked = await authCall(server, identity, options, { path: '/auth/ssh_challenge_token', headers: {} })
  dropBody(asked)
  const challenge = asked.headers['x-rucio-ssh-challenge-token']
  // What is signed is a challenge of Rucio's and nothing else: with our key a server could log in elsewhere.
  if (typeof challenge !== 'string' || !/^challenge-[\x21-\x7e]{1,400}$/.test(challenge))
    throw new Trouble('host_down', `${hostPort(server)} gave no challenge for an SSH key: is it Rucio?`)
  const answer = await authCall(server, identity, options, {
    path: '/auth/ssh',
    headers: { 'X-Rucio-SSH-Signature': signChallenge(challenge, key) },
    secrets: [challenge],
  })
  return takeToken(answer, server, [], world.now())
}
