// The command `login`: logs in to Rucio as the daemon would, with a browser where the configuration says OIDC. Touches no data directory,
// and never shows a token.

import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLogin } from './catalogue/login.ts'
import { askForLogin, fetchByCode, fetchToken, loginLifeMs, type OidcOptions } from './catalogue/oidc.ts'
import { parseServer, type Server } from './catalogue/server.ts'
import { writeTokenFile } from './catalogue/token-file.ts'
import { type Credential, openCredential } from './credential/credential.ts'
import type { Login } from './options-connection.ts'
import type { Wrong } from './options-given.ts'
import { isLoopbackName } from './outside/address.ts'
import { setLoopbackAllowed } from './outside/request.ts'
import { endOfToken } from './words/auth.ts'
import { hostPort } from './words/pfn.ts'
import { sentence, Trouble, toTrouble } from './words/reason.ts'
import { toIso, type World } from './words/world.ts'

type Place = {
  readonly world: World
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  readonly complain: (line: string) => void
  /** where a code is typed; read only when the browser shows one */
  readonly input: NodeJS.ReadableStream
  /** between two questions whether somebody has logged in */
  readonly pollMs?: number
}

/** @returns the exit code: 1 when it was refused or nobody logged in, 2 for a configuration that cannot be taken */
export async function logInOnce(options: Login | Wrong, place: Place): Promise<number> {
  if ('message' in options) {
    place.complain(options.message)
    return 2
  }
  const server = parseServer(options.rucio.authHost)
  if (server instanceof Trouble) {
    place.complain(sentence(server.reason, server.detail))
    return 2
  }
  setLoopbackAllowed(isLoopbackName(server.host), new Set())
  const credential = await openCredential(options.credential, place.world)
  try {
    const { oidc } = options.rucio
    if (oidc === undefined) return await tryLogin(options, server, credential, place)
    return await withBrowser(options, oidc, server, credential, place)
  } catch (error) {
    if (place.signal.aborted) return 130
    const { reason, detail } = toTrouble(error)
    if (reason === 'bug') throw error
    place.complain(sentence(reason, detail))
    return 1
  } finally {
    credential.close()
  }
}

/** The other ways need nobody: is the login taken? */
async function tryLogin(
  options: Login,
  server: Server,
  credential: Credential,
  { world, signal, say }: Place,
): Promise<number> {
  const log = (_: string, text: string): void => {
    if (text.startsWith('logged in')) say(text)
  }
  const { authType } = options.rucio
  await openLogin(options.rucio, server, credential, log, world).token(signal)
  if (authType === 'token')
    say(`there is a token for ${hostPort(server)}; whether it is taken the first call shows`)
  return 0
}

async function withBrowser(
  options: Login,
  oidc: OidcOptions,
  server: Server,
  credential: Credential,
  place: Place,
): Promise<number> {
  const { say, complain, world } = place
  // Found by the user before it is too late: a login that cannot be kept is of no use to a daemon.
  if (oidc.keptAt === undefined) {
    complain(
      'there is no place for the token: set HOME, XDG_STATE_HOME or auth_token_file_path in rucio.cfg (outside the data directory)',
    )
    return 2
  }
  const identity = await credential.identity()
  const url = await askForLogin(options.rucio, oidc, server, identity, oidc.polling)
  say(`Open this address in a browser, and log in within ${loginLifeMs / 60_000} minutes:`)
  say('')
  say(`    ${url}`)
  say('')
  const token = oidc.polling
    ? await waitFor(url, server, credential, place)
    : await typed(options, server, credential, place)
  if (token === undefined) {
    complain('nobody has logged in; run it again')
    return 1
  }
  await writeTokenFile(oidc.keptAt, token)
  const end = endOfToken(token)
  say(`logged in to ${hostPort(server)}${end === undefined ? '' : `, until ${toIso(end)}`}`)
  say(`the token lies in ${oidc.keptAt}, where the daemon finds it`)
  if (end !== undefined && end <= world.now())
    complain('it has ended already: is the clock of this machine right?')
  return 0
}

async function waitFor(
  url: string,
  server: Server,
  credential: Credential,
  { world, signal, complain, pollMs = 2000 }: Place,
): Promise<string | undefined> {
  const end = world.now() + loginLifeMs
  let said = ''
  while (world.now() < end) {
    await sleep(pollMs, undefined, { signal })
    try {
      const token = await fetchToken(url, server, await credential.identity(), signal)
      if (token !== undefined) return token
      said = ''
    } catch (error) {
      if (signal.aborted) throw error
      // The line may come back before the time is over.
      const { detail } = toTrouble(error)
      if (detail !== said) complain(`${detail}; it is asked again`)
      said = detail
    }
  }
  return undefined
}

async function typed(
  options: Login,
  server: Server,
  credential: Credential,
  { signal, say, complain, input }: Place,
): Promise<string | undefined> {
  say('Then type the code that it shows, and press Enter:')
  const lines = createInterface({ input, terminal: false })
  const stop = (): void => lines.close()
  signal.addEventListener('abort', stop, { once: true })
  let tries = 0
  try {
    for await (const line of lines) {
      if (line.trim() === '') continue
      try {
        return await fetchByCode(line.trim(), options.rucio, server, await credential.identity())
      } catch (error) {
        const { reason, detail } = toTrouble(error)
        // As often as the official client.
        if (reason !== 'auth' || ++tries === 3) throw error
        complain(`${detail}; type it again:`)
      }
    }
    signal.throwIfAborted()
    return undefined
  } finally {
    signal.removeEventListener('abort', stop)
    lines.close()
  }
}
