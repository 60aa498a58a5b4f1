// The paths below /rules/, and the lists of rules elsewhere. Never knows what a rule means: rules.ts does.

import type { ServerResponse } from 'node:http'
import { parseJson } from '../words/text.ts'
import { answerError, answerLines, answerObject, answerText } from './answers.ts'
import type { View } from './routes.ts'
import { isRefusal, type Refusal, type Rules, type Ways } from './rules.ts'

/** @param method of the request: /rules/ and /rules/ID know two
 *  @param text body of the request
 *  @returns undefined where the path is none of rules */
export function ruleView(
  { rules, ways, cut }: { readonly rules: Rules; readonly ways: Ways; readonly cut: boolean | 'clean' },
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
    return list(() => rules.list(Object.fromEntries(filter), ways))
  }
  const ofAccount = /^\/accounts\/([^/]+)\/rules$/.exec(path)?.[1]
  if (ofAccount !== undefined) return list(() => rules.list({ account: ofAccount }, ways))
  const usage = /^\/accounts\/([^/]+)\/usage\/local\/([^/]+)$/.exec(path)
  if (usage !== null) return list(() => rules.usage(usage[1] ?? '', usage[2] ?? '', ways))
  const ofDid = /^\/dids\/([^/]+)\/(.+)\/rules$/s.exec(path)
  if (ofDid !== null) return list(() => rules.list({ scope: ofDid[1] ?? '', name: ofDid[2] ?? '' }, ways))
  const one = /^\/rules\/([^/]+)(\/locks|\/analysis)?$/.exec(path)
  if (one === null) return undefined
  const [, id = '', what] = one
  if (what === '/locks') return list(() => rules.locks(id, ways))
  if (what === '/analysis') return object(() => rules.analysis(id, ways))
  if (method === 'DELETE')
    return { method, type: undefined, give: (response, account) => remove(account, id, response) }
  if (method === 'PUT')
    return { method, type: undefined, give: (response, account) => update(account, id, response) }
  return object(() => rules.object(id, ways))

  function make(account: string, response: ServerResponse): void {
    const parsed = parseJson(text)
    const made = 'json' in parsed ? rules.make(account, parsed.json, ways) : noJson
    if (isRefusal(made)) refuse(made, response)
    else answerText(201, html, JSON.stringify(made), response)
  }
  function update(account: string, rule: string, response: ServerResponse): void {
    const parsed = parseJson(text)
    done('json' in parsed ? rules.update(account, rule, parsed.json, ways) : noJson, response)
  }
  function remove(account: string, rule: string, response: ServerResponse): void {
    const refused = 'json' in parseJson(text) ? rules.remove(account, rule, ways) : noJson
    done(refused, response)
  }
  function done(refused: Refusal | undefined, response: ServerResponse): void {
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
