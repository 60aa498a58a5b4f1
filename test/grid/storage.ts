// XRootD servers of a test's own beside those of the grid, each with a configuration of its own, and files that the catalogue gives them.
// Never outlives the tests, and leaves the grid's own servers as they are.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { until } from './job.ts'
import { variable } from './seeded.ts'

export type Storage = {
  readonly port: number
  /** `rucio/` of what it exports, below DIR of the grid */
  readonly folder: string
  /** all that it has written so far */
  log(): string
  /** SIGKILL; resolves when it is gone */
  kill(): Promise<void>
  start(): Promise<void>
}

export type Placed = {
  readonly did: string
  readonly name: string
  readonly pfn: string
  readonly md5: string
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) end(child)
})
const isRoot = process.getuid?.() === 0

/** @param name of this run: no two storages have one
 *  @param config its lines besides ports and places; `{}` in it stands for its own directory
 *  @param env more variables of its process */
export async function openStorage(
  name: string,
  config: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Storage> {
  const dir = join(variable('GRID_DIR'), name)
  const folder = join(name, 'data', 'rucio')
  mkdirSync(join(variable('GRID_DIR'), folder), { recursive: true })
  for (const each of ['admin', 'run']) mkdirSync(join(dir, each), { recursive: true })
  const port = await freePort()
  const path = join(dir, 'xrootd.cfg')
  writeFileSync(
    path,
    `all.adminpath ${dir}/admin\nall.pidpath ${dir}/run\nxrd.port ${port}\n${config.replaceAll('{}', dir)}\n`,
  )
  own(dir)
  const logPath = join(variable('GRID_DIR'), 'log', `${name}.log`)
  let child: ChildProcess | undefined
  const storage: Storage = {
    port,
    folder,
    log: () => readFileSync(logPath, 'utf8'),
    async kill() {
      const was = child
      if (was === undefined || was.exitCode !== null || was.signalCode !== null) return
      const gone = new Promise(resolve => was.once('exit', resolve))
      end(was)
      await gone
      running.delete(was)
    },
    async start() {
      const log = openSync(logPath, 'a')
      // The server refuses to be root, and listens on loopback alone.
      const args = ['-n', name, ...(isRoot ? ['-R', 'xrootd'] : []), '-I', 'v4', '-c', path]
      child = spawn('xrootd', args, {
        cwd: join(dir, 'run'),
        env: { ...process.env, LD_PRELOAD: join(variable('GRID_DIR'), 'bindlo.so'), ...env },
        stdio: ['ignore', log, log],
        detached: true,
      })
      running.add(child)
      await until(
        30,
        () => listens(port),
        () => `${name} does not come up: ${storage.log().slice(-1000)}`,
      )
    },
  }
  await storage.start()
  return storage
}

/** A dataset of one file whose bytes lie in `folder`, below DIR of the grid, and whose one replica the catalogue names by this protocol. */
export function placeFile(asked: {
  readonly mark: string
  readonly folder: string
  readonly bytes: number
  readonly scheme: 'root' | 'roots' | 'davs'
  readonly port: number
  readonly prefix: string
}): Placed {
  const done = spawnSync(
    join(variable('GRID_VENVS'), 'venv-client', 'bin', 'python'),
    [join(variable('GRID_SRC'), 'register.py'), variable('GRID_DIR')],
    {
      encoding: 'utf8',
      input: JSON.stringify(asked),
      env: { ...process.env, PYTHONWARNINGS: 'ignore' },
    },
  )
  if (done.status !== 0) throw new Error(`register.py: ${done.stderr}`)
  own(join(variable('GRID_DIR'), asked.folder))
  return JSON.parse(done.stdout) as Placed
}

/** The lines with which a server speaks TLS by the grid's host certificate, or another pair. */
export function tlsLines(pair?: { readonly cert: string; readonly key: string }): string {
  const certs = join(variable('GRID_DIR'), 'certs')
  const { cert, key } = pair ?? { cert: join(certs, 'xrdcert.pem'), key: join(certs, 'xrdkey.pem') }
  return `xrd.tls ${cert} ${key}\nxrd.tlsca certdir ${certs}/certificates proxies`
}

/** A copy of a file that the server's user alone may read, as it wants a key to be. */
export function givenToServer(path: string, to: string): string {
  copyFileSync(path, to)
  own(to)
  chmodSync(to, 0o400)
  return to
}

function own(path: string): void {
  if (!isRoot) return
  const done = spawnSync('chown', ['-R', 'xrootd:xrootd', path], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`chown ${path}: ${done.stderr}`)
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has gone already.
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
