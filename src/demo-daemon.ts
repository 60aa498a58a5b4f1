// The daemon of the demo: a child process of its own, asked over HTTP like any daemon. Never reads the user's own configuration.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { asObject } from './words/text.ts'

export type Daemon = {
  /** http://127.0.0.1:PORT */
  readonly url: string
  /** resolves when it has ended, with what it said last, as a sentence */
  readonly ended: Promise<string>
  /** @returns the parsed answer. Throws an Error with the daemon's own words for anything but 2xx */
  ask(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<unknown>
  /** SIGTERM, and SIGKILL if it has not ended after 10 s */
  stop(): Promise<void>
}

/** @param config path of a rucio.cfg
 *  @param dataDir an empty directory */
export async function startDaemon(config: string, dataDir: string): Promise<Daemon> {
  const program = fileURLToPath(new URL('../../bin/desktop-rucio', import.meta.url))
  const child = spawn(process.execPath, [program, 'serve', '--data', dataDir, '--port', '0'], {
    env: { ...ownEnv(), RUCIO_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C goes to the demo alone, which ends the daemon in its turn.
    detached: true,
  })
  const said: string[] = []
  const keep = (line: string): void => {
    said.push(line)
    if (said.length > 20) said.shift()
  }
  createInterface({ input: child.stderr }).on('line', keep)
  const output = createInterface({ input: child.stdout })
  const ended = once(child, 'close').then(
    ([code, signal]) => `the daemon ended (${code ?? signal})${said.map(line => `\n  ${line}`).join('')}`,
  )
  const url = await new Promise<string>((resolve, reject) => {
    output.on('line', line => {
      keep(line)
      const found = /http:\/\/\S+/.exec(line)
      if (found !== null) resolve(found[0].replace(/[/.,]+$/, ''))
    })
    ended.then(text => reject(new Error(text)), reject)
  })
  return {
    url,
    ended,
    ask: (method, path, signal) => ask(method, url + path, signal),
    stop: () => stop(child, ended),
  }
}

async function ask(method: 'GET' | 'POST', url: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(url, { method, signal })
  const json: unknown = await answer.json()
  if (!answer.ok) throw new Error(String(asObject(json)?.['message'] ?? `${url} answers ${answer.status}`))
  return json
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  child.kill('SIGTERM')
  await ended
  clearTimeout(late)
}

/** What a program needs to run, and nothing that names a server, an account or a certificate. */
function ownEnv(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SystemRoot']
  return Object.fromEntries(
    kept.flatMap(name => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
