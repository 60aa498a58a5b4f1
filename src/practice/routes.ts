// Which path of Rucio's REST interface gives what. Never checks tokens, and never knows what a DID holds: dids.ts and replicas.ts say it.

import type { ServerResponse } from 'node:http'
import { asObject, parseJson } from '../words/text.ts'
import { answerError, answerLines, answerObject, answerPage, answerText } from './answers.ts'
import { type Contents, type Entry, filesOf } from './contents.ts'
import { childLines, didOf, fileLine, searchLines } from './dids.ts'
import { isTape, listReplicas, type Rse, rseId } from './replicas.ts'

export type View = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly type: 'application/json' | 'application/x-json-stream' | undefined
  readonly give: (response: ServerResponse, account: string) => void | Promise<void>
}

/** What a path leads to, rules apart (rule-routes.ts); undefined = nothing.
 *  @param text body of the request */
export function viewOf(
  here: {
    readonly contents: () => Contents
    readonly rses: readonly Rse[]
    readonly cut: boolean | 'clean'
  },
  path: string,
  query: URLSearchParams,
  text: string,
): View | undefined {
  const contents = here.contents()
  const lines = (all: readonly unknown[], response: ServerResponse): void =>
    answerLines(all, here.cut, response)
  const object = (give: View['give']): View => ({ method: 'GET', type: 'application/json', give })
  const list = (method: View['method'], give: View['give']): View => ({
    method,
    type: 'application/x-json-stream',
    give,
  })

  if (path === '/scopes/') return object(response => answerObject(contents.scopes(), response))
  if (path === '/accounts/whoami')
    return { method: 'GET', type: undefined, give: (response, account) => redirectTo(account, response) }
  if (path === '/rses/') return list('GET', response => lines(here.rses.map(rseObject), response))
  const rse = /^\/rses\/([^/]+)$/.exec(path)
  if (rse !== null)
    return object(response => {
      const found = here.rses.find(each => each.name === rse[1])
      if (found !== undefined) return answerObject(rseDetails(found), response)
      answerError(404, 'RSENotFound', `RSE '${rse[1]}' cannot be found in vo 'def'`, response)
    })
  const account = /^\/accounts\/([^/]+)(\/scopes\/)?$/.exec(path)
  if (account !== null) {
    const [, name = '', scopes] = account
    if (scopes !== undefined)
      return object(response =>
        answerObject(
          contents.scopes().filter(scope => scope === `user.${name}`),
          response,
        ),
      )
    return object(response => answerObject(accountObject(name), response))
  }
  if (path === '/replicas/list')
    return list('POST', async response => {
      // What the real server says when the query holds a limit (exchange cm).
      if (query.has('limit'))
        return answerText(500, html, "'<=' not supported between instances of 'int' and 'str'", response)
      const parsed = parseJson(text)
      if (!('json' in parsed)) return broken(response)
      const result = await listReplicas(contents, here.rses, parsed.json)
      if (result.kind === 'lines') return lines(result.lines, response)
      answerError(result.status, result.class, result.message, response)
    })
  if (path === '/dids/bulkfiles')
    return list('POST', async response => {
      const parsed = parseJson(text)
      if (!('json' in parsed)) return broken(response)
      const dids = asObject(parsed.json)?.['dids']
      if (!Array.isArray(dids)) return answerText(500, html, 'object is not iterable', response)
      const found = dids.flatMap(each => {
        const { scope, name } = asObject(each) ?? {}
        const entry = contents.did(String(scope), String(name))
        return entry === undefined ? [] : filesOf(entry).map(file => ({ file, parent: entry }))
      })
      lines(await Promise.all(found.map(({ file, parent }) => fileLine(file, { parent }))), response)
    })
  const search = /^\/dids\/([^/]+)\/dids\/search$/.exec(path)
  if (search !== null)
    return list('GET', response => {
      const found = searchLines(contents, search[1] ?? '', query)
      if (found !== undefined) return lines(found, response)
      const message = `${query.get('type')} is not a valid type. Valid types are dict_keys(['all', 'collection', 'container', 'dataset', 'file'])`
      answerError(409, 'UnsupportedOperation', message, response)
    })
  return didView(contents, path, query, { object, list, lines })
}

function didView(
  contents: Contents,
  path: string,
  query: URLSearchParams,
  make: {
    readonly object: (give: View['give']) => View
    readonly list: (method: 'GET', give: View['give']) => View
    readonly lines: (all: readonly unknown[], response: ServerResponse) => void
  },
): View | undefined {
  // A name may hold slashes, in front as well: what stands behind the scope is the name, less a known last word.
  const match = /^\/dids\/([^/]+)\/(.+?)(\/files|\/dids)?$/s.exec(path)
  if (match === null) return undefined
  const [, scope = '', name = '', what] = match
  const give =
    (of: (entry: Entry, response: ServerResponse) => Promise<void>) =>
    (response: ServerResponse): Promise<void> | void => {
      const entry = contents.did(scope, name)
      if (entry !== undefined) return of(entry, response)
      const message = `Data identifier '${scope}:${name}' not found`
      answerError(404, 'DataIdentifierNotFound', message, response)
    }
  if (what === undefined) {
    const depth = query.get('dynamic_depth')
    const counts = query.has('dynamic') || depth === 'FILE' ? 'FILE' : depth === 'DATASET' ? depth : undefined
    return make.object(give(async (entry, response) => answerObject(await didOf(entry, counts), response)))
  }
  if (what === '/dids')
    return make.list(
      'GET',
      give(async (entry, response) => make.lines(await childLines(entry), response)),
    )
  const long = query.has('long')
  return make.list(
    'GET',
    give(async (entry, response) =>
      make.lines(await Promise.all(filesOf(entry).map(file => fileLine(file, { long }))), response),
    ),
  )
}

/** Flask's own words. */
export function notFound(response: ServerResponse): void {
  const text =
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.'
  answerPage(404, text, response)
}

const html = 'text/html; charset=utf-8'
const startedAt = new Date().toISOString().slice(0, 19)

function broken(response: ServerResponse): void {
  answerError(400, 'ValueError', 'cannot decode json parameter dictionary', response)
}

function redirectTo(account: string, response: ServerResponse): void {
  response.setHeader('Location', account)
  const page = `<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: <a href="${account}">${account}</a>. If not, click the link.\n`
  answerText(303, html, page, response)
}

function accountObject(account: string): unknown {
  return {
    suspended_at: null,
    status: 'ACTIVE',
    created_at: startedAt,
    email: `${account}@localhost`,
    account,
    account_type: 'USER',
    deleted_at: null,
    updated_at: startedAt,
  }
}

/** GET /rses/RSE: also the ways into it. */
function rseDetails(rse: Rse): unknown {
  const priorities = { read: 1, write: 1, delete: 1 }
  const wan = { ...priorities, third_party_copy_read: 0, third_party_copy_write: 0 }
  const { deleted: _, vo: __, ...common } = rseObject(rse)
  return {
    ...common,
    credentials: null,
    domain: ['lan', 'wan'],
    lfn2pfn_algorithm: 'hash',
    qos_class: null,
    sign_url: null,
    verify_checksum: true,
    protocols: rse.schemes.map(scheme => ({
      hostname: 'localhost',
      scheme,
      port: scheme === 'file' ? 0 : rse.port,
      prefix: scheme === 'root' ? '//rucio/' : '/rucio/',
      impl: `rucio.rse.protocols.${scheme === 'file' ? 'posix' : 'gfal'}.Default`,
      domains: { lan: priorities, wan },
      extended_attributes: null,
    })),
  }
}

function rseObject({ name }: Rse) {
  return {
    rse: name,
    id: rseId(name),
    rse_type: isTape(name) ? 'TAPE' : 'DISK',
    availability: 7,
    availability_read: true,
    availability_write: true,
    availability_delete: true,
    deterministic: true,
    volatile: false,
    deleted: false,
    staging_area: false,
    vo: 'def',
  }
}
