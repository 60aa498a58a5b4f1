// Rucio as the daemon is logged in to it: what a refusal and a login set in motion. Never logs in itself.

import { oidcTimes, openOidcLogin } from './catalogue/oidc-login.ts'
import { openRucio, type Rucio, type RucioOptions } from './catalogue/rucio.ts'
import { parseServer } from './catalogue/server.ts'
import type { Credential } from './credential/credential.ts'
import { Trouble } from './words/reason.ts'
import type { Log } from './words/status.ts'
import type { World } from './words/world.ts'

export type Connection = {
  readonly rucio: Rucio
  /** where a browser may log in now; undefined when nobody has to */
  readonly loginUrl: () => string | undefined
  readonly close: () => void
}

/** @param ring the state of the credential has changed
 *  @param loggedIn somebody has logged in: what waited for it may go on. Throws as openRucio() */
export function connectRucio(
  options: RucioOptions,
  means: {
    readonly credential: Credential
    readonly log: Log
    readonly world: World
    readonly ring: () => void
    readonly loggedIn: () => void
  },
): Connection {
  const { credential, log, world, ring, loggedIn } = means
  const authServer = parseServer(options.authHost)
  if (authServer instanceof Trouble) throw authServer
  const oidc =
    options.oidc === undefined
      ? undefined
      : openOidcLogin(options, options.oidc, authServer, {
          identity: () => credential.identity(),
          bearer: () => credential.token(),
          loggedIn,
          log,
          world,
          times: oidcTimes,
        })
  const reporting = {
    identity: () => credential.identity(),
    report(refusal: string | undefined) {
      credential.report(refusal)
      ring()
    },
  }
  return {
    rucio: openRucio(options, reporting, log, world, oidc),
    loginUrl: () => oidc?.url(),
    close: () => oidc?.close(),
  }
}
