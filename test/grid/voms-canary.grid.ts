// A password that is looked for in all that the daemon writes, says, answers and starts, while it makes proxies with it, and is found
// nowhere. What the search must be able to find is shown first.

import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sweep, temporary } from '../help/data.ts'
import { until } from './job.ts'
import { variable } from './seeded.ts'
import {
  type Client,
  certDir,
  startVoms,
  startVomsJob,
  stopVoms,
  type VomsJob,
  vomsEnv,
} from './voms/server.ts'

const test = suite('the canary password')
const bin = fileURLToPath(new URL('../../../bin/desktop-rucio', import.meta.url))
const canary = 'kanarie"vogel 7431\\é'
const forms = [
  canary,
  encodeURIComponent(canary),
  JSON.stringify(canary).slice(1, -1),
  Buffer.from(canary).toString('base64'),
  // Enough of it to know it again, whatever stands around it.
  'kanarie',
]

let clients: readonly Client[] = []
const jobs: VomsJob[] = []
test.before(() => {
  clients = startVoms()
})
test.after(async () => {
  for (const job of jobs) if (!job.daemon.hasEnded()) await job.daemon.end()
  stopVoms()
  await sweep()
})

test('the search finds it where it is', async () => {
  const dir = await temporary()
  await writeFile(join(dir, 'log'), Buffer.from(canary).toString('base64'))
  assert.equal(await inFiles(dir), ['log'])
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)', canary], { env: { P: canary } })
  const watch = watchProcesses(child.pid ?? 0)
  await until(
    10,
    async () => watch.found.size >= 2,
    () => [...watch.found].join(),
  )
  watch.stop()
  child.kill('SIGKILL')
})

for (const way of ['GRID_PASSWORD', 'GRID_PASSWORD_FILE', 'handed in'] as const)
  test(`${way}: it is nowhere, when it is right and when it is wrong`, async () => {
    for (const client of clients)
      for (const isRight of [true, false]) {
        const [dir, data] = [await temporary(), await temporary()]
        const certs = await certDir(dir)
        if (isRight) await lockWithCanary(certs)
        const secretPath = join(await temporary(), 'password')
        await writeFile(secretPath, `${canary}\n`, { mode: 0o600 })
        const job = await startVomsJob(
          data,
          {
            ...vomsEnv(client, dir),
            GRID_VOMS: 'testvo',
            // Short, so that it is made twice and more.
            GRID_PROXY_VALID: '0:01',
            ...(way === 'GRID_PASSWORD' ? { GRID_PASSWORD: canary } : {}),
            ...(way === 'GRID_PASSWORD_FILE' ? { GRID_PASSWORD_FILE: secretPath } : {}),
          },
          ['--cert-dir', certs],
        )
        jobs.push(job)
        const watch = watchProcesses(job.daemon.pid)
        if (way === 'handed in') await handIn(data)
        await until(
          30,
          async () => {
            const { proxy_ends, error } = await job.cert()
            return isRight
              ? typeof proxy_ends === 'string'
              : /password/.test(error ?? '') && !/none was/.test(error ?? '')
          },
          () => job.daemon.said(),
        )
        // The renewal, with the client that is slower to start.
        if (isRight && way === 'GRID_PASSWORD' && client.name === 'Java') {
          const { proxy_ends } = await job.cert()
          await until(
            60,
            async () => (await job.cert()).proxy_ends !== proxy_ends,
            () => job.daemon.said(),
          )
        }
        watch.stop()
        const told = `${client.name}, ${way}, ${isRight ? 'right' : 'wrong'}`
        if (isRight) assert.ok(watch.looks() > 3, `${told}: ${watch.looks()} looks at a client`)
        assert.equal([...watch.found], [], told)
        assert.equal(await inFiles(data), [], told)
        assert.equal(await inFiles(dir), [], told)
        const answers = [
          '/status',
          '/datasets',
          '/',
          '/logs?name=grid_cert',
          '/logs?name=web_server',
          '/logs?name=rucio_downloader',
        ]
        for (const path of answers) assert.equal(held(await job.get(path)), [], `${told}: ${path}`)
        assert.equal(held(job.daemon.said()), [], told)
        await job.daemon.end()
        assert.equal(await inFiles(data), [], `${told}, after its end`)
        console.log(`${told}: ${watch.looks()} looks at clients that ran`)
      }
  })

test.run()

function held(text: string): string[] {
  return forms.filter(each => text.includes(each))
}

/** Files below `dir` that hold it. */
async function inFiles(dir: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '') // it went meanwhile
    if (held(text).length > 0) found.push(entry.name)
  }
  return found
}

/** Looks at the command line and the environment of `pid`, of every child of it, and of theirs, again and again. */
function watchProcesses(pid: number) {
  const found = new Set<string>()
  let looks = 0
  const timer = setInterval(() => {
    for (const child of [pid, ...offspring(pid)]) {
      const line = procText(child, 'cmdline')
      if (line.includes('voms-proxy-init')) looks += 1
      if (held(line).length > 0) found.add(`cmdline of ${line.split('\0')[0]}`)
      if (held(procText(child, 'environ')).length > 0) found.add(`environ of ${line.split('\0')[0]}`)
    }
  }, 3)
  return { found, looks: () => looks, stop: () => clearInterval(timer) }
}

function offspring(pid: number): number[] {
  const all: number[] = []
  for (const task of tasksOf(pid))
    for (const child of procText(pid, `task/${task}/children`).split(' '))
      if (child !== '') all.push(Number(child), ...offspring(Number(child)))
  return all
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    // It has ended: then it has no children.
    return []
  }
}

function procText(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8')
  } catch {
    // It has ended between two looks.
    return ''
  }
}

/** The key of the grid's user with the canary as its password. */
async function lockWithCanary(certs: string): Promise<void> {
  const key = join(certs, 'userkey.pem')
  await chmod(key, 0o600)
  const plain = join(variable('GRID_DIR'), 'certs', 'userkey-plain.pem')
  const done = spawnSync('openssl', ['rsa', '-aes256', '-in', plain, '-out', key, '-passout', 'stdin'], {
    input: `${canary}\n`,
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(done.stderr)
  await chmod(key, 0o400)
}

function handIn(data: string): Promise<void> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [bin, 'password', '--data', data], {
      env: { PATH: process.env['PATH'] ?? '' },
    })
    child.on('close', () => resolve())
    child.stdin.end(`${canary}\n`)
  })
}
