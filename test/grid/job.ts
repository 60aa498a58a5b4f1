// What the tests of the whole daemon against the real grid share: to start it as a user would, to ask it, to wait for what must come.

import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthoritiesState } from '../../src/words/authorities.ts'
import type { RuleLeft } from '../../src/words/rulesLeft.ts'
import { type Daemon, startDaemon } from '../help/daemon.ts'
import { variable } from './seeded.ts'

/** path is a file's path below its dataset's folder */
export type Unfinished = { readonly path: string; readonly did: string; readonly reason: string | null }

export type Job = {
  readonly data: string
  readonly daemon: Daemon
  /** POST /ds
   *  @param to its destination
   *  @returns the word */
  want(did: string, to?: string): Promise<string>
  /** DELETE /ds */
  remove(did: string): Promise<void>
  /** of GET /ds */
  filelist(did: string): Promise<readonly string[]>
  /** GET /ds, held back for up to `seconds` until the word is another than `downloading` */
  word(did: string, seconds: number): Promise<string>
  /** GET /datasets/NAME */
  look(did: string): Promise<{
    readonly name: string
    readonly state: string
    readonly files: { readonly total: number; readonly done: number }
    readonly unfinished: readonly Unfinished[]
  }>
  /** GET /status, of which these keys are read in tests */
  status(): Promise<{
    readonly authorities: AuthoritiesState | null
    readonly rules_left: readonly RuleLeft[]
  }>
}

/** A daemon over `data`, by the official client's configuration of that name in DIR/etc, and nothing else of the environment.
 *  @param more variables */
export async function startJob(
  data: string,
  cfg: 'rucio.cfg' | 'rucio-x509.cfg' | 'rucio-root.cfg',
  more: Readonly<Record<string, string>> = {},
): Promise<Job> {
  const daemon = startDaemon({
    data,
    env: {
      RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/${cfg}`,
      X509_CERT_DIR: variable('X509_CERT_DIR'),
      ...more,
    },
  })
  const url = await daemon.ready
  const status = async (): ReturnType<Job['status']> =>
    (await ask(`${url}/status`, 'GET')) as Awaited<ReturnType<Job['status']>>
  const ds = (did: string): string => `/ds?ds_name=${encodeURIComponent(did)}`
  const wordOf = (answer: unknown): string => String((answer as { readonly status: unknown }).status)
  return {
    data,
    daemon,
    status,
    async want(did, to) {
      const more = to === undefined ? '' : `&destination=${encodeURIComponent(to)}`
      return wordOf(await ask(url + ds(did) + more, 'POST'))
    },
    async remove(did) {
      await ask(url + ds(did), 'DELETE')
    },
    filelist: async did => ((await ask(url + ds(did), 'GET')) as { filelist: string[] }).filelist,
    word: async (did, seconds) => wordOf(await ask(`${url}${ds(did)}&wait=${seconds}`, 'GET')),
    look: async did =>
      (await ask(`${url}/datasets/${encodeURIComponent(did)}`, 'GET')) as Awaited<ReturnType<Job['look']>>,
  }
}

/** Looks every 200 ms until what it gives is true.
 *  @throws with what `tell` says when it takes longer than `seconds` */
export async function until(
  seconds: number,
  look: () => Promise<boolean>,
  tell: () => string,
): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${tell()}`)
    await sleep(200)
  }
}

/** `scope:name` -> path, from the listing of a dataset's folder. */
export async function pathsOf(data: string, name: string): Promise<Map<string, string>> {
  const text = await readFile(join(data, name, '.rucio', 'listing.jsonl'), 'utf8')
  const lines = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => JSON.parse(line) as { readonly did: string; readonly path: string })
  return new Map(lines.map(({ did, path }) => [did, path]))
}

/** Starts or kills one service of the running grid, by its pid file. */
export function service(verb: 'start' | 'kill', name: 'xrd1' | 'xrd2' | 'rucio'): void {
  const script = join(variable('GRID_SRC'), 'service.sh')
  const done = spawnSync('bash', [script, variable('GRID_DIR'), verb, name], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${verb} ${name}: ${done.stdout}${done.stderr}`)
}

/** Bytes that a sidecar counts; 0 before it is there. It is replaced whole, so it can be read at any instant. */
export async function syncedBytes(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '') // not there yet, or not any more
  if (text === '') return 0
  const { ranges } = JSON.parse(text) as {
    readonly ranges: readonly { readonly from: number; readonly to: number }[]
  }
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0)
}

function ask(url: string, method: 'GET' | 'POST' | 'DELETE'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${method} ${url}: ${answer.statusCode} ${text.slice(0, 300)}`))
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
