// The route table: every call, what it needs, what it takes. Never answers itself, save what needs no data directory.

import { type DataState, unknownCert } from '../words/status.ts'
import { type Answer, json } from './answer.ts'
import { getDataset, getDatasets } from './datasets.ts'
import type { Desk } from './desk.ts'
import { getDoctor } from './doctor.ts'
import { deleteDs, getDs, getDsfiles, getLogs, postDs } from './frozen.ts'
import type { WebOptions } from './server.ts'
import { getStatus, statusOf } from './status.ts'

export type Call = {
  readonly params: ReadonlyMap<string, string>
  /** what follows the path of a call that takes more, decoded */
  readonly rest: string
  readonly method: string
  /** of this server */
  readonly url: string
  /** aborted when the client has gone */
  readonly signal: AbortSignal
}

export type Route = {
  readonly path: string
  readonly methods: readonly string[]
  /** `data`: DATA must be there; `write`: and take a wish; `site`, `status`: answers without it */
  readonly needs: 'nothing' | 'status' | 'site' | 'data' | 'write'
  readonly takes: string
  readonly does: string
  readonly run: (call: Call, desk: Desk) => Promise<Answer>
}

const read = ['GET', 'HEAD'] as const

const table: readonly Route[] = [
  {
    path: '/',
    methods: read,
    needs: 'nothing',
    takes: '',
    does: 'this list',
    run: async (call, desk) => index(call, desk.options),
  },
  {
    path: '/status',
    methods: read,
    needs: 'status',
    takes: '',
    does: 'the daemon: credential, what is downloading, what stands in the way',
    run: getStatus,
  },
  {
    path: '/doctor',
    // It starts programs and connections, so it is no call to try out with HEAD.
    methods: ['GET'],
    needs: 'site',
    takes: '',
    does: 'what a transfer needs: what is wrong with it, and what to do',
    run: getDoctor,
  },
  {
    path: '/logs',
    methods: read,
    needs: 'site',
    takes: 'name?',
    does: 'names of the logs, or the lines of one',
    run: getLogs,
  },
  {
    path: '/ds',
    methods: read,
    needs: 'data',
    takes: 'ds_name, wait?',
    does: 'is this dataset here? never asks Rucio',
    run: getDs,
  },
  {
    path: '/ds',
    methods: ['POST'],
    needs: 'write',
    takes: 'ds_name, wait?, destination?',
    does: 'bring this dataset here, or to a site, and keep it',
    run: postDs,
  },
  {
    path: '/ds',
    methods: ['DELETE'],
    needs: 'write',
    takes: 'ds_name',
    does: 'remove this dataset from this disk',
    run: deleteDs,
  },
  {
    path: '/dsfiles',
    // It starts work, so it is no call to try out with HEAD.
    methods: ['GET'],
    needs: 'data',
    takes: 'ds_name, wait?',
    does: 'the files that Rucio lists for this dataset',
    run: getDsfiles,
  },
  {
    path: '/datasets',
    methods: read,
    needs: 'data',
    takes: '',
    does: 'every dataset that is here or asked for, with its progress',
    run: getDatasets,
  },
  {
    path: '/datasets/',
    methods: read,
    needs: 'data',
    takes: 'NAME in the path',
    does: 'one dataset, with each unfinished file',
    run: getDataset,
  },
]

/** The routes of a path, and what follows it where a path ends with a slash. */
export function findRoute(
  path: string,
): { readonly routes: readonly Route[]; readonly rest: string } | undefined {
  const exact = table.filter(route => route.path === path && path !== '/datasets/')
  if (exact.length > 0) return { routes: exact, rest: '' }
  const longer = table.filter(
    route => route.path.length > 1 && route.path.endsWith('/') && path.startsWith(route.path),
  )
  const rest = path.slice(longer[0]?.path.length ?? 0)
  return longer.length > 0 && rest !== '' ? { routes: longer, rest } : undefined
}

/** Text of an Allow header. */
export function allowOf(routes: readonly Route[]): string {
  return routes.flatMap(route => route.methods).join(', ')
}

/** GET /: the calls, for whoever finds the port. */
export function index(call: Call, options: WebOptions): Answer {
  const calls = table.map(({ path, methods, takes, does }) => ({
    call: `${methods[0]} ${path}${path.endsWith('/') && path !== '/' ? 'NAME' : ''}`,
    takes,
    does,
  }))
  return json({ name: 'desktop-rucio', version: options.version, url: call.url, calls })
}

/** @param why a sentence with what to do */
export function startsNot(why: string): string {
  return `The daemon cannot begin yet: ${why}`
}

/** GET /status before the data directory is ours. */
export function startingStatus(call: Call, options: WebOptions): Answer {
  const state: DataState = 'starting'
  const why = options.waitsFor?.()
  const message = why === undefined ? 'The daemon waits for its data directory.' : startsNot(why)
  return json(
    statusOf({
      cert: unknownCert,
      authorities: null,
      rulesLeft: [],
      downloading: [],
      id: null,
      url: call.url,
      options,
      state,
      message,
      troubles: [],
    }),
  )
}
