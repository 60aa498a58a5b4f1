// The Rucio server: is it there, does its clock agree with ours, are we logged in? Asks for nothing else.

import { parseServer, sendOnce, voHeader } from '../catalogue/server.ts'
import { dropBody } from '../outside/request.ts'
import { bad, type Finding, good, skipped, warning } from '../words/checkup.ts'
import { apartMatters, apartWords } from '../words/clock.ts'
import { hostPort } from '../words/pfn.ts'
import { sentence, Trouble, toTrouble } from '../words/reason.ts'
import type { Needs } from './needs.ts'

/** A second of the Date header, and the way there and back. */
const agreeMs = 5_000

export async function checkServer(needs: Needs, signal: AbortSignal): Promise<readonly Finding[]> {
  const { options, credential, world } = needs
  const server = parseServer(options.rucio.rucioHost)
  if (server instanceof Trouble) return [bad('Rucio server', `${server.detail}.`, 'Set rucio_host.')]
  const shown = hostPort(server)
  try {
    const call = { method: 'GET', path: '/ping', accept: 'application/json', signal } as const
    const answer = await sendOnce(server, call, voHeader(options.rucio), credential)
    dropBody(answer)
    const { statusCode } = answer
    const there =
      statusCode === 200
        ? good('Rucio server', `${shown} answers.`)
        : bad(
            'Rucio server',
            `${shown} answers /ping with ${statusCode}.`,
            'Is rucio_host the address of a Rucio server?',
          )
    return [there, clock(shown, answer.headers.date, world.now()), await checkLogin(needs, signal)]
  } catch (error) {
    signal.throwIfAborted()
    const { reason, detail } = toTrouble(error)
    const text = `${detail.replace(/\.$/, '')}.`
    return [
      bad('Rucio server', text, sentence(reason, '')),
      skipped('clock', 'The server was not reached.'),
      skipped('login', 'The server was not reached.'),
    ]
  }
}

function clock(shown: string, date: string | undefined, now: number): Finding {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return skipped('clock', `${shown} sends no Date.`)
  const apartMs = now - theirs
  if (Math.abs(apartMs) <= agreeMs) return good('clock', `It agrees with that of ${shown}.`)
  const text = `${apartWords({ host: shown, apartMs }).replace(/^t/, 'T')}.`
  const advice = 'Set it (timedatectl set-ntp true); new proxies and tokens are refused otherwise.'
  return Math.abs(apartMs) <= apartMatters ? warning('clock', text, advice) : bad('clock', text, advice)
}

async function checkLogin({ rucio, options, credential }: Needs, signal: AbortSignal): Promise<Finding> {
  const check = 'login'
  if (rucio === undefined)
    return skipped(
      check,
      `auth_type ${options.rucio.authType}: only the daemon can say (GET /doctor), or desktop-rucio login.`,
    )
  const server = parseServer(options.rucio.rucioHost)
  if (server instanceof Trouble) throw server
  try {
    const token = await rucio.token(signal)
    const call = { method: 'GET', path: '/accounts/whoami', accept: 'application/json', signal } as const
    const answer = await sendOnce(
      server,
      call,
      { ...voHeader(options.rucio), 'X-Rucio-Auth-Token': token },
      credential,
    )
    dropBody(answer)
    // It answers with the address of the account.
    if (answer.statusCode === 303 || answer.statusCode === 200)
      return good(
        check,
        `Rucio takes it (${options.rucio.authType}, account ${options.rucio.account ?? 'as Rucio says'}).`,
      )
    return bad(
      check,
      `Rucio answers ${answer.statusCode} to a token that it gave.`,
      'Check the account, and the log grid_cert.',
    )
  } catch (error) {
    signal.throwIfAborted()
    const { reason, detail } = toTrouble(error)
    return bad(check, `${detail.replace(/\.$/, '')}.`, sentence(reason, ''))
  }
}
