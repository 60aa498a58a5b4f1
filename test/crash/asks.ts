// Wishes and questions over HTTP, as the python clients make them, and what may be answered. Never touches the disk.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Looks } from './looks.ts'
import type { Model } from './model.ts'
import type { Known } from './universe.ts'

export type Web = {
  readonly url: string
  readonly model: Model
  readonly looks: Looks
  /** something that must never be */
  readonly fault: (text: string) => void
}

type DsAnswer = { readonly status: string; readonly filelist: readonly string[] }

/** A proof may be answered again for 20 times as long as it took; a change within a file in place shows after that. */
const proofMs = 6000

/** POST or DELETE /ds. What a killed daemon did not answer may be done or not. */
export async function wish(web: Web, known: Known, method: 'POST' | 'DELETE'): Promise<void> {
  const { model, fault } = web
  const end = method === 'POST' ? 'whole' : 'gone'
  model.may(known.name, end)
  const answer = await ask(web, known, method)
  if (answer === undefined) return
  model.count(method)
  model.is(known.name, end)
  model.answered()
  const may =
    method === 'POST' ? ['downloading', 'local', 'does_not_exist'] : ['not_on_server', 'does_not_exist']
  if (!may.includes(answer.status)) fault(`${method} of ${known.name} was answered ${answer.status}`)
  if (answer.status === 'local') await mustBeWhole(web, known, answer)
  if (method === 'DELETE')
    for (const [key, harm] of model.harm)
      if (key.startsWith(`${known.name}/`)) model.harm.set(key, { ...harm, over: true })
}

/** GET /ds: the word is one that the model allows, and `local` is true at that moment. */
export async function question(web: Web, known: Known): Promise<void> {
  const { model, fault } = web
  const answer = await ask(web, known, 'GET')
  if (answer === undefined) return
  model.count('GET')
  const { name } = known
  if (
    model.isOnly(name, 'gone') &&
    !['not_on_server', 'does_not_exist'].includes(answer.status) &&
    !model.isAwaited(name)
  )
    fault(`${name} was removed, and GET says ${answer.status}`)
  if (model.isOnly(name, 'whole') && answer.status === 'not_on_server')
    fault(`${name} was asked for, and GET says ${answer.status}`)
  if (answer.status === 'does_not_exist' && known.exists) fault(`${name} is said not to exist`)
  if (answer.status === 'local') await mustBeWhole(web, known, answer)
}

async function mustBeWhole(web: Web, known: Known, answer: DsAnswer): Promise<void> {
  const { model, looks, fault } = web
  const { name } = known
  const now = performance.now()
  const harmed = [...model.harm].filter(([key]) => key.startsWith(`${name}/`))
  if (harmed.some(([, each]) => each.inPlace && now - each.at < proofMs)) return
  const wrong = await looks.missing(known)
  if (wrong.length > 0) fault(`${name} is said to be local: ${wrong.slice(0, 3).join(', ')}`)
  const listed = new Set(answer.filelist)
  if (
    listed.size !== known.files.size ||
    [...known.files.keys()].some(path => !listed.has(`${name}/${path}`))
  )
    fault(`${name}: the filelist has ${listed.size} of ${known.files.size} files`)
}

/** Everything else that readers ask for must answer, with what its status says. */
export async function look(web: Web, path: string): Promise<unknown> {
  const { fault } = web
  try {
    const response = await fetch(`${web.url}${path}`, { signal: AbortSignal.timeout(10_000) })
    const json: unknown = await response.json()
    if (!response.ok && response.status !== 503)
      fault(`GET ${path} gave ${response.status} ${JSON.stringify(json)}`)
    return response.ok ? json : undefined
  } catch {
    // Killed meanwhile; a daemon that lives and does not answer is found by question().
    return undefined
  }
}

async function ask(web: Web, { did, name }: Known, method: string): Promise<DsAnswer | undefined> {
  let response: Response
  let text: string
  const url = `${web.url}/ds?ds_name=${encodeURIComponent(did)}`
  try {
    response = await fetch(url, { method, signal: AbortSignal.timeout(20_000) })
    text = await response.text()
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError')
      web.fault(`${method} of ${name} had no answer for 20 s`)
    return undefined
  }
  const answer = JSON.parse(text) as DsAnswer & { readonly code?: string }
  if (response.status === 200) return answer
  // While it starts and while it ends it takes no wish; a disk that stalls for 10 s on a busy machine takes none either.
  const honest = answer.code === 'starting' || answer.code === 'disk_slow'
  if (response.status !== 503 || !honest) web.fault(`${method} of ${name} gave ${text}`)
  return undefined
}

/** The word of every NAME; waits until each is one that `isDone` takes.
 *  @returns those that did not come to it within `ms` */
export async function waitForWords(
  web: Web,
  isDone: (known: Known, word: string) => Promise<boolean>,
  ms: number,
): Promise<readonly string[]> {
  const end = performance.now() + ms
  for (;;) {
    const late: string[] = []
    for (const known of web.model.all) {
      const word = (await ask(web, known, 'GET'))?.status ?? 'no answer'
      if (!(await isDone(known, word)))
        late.push(`${known.name} is ${word}, not ${[...web.model.ends(known.name)].join(' or ')}`)
    }
    if (late.length === 0 || performance.now() > end) return late
    await sleep(200)
  }
}
