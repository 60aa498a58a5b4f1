// The engines that are programs, each with what it needs of the daemon. Starts none.

import type { Rucio } from './catalogue/rucio.ts'
import type { Root } from './disk/layout.ts'
import type { ServeOptions } from './options.ts'
import type { Programs } from './transfer/program.ts'
import { openPrograms } from './transfer/programs.ts'
import { clearPrivateDirs } from './transfer/rucio-home.ts'
import { toTrouble } from './words/reason.ts'
import type { Log } from './words/status.ts'

/** To be called with the lease held: what a killed daemon had handed to its programs goes first. */
export async function programsOf(
  options: ServeOptions,
  root: Root,
  { rucio, token }: { readonly rucio: Rucio; readonly token: () => Promise<string | undefined> },
  log: Log,
): Promise<Programs> {
  const { credential } = options
  try {
    await clearPrivateDirs(credential, root)
  } catch (error) {
    log('rucio_downloader', toTrouble(error).message)
  }
  return openPrograms({
    xrdcp: {
      root,
      shown: async () => credential,
      token,
      env: credential.env,
    },
    rucio: {
      root,
      client: { ...options.client, rucio: options.rucio, credential, env: credential.env },
      token: rucio.token,
      tokenRefused: rucio.tokenRefused,
      tell: text => log('rucio_downloader', text),
    },
  })
}
