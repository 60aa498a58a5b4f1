// GET /status: the frozen keys, and how the daemon is. Answers whatever the disk does; never waits for it for long.

import type { AuthoritiesState } from '../words/authorities.ts'
import type { RuleLeft } from '../words/rulesLeft.ts'
import { type DataState, type GridCert, unknownCert } from '../words/status.ts'
import { type Answer, json } from './answer.ts'
import type { Call } from './calls.ts'
import type { Desk } from './desk.ts'
import { toProblem } from './problem.ts'
import type { WebOptions } from './server.ts'

export async function getStatus(call: Call, desk: Desk): Promise<Answer> {
  const { site, options } = desk
  site.askedForStatus?.()
  let { state, message } = site.state()
  let downloading: readonly string[] = []
  try {
    await desk.check('data')
    desk.lastCert = await desk.within(desk.cert())
    desk.lastAuthorities = await desk.within(desk.authorities())
    desk.lastRulesLeft = await desk.within(desk.rulesLeft())
    downloading = await desk.within(desk.downloading.get())
  } catch (error) {
    const problem = toProblem(error)
    if (problem.code === 'bug') throw error
    // The loop has not met it yet: whoever asks shall know all the same.
    if (state === 'ready') {
      message = problem.message
      if (isState(problem.code)) state = problem.code
    }
    // In a directory that is not there nothing is downloading; on a disk that hangs what was, still is.
    if (problem.code !== 'data_dir_missing') downloading = desk.downloading.last()
  }
  const cert = desk.lastCert ?? unknownCert
  const { id } = site.root
  return json(
    statusOf({
      cert,
      authorities: desk.lastAuthorities,
      rulesLeft: desk.lastRulesLeft,
      downloading,
      id,
      url: call.url,
      options,
      state,
      message,
      troubles: site.troubles(),
      // From memory alone: who has it can fetch the token while the login is open, so it lies in no record and no log.
      loginUrl: site.loginUrl?.(),
    }),
  )
}

export function statusOf(what: {
  readonly cert: GridCert
  readonly authorities: AuthoritiesState | null
  readonly rulesLeft: readonly RuleLeft[]
  readonly downloading: readonly string[]
  readonly id: string | null
  readonly url: string
  readonly options: WebOptions
  readonly state: DataState
  readonly message: string
  readonly troubles: readonly string[]
  readonly loginUrl?: string | undefined
}): object {
  return {
    grid_cert: what.cert,
    rucio_download: { downloading: what.downloading },
    data_id: what.id,
    url: what.url,
    version: what.options.version,
    state: what.state,
    message: what.message,
    troubles: what.troubles,
    login_url: what.loginUrl ?? null,
    authorities: what.authorities,
    rules_left: what.rulesLeft,
  }
}

function isState(code: string): code is 'data_dir_missing' | 'disk_slow' | 'read_only' {
  return code === 'data_dir_missing' || code === 'disk_slow' || code === 'read_only'
}
