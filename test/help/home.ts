// A daemon in the process of its test, with a data directory that hands may reach into, on a practice grid and a clock of its own.
// Never leaves it running.

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeRoot, openRoot } from '../../src/disk/root.ts'
import { readOptions } from '../../src/options.ts'
import { bytesOf, type PracticeGrid, type SeedFile } from '../../src/practice/grid.ts'
import { type ExitCode, serve } from '../../src/serve.ts'
import { fileComponent } from '../../src/words/names.ts'
import { codeOf } from '../../src/words/reason.ts'
import type { World } from '../../src/words/world.ts'
import type { Clock } from './clock.ts'
import { sweep, temporary } from './data.ts'
import { practiceEnv } from './practice-env.ts'
import { call } from './site.ts'

export type Home = {
  /** the data directory */
  readonly dir: string
  path(...names: string[]): string
  /** http://127.0.0.1:PORT */
  url(): string
  /** GET, POST or DELETE /ds; the word
   *  @param more of the query, as `&wait=1` */
  ds(method: 'GET' | 'POST' | 'DELETE', did: string, more?: string): Promise<string>
  get(url: string): Promise<{ readonly status: number; readonly json: Record<string, unknown> }>
  log(): Promise<string>
  /** resolves when GET /ds says so */
  says(did: string, word: string): Promise<void>
  end(): Promise<ExitCode>
  /** ends it, and starts another on the same directory
   *  @param between what a person does to the directory meanwhile */
  again(between?: () => Promise<void>): Promise<void>
  /** writes config.json with these keys beside the usual ones */
  config(keys: object): Promise<void>
}

export type HomeOptions = {
  readonly grid: Pick<PracticeGrid, 'url' | 'caPem'>
  readonly world: World
  /** text of config.json; default: no reserve, everything at once */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  /** an existing directory; default: a new one */
  readonly dir?: string
}

const running = new Set<Home>()

/** For test.after: ends the daemons that a failed test left, then what they stood on. */
export async function endAll(grid: { stop(): Promise<void> }, clock?: Clock): Promise<void> {
  await Promise.all([...running].map(each => each.end()))
  clock?.close()
  await grid.stop()
  await sweep()
}

const wideConfig = '{"reserve_bytes": 0, "files_at_once": 64, "datasets_at_once": 64}\n'

export async function openHome(options: HomeOptions): Promise<Home> {
  const place = await temporary()
  const dir = options.dir ?? join(place, 'data')
  if (options.dir === undefined) {
    await mkdir(dir)
    const { root } = await openRoot({ dir, fenced: false, world: options.world })
    await closeRoot(root)
  }
  await writeFile(join(dir, 'config.json'), options.config ?? wideConfig)
  const env = { ...(await practiceEnv(options.grid, place)), ...options.env }
  let port = 0
  let stop = new AbortController()
  let ended: Promise<ExitCode> = Promise.resolve(0)

  async function start(): Promise<void> {
    const read = await readOptions(['--data', dir, '--port', '0', '--host', '127.0.0.1'], env)
    if ('message' in read) throw new Error(read.message)
    stop = new AbortController()
    const said: string[] = []
    let isReady: () => void = () => {}
    const ready = new Promise<void>(resolve => {
      isReady = resolve
    })
    ended = serve(read, {
      world: options.world,
      version: '0.0.0',
      signal: stop.signal,
      streams: {
        say(line) {
          port = Number(new URL(line.split(' ')[0] ?? '').port)
          isReady()
        },
        complain: line => said.push(line),
      },
    })
    const failed = ended.then(code => Promise.reject(new Error(`it ended with ${code}: ${said.join('; ')}`)))
    await Promise.race([ready, failed])
    failed.catch(() => {}) // it ends at last, as it should
  }
  await start()

  const ds: Home['ds'] = async (method, did, more = '') => {
    const { status, json } = await call(port, method, `/ds?ds_name=${encodeURIComponent(did)}${more}`)
    return status === 200 ? String(json['status']) : `${status} ${json['code']}`
  }
  /** What the daemon has told last: the reason of a failure, most often. */
  const tail = async (): Promise<string> => (await home.log().catch(String)).split('\n').slice(-12).join('\n')
  const home: Home = {
    dir,
    path: (...names) => join(dir, ...names),
    url: () => `http://127.0.0.1:${port}`,
    ds,
    get: url => call(port, 'GET', url),
    log: () => readFile(join(dir, '.rucio', 'logs', 'rucio_downloader.log'), 'utf8'),
    says: (did, word) =>
      until(async () => {
        const said = await ds('GET', did)
        return said === word ? true : `/ds of ${did} says ${said}, not ${word}\n${await tail()}`
      }),
    async end() {
      running.delete(home)
      stop.abort()
      return await ended
    },
    async config(keys) {
      const usual = JSON.parse(options.config ?? wideConfig) as object
      await writeFile(join(dir, 'config.json'), JSON.stringify({ ...usual, ...keys }))
    },
    async again(between) {
      stop.abort()
      await ended
      await between?.()
      await start()
    },
  }
  running.add(home)
  return home
}

/** Looks until it is so; the reason it is not yet is a text.
 *  @param ms of the world, not of a test's clock */
export async function until(look: () => Promise<true | string>, ms = 25_000): Promise<void> {
  const end = performance.now() + ms
  for (;;) {
    const said = await look()
    if (said === true) return
    if (performance.now() > end) throw new Error(said)
    await sleep(15)
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined
}

export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

export function appears(path: string, ms?: number): Promise<void> {
  return until(async () => (await isThere(path)) || `${path} is not there`, ms)
}

export function goes(path: string, ms?: number): Promise<void> {
  return until(async () => !(await isThere(path)) || `${path} is there`, ms)
}

export type Dataset = {
  readonly scope: string
  readonly name: string
  readonly open: boolean
  readonly files: readonly SeedFile[]
}

/** `hands.NAME` of scope `hands`, whose NAME is its name. */
export function dataset(
  name: string,
  options: {
    readonly files?: number
    readonly bytes?: number
    readonly rse?: string
    readonly scope?: string
    readonly open?: boolean
    /** in front of the names of its files */
    readonly folder?: string
  } = {},
): Dataset {
  const { files = 3, bytes = 20_000, rse = 'FAST', scope = 'hands', open = false, folder = '' } = options
  return {
    scope,
    name,
    open,
    files: Array.from({ length: files }, (_, i) => ({
      scope,
      name: `${folder}${name.replace(/^\//, '').replaceAll('/', '.')}.${i}.root`,
      bytes: bytes + i,
      checksums: ['adler32' as const],
      replicas: { [rse]: 'good' as const },
      events: 10,
    })),
  }
}

/** One big file at a storage of its own, which gives it in minutes until it is told to hurry. */
export function slowDataset(name: string): Dataset & { readonly rse: string } {
  const rse = `SLOW_${name.toUpperCase().replaceAll('.', '_')}`
  return { ...dataset(name, { files: 1, bytes: 4_000_000, rse }), rse }
}

/** All its bytes, right, under their names. */
export async function isRight(folder: string, of: Dataset): Promise<true | string> {
  for (const file of of.files) {
    const path = join(folder, fileComponent(file))
    if (!(await isThere(path))) return `${path} is not there`
    if (!(await readFile(path)).equals(bytesOf(file, 0, file.bytes))) return `${path} is not right`
  }
  return true
}

/** The bytes of a seed file written by hand. */
export async function layFile(path: string, file: SeedFile): Promise<void> {
  await writeFile(path, bytesOf(file, 0, file.bytes))
}
