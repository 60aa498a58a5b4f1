// What the tests with the real VOMS server share: to bring it up and down, its settings, a daemon that makes its proxy. Skips nothing
// silently: where there is no such server, whoever starts it is told.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { type Daemon, startDaemon } from '../../help/daemon.ts'
import { variable } from '../seeded.ts'

export type Client = { readonly name: 'C++' | 'Java'; readonly path: string }

/** @returns the clients that are here, C++ first
 *  @throws with what up.sh said: a machine without a VOMS server shows nothing of VOMS */
export function startVoms(): Client[] {
  script('up.sh')
  const java = join(vomsDir(), 'java', 'bin')
  const path = process.env['PATH'] ?? ''
  return [
    { name: 'C++', path },
    ...(existsSync(join(java, 'voms-proxy-init'))
      ? [{ name: 'Java' as const, path: `${java}:${path}` }]
      : []),
  ]
}

/** The storage that looks at VOMS attributes alone, where SLOW1 and SLOWROOT1 lead. */
export function vomsStorage(verb: 'up' | 'down'): void {
  script('storage.sh', verb)
}

export function stopVoms(): void {
  script('down.sh')
}

function script(name: string, ...more: readonly string[]): void {
  const path = join(variable('GRID_SRC'), 'voms', name)
  const done = spawnSync('bash', [path, variable('GRID_DIR'), ...more], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${name}: ${done.stdout}${done.stderr}`)
}

export function vomsDir(): string {
  return join(variable('GRID_DIR'), 'voms')
}

export const password = 'open-sesame'

/** A directory with jdoe's certificate and key, as a user has one. @param dir an empty directory */
export async function certDir(dir: string): Promise<string> {
  const certs = join(dir, 'certs')
  await mkdir(certs)
  for (const name of ['usercert.pem', 'userkey.pem'])
    await copyFile(join(variable('GRID_DIR'), 'certs', name), join(certs, name))
  await chmod(join(certs, 'userkey.pem'), 0o400)
  return certs
}

/** What VOMS clients need, and where the proxy shall lie. */
export function vomsEnv(client: Client, dir: string): Record<string, string> {
  return {
    PATH: client.path,
    HOME: dir,
    X509_CERT_DIR: variable('X509_CERT_DIR'),
    X509_VOMS_DIR: join(vomsDir(), 'vomsdir'),
    VOMS_USERCONF: join(vomsDir(), 'vomses'),
    DESKTOP_RUCIO_PROXY_DIR: join(dir, 'proxies'),
  }
}

export type VomsJob = {
  readonly daemon: Daemon
  readonly url: string
  /** `grid_cert` of GET /status */
  cert(): Promise<Cert>
  get(path: string): Promise<string>
  post(path: string): Promise<string>
}

export type Cert = {
  readonly is_good: boolean
  readonly identity: string | null
  readonly error: string | null
  readonly proxy_ends: string | null
  readonly voms_ends: string | null
  readonly proxy_path: string
  readonly vo: string | null
  readonly fqans: readonly string[]
  readonly warnings: readonly string[]
  readonly renewal: {
    readonly made: string | null
    readonly next: string | null
    readonly error: { readonly message: string } | null
  } | null
}

/** @param data an existing directory */
export async function startVomsJob(
  data: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<VomsJob> {
  const daemon = startDaemon({
    data,
    env: { RUCIO_CONFIG: `${variable('GRID_DIR')}/etc/rucio-x509.cfg`, ...env },
    args,
  })
  const url = await daemon.ready
  const get = (path: string): Promise<string> => ask(url + path, 'GET')
  return {
    daemon,
    url,
    get,
    post: path => ask(url + path, 'POST'),
    cert: async () => (JSON.parse(await get('/status')) as { readonly grid_cert: Cert }).grid_cert,
  }
}

function ask(url: string, method: 'GET' | 'POST'): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent: false }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end()
  })
}
