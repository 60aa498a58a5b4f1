// The paths below /rules/, and the lists of rules elsewhere. Never knows what a rule means: rules.ts does.

import type { ServerResponse } from 'node:http'
import { parseJson } from '../words/text.ts'
import { answerError, answerLines, answerObject, answerText } from './answers.ts'
import type { View } from './routes.ts'
import { isRefusal, type Refusal, type Rules } from './rules.ts'

/** @param method of the request: /rules/ and /rules/ID know two
 *  @param stuck the error of rules that cannot go on; '' = they can
 *  @param text body of the request
 *  @returns undefined where the path is none of rules */
export function ruleView(
  { rules, stuck, cut }: { readonly rules: Rules; readonly stuck: string; readonly cut: boolean | 'clean' },
  {
    method,
    path,
    query,
  }: { readonly method: string; readonly path: string; readonly query: URLSearchParams },
  text: string,
): View | undefined {
  const list = (found: () => readonly object[] | Refusal): View => ({
    method: 'GET',
    type: 'application/x-json-stream',
    give(response) {
      const lines = found()
      if (isRefusal(lines)) refuse(lines, response)
      else answerLines(lines, cut, response)
    },
  })
  const object = (found: () => object | Refusal): View => ({
    method: 'GET',
    type: 'application/json',
    give(response) {
      const value = found()
      if (isRefusal(value)) refuse(value, response)
      else answerObject(value, response)
    },
  })
  if (path === '/rules/') {
    if (method === 'POST')
      return { method, type: undefined, give: (response, account) => make(account, response) }
    const filter = (['account', 'scope', 'name'] as const).flatMap(key => {
      const value = query.get(key)
      return value === null ? [] : [[key, value]]
    })
    return list(() => rules.list(Object.fromEntries(filter), stuck))
  }
  const ofAccount = /^\/accounts\/([^/]+)\/rules$/.exec(path)?.[1]
  if (ofAccount !== undefined) return list(() => rules.list({ account: ofAccount }, stuck))
  const ofDid = /^\/dids\/([^/]+)\/(.+)\/rules$/s.exec(path)
  if (ofDid !== null) return list(() => rules.list({ scope: ofDid[1] ?? '', name: ofDid[2] ?? '' }, stuck))
  const one = /^\/rules\/([^/]+)(\/locks|\/analysis)?$/.exec(path)
  if (one === null) return undefined
  const [, id = '', what] = one
  if (what === '/locks') return list(() => rules.locks(id, stuck))
  if (what === '/analysis') return object(() => rules.analysis(id, stuck))
  if (method === 'DELETE')
    return { method, type: undefined, give: (response, account) => remove(account, id, response) }
  return object(() => rules.object(id, stuck))

  function make(account: string, response: ServerResponse): void {
    const parsed = parseJson(text)
    const made = 'json' in parsed ? rules.make(account, parsed.json) : noJson
    if (isRefusal(made)) refuse(made, response)
    else answerText(201, html, JSON.stringify(made), response)
  }
  function remove(account: string, rule: string, response: ServerResponse): void {
    const refused = 'json' in parseJson(text) ? rules.remove(account, rule) : noJson
    if (refused === undefined) answerText(200, html, '', response)
    else refuse(refused, response)
  }
}

const html = 'text/html; charset=utf-8'
const noJson: Refusal = {
  status: 400,
  class: 'ValueError',
  message: 'cannot decode json parameter dictionary',
}

function refuse({ status, class: exceptionClass, message }: Refusal, response: ServerResponse): void {
  answerError(status, exceptionClass, message, response)
}
